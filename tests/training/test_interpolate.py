from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")

from forensics.training.interpolate import interpolate  # noqa: E402
from forensics.training.model import BlendNet  # noqa: E402

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
