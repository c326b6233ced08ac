from __future__ import annotations

import io
import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("safetensors")

from rich.console import Console  # noqa: E402
from typer import BadParameter  # noqa: E402

from forensics.detectors._normalise import normalise  # noqa: E402
from forensics.training import batches  # noqa: E402
from forensics.training import train as module  # noqa: E402
from forensics.training.batches import PairDataset, collate  # noqa: E402
from forensics.training.budget import seconds  # noqa: E402
from forensics.training.export import load_averaged, write_card  # noqa: E402
from forensics.training.fakes import Material  # noqa: E402
from forensics.training.model import MAP, SIZE  # noqa: E402
from forensics.training.pairs import PairSource  # noqa: E402
from forensics.training.recipe import Recipe  # noqa: E402
from forensics.training.train import train  # noqa: E402

pytestmark = pytest.mark.train

RECIPE = Recipe(pairs=2)


class FewChecks(PairDataset):
    """Two pairs to validate on instead of hundreds."""

    def __init__(self, source: PairSource, recipe: Recipe, first: int, steps: int) -> None:
        few = steps <= 100
        super().__init__(
            source, replace(recipe, pairs=2) if few else recipe, first, 1 if few else steps
        )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Random initial weights, few checks, one thread, and the signal handler put back."""
    torch.set_num_threads(1)
    for part in (module, batches):
        monkeypatch.setattr(part, "PairDataset", FewChecks)
    monkeypatch.setattr(module, "load_imagenet", lambda net: "none")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def facts_of(path: Path) -> dict[str, Any]:
    return load_averaged(path)[1]


def test_a_second_run_goes_on_where_the_first_stopped(
    cache: Path, tmp_path: Path, toy: None
) -> None:
    out = tmp_path / "run"
    shutil.copytree(cache, out / "cache")
    console = Console(file=io.StringIO())
    # The budget is spent as soon as one step is done.
    path = train(tmp_path, out, budget=1e-6, recipe=RECIPE, workers=0, console=console)
    first = facts_of(path)
    assert first["step"] == 1
    assert first["portraits"] == 22
    again = train(
        tmp_path, out, budget=first["spent"] + 1e-6, recipe=RECIPE, workers=0, console=console
    )
    second = facts_of(again)
    assert second["step"] == 2
    assert second["spent"] > first["spent"]
    assert [entry["step"] for entry in second["log"]] == [1, 2]
    assert "going on from step 1" in console.file.getvalue()  # type: ignore[attr-defined]
    assert json.loads((out / "log.json").read_text(encoding="utf-8"))["step"] == 2

    card = tmp_path / "card.json"
    write_card(card, sha256="0" * 64, facts=second)
    told = json.loads(card.read_text(encoding="utf-8"))
    assert told["recipe"]["pairs"] == 2 and told["recipe"]["steps"] == 2
    assert told["stands_on"]["licences"] == ["public domain"]


def test_training_opens_no_test_portrait(
    cache: Path, tmp_path: Path, toy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fault D1: whoever trains or keeps weights by the test people flatters the figure.
    shutil.copytree(cache, tmp_path / "run" / "cache")
    asked: list[str] = []
    real = module.load_cache

    def recording(folder: Path, splits: list[str]) -> Any:
        asked.extend(splits)
        return real(folder, splits)

    monkeypatch.setattr(module, "load_cache", recording)
    console = Console(file=io.StringIO())
    train(tmp_path, tmp_path / "run", budget=1e-6, recipe=RECIPE, workers=0, console=console)
    assert set(asked) == {"train", "validate"}


def test_batches_are_a_function_of_the_step(material: Material) -> None:
    source = PairSource(material.donors, material, size=SIZE)
    whole = PairDataset(source, RECIPE, 0, 10)
    resumed = PairDataset(source, RECIPE, 3, 10)
    for a, b in zip(whole[3], resumed[0], strict=True):
        assert torch.equal(a, b)


def test_batch_layout(material: Material) -> None:
    source = PairSource(material.donors, material, size=SIZE)
    pairs = [source.draw((0, n)) for n in range(2)]
    images, labels, maps = collate(pairs)
    assert images.shape == (4, 3, SIZE, SIZE) and images.dtype == torch.uint8
    assert labels.tolist() == [0, 0, 1, 1]
    assert maps.shape == (4, 2, MAP, MAP)
    assert float(maps[:2].abs().max()) == 0.0
    assert float(maps.min()) > -1e-5 and float(maps.max()) < 1 + 1e-5
    # As the detector sees it: at usual light, contrast and sharpness.
    assert np.array_equal(images[2].numpy().transpose(1, 2, 0), normalise(pairs[0].fake))


def test_durations_are_read() -> None:
    assert [seconds(text) for text in ("90s", "1.5m", "2h")] == [90, 90, 7200]
    with pytest.raises(BadParameter, match="duration"):
        seconds("soon")
