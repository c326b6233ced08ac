from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("safetensors")

from safetensors.torch import save_file  # noqa: E402

from forensics.training.model import SIZE, BlendNet  # noqa: E402
from forensics.training.teach import Teachers, imitation  # noqa: E402

pytestmark = pytest.mark.train


def stored(path: Path, seed: int) -> BlendNet:
    torch.manual_seed(seed)
    net = BlendNet().eval()
    tensors = {f"ema.{name}": value.contiguous() for name, value in net.state_dict().items()}
    save_file(tensors, path, metadata={"facts": json.dumps({"step": seed})})
    return net


def test_the_mean_counts_a_teacher_as_often_as_it_is_named(tmp_path: Path) -> None:
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    nets = [stored(path, seed) for seed, path in enumerate(paths)]
    x = torch.rand(2, 3, SIZE, SIZE) * 255
    with torch.no_grad():
        (one, one_map), (two, two_map) = (net(x) for net in nets)
        logits, maps = Teachers([paths[0], *paths], x)(x)
    torch.testing.assert_close(logits, (2 * one + two) / 3)
    torch.testing.assert_close(maps, (2 * one_map + two_map) / 3)


def test_teachers_are_named_by_digest_and_none_is_false(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    stored(path, 0)
    x = torch.zeros(1, 3, SIZE, SIZE)
    staff = Teachers([path, path], x)
    assert staff and len(staff.digests) == 2 and len(set(staff.digests)) == 1
    assert not Teachers([], x)


def test_imitation_is_least_where_both_agree() -> None:
    logits, maps = torch.tensor([6.0, -6.0]), torch.randn(2, 2, 4, 4)
    least = imitation(logits, maps, (logits, maps), 0.6)
    assert imitation(logits + 1, maps, (logits, maps), 0.6) > least + 0.4
    assert imitation(logits, maps + 1, (logits, maps), 0.6) > least
