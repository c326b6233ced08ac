"""The style network trains, is kept with its consent, and repaints through the common call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from forensics.errors import UnreadableInputError, UsageError
from generator.consent import ConsentRecord

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

CONSENT = ConsentRecord("A", "self", "tests", "2026-01-01")


class TinyJudge(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Stands in for the ImageNet network: fixed random filters at two scales."""

    def __init__(self) -> None:
        from generator.style_features import FeatureSpec

        super().__init__()
        torch.manual_seed(1)
        self.one = torch.nn.Conv2d(3, 8, 3, 2, 1)
        self.two = torch.nn.Conv2d(8, 8, 3, 2, 1)
        self.requires_grad_(False)
        self.sha256 = "0" * 64
        self.spec = FeatureSpec(
            "tiny", torch.nn.ModuleDict, style=("one",), content="two",
            mean=(0, 0, 0), std=(1, 1, 1), licence="",
        )  # fmt: skip

    def forward(self, x: Any) -> dict[str, Any]:
        one = self.one(x)
        return {"one": one, "two": self.two(torch.relu(one))}


def pictures(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.uniform(40, 220, (n, 6, 6, 3)).astype(np.float32)
    return np.stack([cv2.resize(p, (32, 32)) for p in small]).astype(np.uint8)


@pytest.fixture(scope="module")
def trained() -> tuple[Any, dict[str, Any]]:
    from generator.style_net import StyleConfig
    from generator.style_train import train_style

    config = StyleConfig(size=32, width=4, blocks=1, batch=4, steps=25, seed=3)
    return train_style(pictures(2, 0), pictures(6, 1), config, features=TinyJudge())


def test_style_loss_falls_and_seed_repeats(trained: tuple[Any, dict[str, Any]]) -> None:
    from generator.style_net import StyleConfig
    from generator.style_train import train_style

    _, facts = trained
    assert facts["steps"] == 25
    assert facts["last"]["style"] < facts["first"]["style"]
    config = StyleConfig(size=32, width=4, blocks=1, batch=4, steps=3, seed=3)
    _, short = train_style(pictures(2, 0), pictures(6, 1), config, features=TinyJudge())
    assert short["first"] == facts["first"]


def test_network_starts_as_the_identity() -> None:
    from generator.style_net import StyleNet, repaint

    faces = pictures(2, 4)
    same = repaint(StyleNet(4, 1).eval(), faces)
    assert np.abs(same.astype(int) - faces).max() <= 3


def test_patch_loss_prefers_near_patches() -> None:
    from generator.style_net import patch_loss

    base = torch.randn(1, 4, 12, 12, generator=torch.Generator().manual_seed(0))
    same = float(patch_loss(base, base, 1))
    near = float(patch_loss(base, base.roll(1, 3), 1))
    far = float(patch_loss(base, base.roll(5, 3), 1))
    assert same < 1e-5 < near < far


def test_saved_network_is_the_method(tmp_path: Path, trained: tuple[Any, dict[str, Any]]) -> None:
    from generator.methods import AlignedFace, create_method
    from generator.methods.style import save_style

    save_style(tmp_path / "m", *trained, consent=CONSENT)
    method = create_method("style", model=tmp_path / "m")
    angle = np.linspace(0, 2 * np.pi, 468)
    mesh = np.stack([128 + 60 * np.cos(angle), 128 + 70 * np.sin(angle), 0 * angle], axis=1)
    crop = cv2.resize(pictures(1, 9)[0], (256, 256))
    face = AlignedFace(crop, mesh=mesh.astype(np.float32))
    out = method.swap_face(face)
    assert out.face.shape == (256, 256, 3) and not out.finished
    assert np.array_equal(out.face[:40], crop[:40])
    assert out.mask[0, 0] == 0
    said = method.describe()
    assert said["consent_sha256"] == CONSENT.sha256 and said["feature_network"] == "tiny"
    weights = tmp_path / "m" / "style.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    with pytest.raises(UnreadableInputError, match="damaged"):
        create_method("style", model=tmp_path / "m")


def test_refusals(tmp_path: Path) -> None:
    from generator.methods import create_method
    from generator.style_features import Features
    from generator.style_train import train_style

    with pytest.raises(UsageError, match="--model"):
        create_method("style")
    with pytest.raises(UnreadableInputError, match="no style network"):
        create_method("style", model=tmp_path)
    with pytest.raises(UsageError, match="'vgg99'"):
        Features("vgg99")
    with pytest.raises(UsageError, match="of your own"):
        Features("vgg19")
    with pytest.raises(UsageError, match="source"):
        train_style(np.zeros((0, 64, 64, 3), np.uint8), pictures(1, 0))
