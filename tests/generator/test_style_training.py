"""The style route from face sets: trains, goes on after an interruption, refuses what is unfit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from forensics.errors import UnreadableInputError, UsageError  # noqa: E402
from generator.methods import create_method  # noqa: E402
from generator.style_features import FeatureSpec  # noqa: E402
from generator.style_net import StyleConfig  # noqa: E402
from generator.style_train import STATE, train_style_sets  # noqa: E402
from generator.train_config import Progress  # noqa: E402
from tests.generator.conftest import draw_face, make_set  # noqa: E402

SMALL = StyleConfig(size=32, width=4, blocks=1, batch=4, steps=12, seed=3)
People = tuple[Path, Path]


class Judge(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Stands in for the ImageNet network: fixed random filters at two scales."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.one = torch.nn.Conv2d(3, 8, 3, 2, 1)
            self.two = torch.nn.Conv2d(8, 8, 3, 2, 1)
        self.requires_grad_(False)
        self.sha256 = "0" * 64
        self.spec = FeatureSpec(
            "random", torch.nn.ModuleDict, style=("one",), content="two",
            mean=(0, 0, 0), std=(1, 1, 1), licence="",
        )  # fmt: skip

    def forward(self, x: Any) -> dict[str, Any]:
        one = self.one(x)
        return {"one": one, "two": self.two(torch.relu(one))}


def weights(folder: Path) -> bytes:
    return (folder / "style.safetensors").read_bytes()


def run(people: People, out: Path, **changes: Any) -> Progress:
    config = StyleConfig(**{**{f: getattr(SMALL, f) for f in SMALL.__slots__}, **changes})
    return train_style_sets(people, out, config, features=Judge())


def test_it_goes_on_as_if_nothing_had_happened(people: People, tmp_path: Path) -> None:
    whole = run(people, tmp_path / "whole")
    run(people, tmp_path / "parts", steps=5)
    parts = run(people, tmp_path / "parts")
    assert (whole.step, parts.step, parts.stopped) == (12, 12, "steps done")
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")
    card = json.loads((tmp_path / "parts" / "style.json").read_text())
    assert card["steps"] == 12
    assert card["subject"] == "b"
    assert card["last"]["style"] < card["first"]["style"]
    assert all((tmp_path / "parts" / n).stat().st_size > 500 for n in ("preview.png", "loss.png"))
    face = draw_face(np.random.default_rng(0), (224, 172, 140))
    method = create_method("style", model=tmp_path / "parts")
    assert not np.array_equal(method.swap_face(face).face, face.crop)


def test_an_interruption_saves(people: People, tmp_path: Path) -> None:
    def hook(progress: Progress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    out = tmp_path / "m"
    progress = train_style_sets(people, out, SMALL, features=Judge(), hook=hook)
    assert (progress.step, progress.stopped) == (3, "interrupted")
    assert run(people, out).step == 12


@pytest.mark.parametrize("cut", [True, False])
def test_a_corrupt_state_is_named(people: People, tmp_path: Path, cut: bool) -> None:
    run(people, tmp_path / "m", steps=2)
    path = tmp_path / "m" / STATE
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content[:-9] if cut else content)
    with pytest.raises(UnreadableInputError, match="corrupt checkpoint"):
        run(people, tmp_path / "m")


def test_what_is_unfit_is_refused(people: People, tmp_path: Path) -> None:
    run(people, tmp_path / "m", steps=1)
    with pytest.raises(UsageError, match="other faces or settings"):
        run((people[1], people[0]), tmp_path / "m")
    with pytest.raises(UsageError, match="other faces or settings"):
        run(people, tmp_path / "m", seed=9)
    with pytest.raises(UsageError, match="last the source"):
        train_style_sets(people[:1], tmp_path / "n", SMALL, features=Judge())
    make_set(tmp_path / "c", "c", consent=False)
    with pytest.raises(UsageError, match="generator consent new"):
        train_style_sets([people[0], tmp_path / "c"], tmp_path / "n", SMALL, features=Judge())
    make_set(tmp_path / "few", "f", 2)
    with pytest.raises(UsageError, match="too few"):
        train_style_sets([people[0], tmp_path / "few"], tmp_path / "n", SMALL, features=Judge())
    assert not (tmp_path / "n").exists()
