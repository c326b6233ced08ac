"""What each step of the training buys: the trainings differ in one thing, and the rows say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks._results import write_result
from benchmarks.ablation import recipe
from benchmarks.tables import render
from forensics.training.degrade import Chain
from forensics.training.fusion import Measured
from forensics.verdict.calibration import Context

_CHAIN = Chain(
    crop=np.eye(2, 3), width=60, size=128, light=np.ones((3, 3), np.float32), gain=0.4, gamma=1.2,
    tint=(1.1, 1.0, 0.9), blur=1.0, motion=(5, 30.0), sharpen=0.5, noise=4.0, seed=1,
    codecs=(("h264", 30),), mirror=False, gray=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("light", {"light": None, "gamma": 1.0, "tint": (1.0, 1.0, 1.0)}),
        ("dark", {"gain": 0.75}),
        ("blur", {"blur": 0.0, "motion": (0, 0.0)}),
        ("noise", {"noise": 0.0}),
        ("size", {"width": 110}),
        ("codecs", {"codecs": ()}),
        ("full", {}),
    ],
)
def test_a_step_takes_its_own_thing_out_of_a_chain_and_no_other(
    name: str, changed: dict[str, Any]
) -> None:
    setting = recipe.Trimmed(trim=recipe.STEPS[name].trim)
    found = setting.disturb(_CHAIN, np.random.default_rng(0))
    wanted = replace(_CHAIN, **changed)
    for key in ("width", "gain", "gamma", "tint", "blur", "motion", "noise", "codecs", "light"):
        assert getattr(found, key) is getattr(wanted, key) or (
            getattr(found, key) == getattr(wanted, key)
        ), key


def test_every_training_but_the_first_goes_without_exactly_one_thing() -> None:
    first, *others = recipe.STEPS.values()
    assert first.without == "nothing" and not first.source and not first.setting
    for step in others:
        trimmed = step.trim(_CHAIN) is not _CHAIN
        assert trimmed + len(step.source) + len(step.setting) == 1, step.without


def _clips() -> list[Measured]:
    return [
        Measured({}, Context(0.0), fake, f"p{i // 2}", path=f"p{i}_{scene}_x.mp4")
        for i, (fake, scene) in enumerate(
            (fake, scene) for _ in range(6) for scene in recipe.SCENES for fake in (False, True)
        )
    ]


def test_what_a_step_buys_is_what_the_full_training_scores_more(tmp_path: Path) -> None:
    clips = _clips()
    good = [1.0 * clip.fake for clip in clips]
    blind = [float(i % 3) for i in range(len(clips))]
    full, other = recipe.figures(clips, {"full": good, "noise": blind}, 50)
    assert full["auc"] == 1.0 and full["bought"] is None
    assert set(full["scenes"]) == set(recipe.SCENES)
    assert other["bought"]["gain"] == pytest.approx(1.0 - other["auc"])
    assert other["without"] == "sensor noise"
    assert (other["n_real"], other["n_fake"]) == (24, 24)
    write_result("recipe", {"trainings": [full, other], "pairs": 80, "side": 128}, tmp_path)
    told = render("<!-- figures: recipe -->\n<!-- /figures -->\n", tmp_path)
    assert "| sensor noise |" in told and "80 pairs" in told


def test_a_training_learns_from_its_pairs() -> None:
    dark = np.full((128, 128, 3), 40, np.uint8)
    pair = SimpleNamespace(real=dark, fake=np.full_like(dark, 220))
    told: list[str] = []
    net = recipe.train_one(SimpleNamespace(draw=lambda seed: pair), 30, told.append)  # type: ignore[arg-type]
    assert recipe.mean_logit(net, np.stack([pair.fake] * 6)) > recipe.mean_logit(net, dark[None])
