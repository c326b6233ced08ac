from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("onnx")

from forensics.training.export import to_onnx  # noqa: E402
from forensics.training.model import BlendNet  # noqa: E402
from forensics.training.unfold import load_exported  # noqa: E402

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore:You are using the legacy TorchScript:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The feature will be removed:DeprecationWarning"),
]


def _used(seed: int) -> BlendNet:
    """A network whose norms have seen something."""
    torch.manual_seed(seed)
    net = BlendNet()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2.0)
            module.weight.data.uniform_(0.5, 1.5)
    torch.nn.init.normal_(net.score.weight, std=0.05)
    return net.eval()


def test_an_exported_network_is_the_same_function_when_training_takes_it_up(
    tmp_path: Path,
) -> None:
    before = _used(0)
    path = tmp_path / "net.onnx"
    to_onnx(before, path)
    after = BlendNet()
    load_exported(after, path, torch.rand(4, 3, 192, 192) * 255)
    x = torch.rand(2, 3, 192, 192) * 255
    with torch.no_grad():
        for one, two in zip(before(x), after(x), strict=True):
            assert (one - two).abs().max() < 1e-4 * max(1.0, float(one.abs().max()))
    norms = [m for m in after.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all(m.running_mean.abs().max() > 0 for m in norms)  # measured, not left as made


def test_another_network_is_refused(tmp_path: Path) -> None:
    class Other(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = torch.nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.stem(x)

    path = tmp_path / "other.onnx"
    torch.onnx.export(
        torch.nn.Sequential(Other(), torch.nn.BatchNorm2d(4)).eval(),
        (torch.zeros(1, 3, 8, 8),), str(path), dynamo=False,
    )
    with pytest.raises(ValueError, match="does not match|its place"):
        load_exported(BlendNet(), path, torch.zeros(1, 3, 192, 192))
