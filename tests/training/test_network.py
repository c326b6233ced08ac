from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("onnx")

import onnxruntime as ort  # noqa: E402

from forensics.training.export import Exported, to_onnx  # noqa: E402
from forensics.training.model import MAP, SIZE, BlendNet  # noqa: E402

pytestmark = pytest.mark.train


@pytest.mark.filterwarnings("ignore:You are using the legacy TorchScript:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The feature will be removed:DeprecationWarning")
def test_exported_network_agrees_with_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net = BlendNet().eval()
    path = tmp_path / "net.onnx"
    sha256 = to_onnx(net, path)
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]
    x = np.random.default_rng(0).uniform(0, 255, (4, 3, SIZE, SIZE)).astype(np.float32)
    with torch.no_grad():
        logit, maps = Exported(net).eval()(torch.from_numpy(x))
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(["logit", "maps"], {"image": x})
    assert found[0].shape == (4,) and found[1].shape == (4, 2, MAP, MAP)
    assert np.abs(found[0] - logit.numpy()).max() < 1e-4
    assert np.abs(found[1] - maps.numpy()).max() < 1e-4
    alone = session.run(["logit"], {"image": x[:1]})[0]
    assert np.abs(alone - found[0][:1]).max() < 1e-4
