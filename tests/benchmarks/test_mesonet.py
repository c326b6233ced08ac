from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forensics.errors import UnreadableInputError

pytestmark = pytest.mark.train
h5py = pytest.importorskip("h5py")
torch = pytest.importorskip("torch")

from benchmarks.accuracy import mesonet  # noqa: E402

KINDS = (("Conv2d", "conv2d"), ("BatchNorm2d", "batch_normalization"), ("Linear", "dense"))
KERAS = {
    "Conv2d": {"weight": "kernel", "bias": "bias"},
    "Linear": {"weight": "kernel", "bias": "bias"},
    "BatchNorm2d": {
        "weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
        "running_var": "moving_variance",
    },
}  # fmt: skip


def write_keras(path: Path, network: torch.nn.Module) -> None:
    """Store a network as Keras would, layers numbered from 5 in order of creation."""
    with h5py.File(path, "w") as file:
        for cls, kind in KINDS:
            modules = [m for m in network.modules() if type(m).__name__ == cls]
            for number, module in enumerate(modules, 5):
                name = f"{kind}_{number}"
                for ours, theirs in KERAS[cls].items():
                    array = getattr(module, ours).detach().numpy()
                    order = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[array.ndim]
                    file[f"{name}/{name}/{theirs}:0"] = array.transpose(order)


@pytest.mark.parametrize("name", ["Meso4", "MesoInception"])
def test_weights_come_back_in_order(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    network = mesonet.NETWORKS[name]().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    path = tmp_path / f"{name}_X.h5"
    write_keras(path, network)
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    x = torch.from_numpy(image).permute(2, 0, 1)[None] / 255.0
    with torch.inference_mode():
        real = float(network(x))
    scored = mesonet.MesoNetScorer(path).score_crop(image)
    assert scored.score == pytest.approx(-real, abs=1e-5)
    assert scored.probability == pytest.approx(1 / (1 + np.exp(real)), abs=1e-5)


def test_flatten_puts_the_channel_last() -> None:
    x = torch.arange(12.0).reshape(1, 3, 2, 2)
    assert mesonet._Flatten()(x)[0, :3].tolist() == [0.0, 4.0, 8.0]


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="no MesoNet"):
        mesonet.load_mesonet(tmp_path / "Other_X.h5")
    (tmp_path / "Meso4_X.h5").write_bytes(b"text")
    with pytest.raises(UnreadableInputError, match="not these weights"):
        mesonet.load_mesonet(tmp_path / "Meso4_X.h5")
    wrong = tmp_path / "Meso4_Y.h5"
    write_keras(wrong, mesonet.meso_inception4())
    with pytest.raises(UnreadableInputError, match="not these weights"):
        mesonet.load_mesonet(wrong)
