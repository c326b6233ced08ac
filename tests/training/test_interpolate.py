from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")

from safetensors.torch import save_file  # noqa: E402

from forensics.training import interpolate as module  # noqa: E402
from forensics.training.interpolate import interpolate, main  # noqa: E402
from forensics.training.model import BlendNet, load_averaged  # noqa: E402

pytestmark = pytest.mark.train


def _networks() -> tuple[BlendNet, BlendNet]:
    made = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        made.append(BlendNet())
    return made[0], made[1]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_lie_on_the_line(share: float) -> None:
    before, after = _networks()
    ends = before.draw[2].weight.clone(), after.draw[2].weight.clone()
    interpolate(before, after, share)
    wanted = (1 - share) * ends[0] + share * ends[1]
    assert torch.allclose(after.draw[2].weight, wanted, atol=1e-6)
    assert torch.equal(before.draw[2].weight, ends[0]), "the earlier one is left alone"


def test_nonsense_is_refused() -> None:
    before, after = _networks()
    with pytest.raises(ValueError, match="not within"):
        interpolate(before, after, 1.5)
    with pytest.raises(ValueError, match="different layers"):
        interpolate(torch.nn.Linear(1, 1), after, 0.5)


def test_a_point_on_the_way_to_a_point_tells_of_both(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "validation_pairs", lambda *_: {})
    facts = {"recipe": {"seed": 0}, "log": [], "step": 3}
    paths = []
    for name, net in zip(("a", "b"), _networks(), strict=True):
        paths.append(tmp_path / f"{name}.safetensors")
        tensors = {f"ema.{key}": value for key, value in net.state_dict().items()}
        save_file(tensors, paths[-1], metadata={"facts": json.dumps(facts)})
    between, nearer = tmp_path / "between.safetensors", tmp_path / "nearer.safetensors"
    main(paths[0], paths[1], cache, between, 0.5)
    main(paths[0], between, cache, nearer, 0.25)
    net, told = load_averaged(nearer)
    assert told["interpolated"]["share"] == 0.25
    assert told["interpolated"]["after"]["share"] == 0.5
    first, last = _networks()
    wanted = 0.875 * first.draw[2].weight + 0.125 * last.draw[2].weight
    assert torch.allclose(net.draw[2].weight, wanted, atol=1e-6)
