"""What each step of the training bought: ``python -m benchmarks.ablation.recipe --shared S ...``.

A small classifier is trained from ImageNet weights once with everything that training does to
portraits, and once without each step, on as many pairs drawn from the same seed. All are scored
on clips of the validation people, so these rows are no test. A few minutes of a core for each:
what the full recipe gains over hours is more, and steps that cost at first may pay later.

What is trained and scored is kept in ``--work``; an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks._journal import Journal
from benchmarks._results import RESULTS, show, write_result
from benchmarks.ablation.run import Scored, gain, looks_of
from benchmarks.peers.networks import Design, PeerNet, build
from benchmarks.peers.train import BATCH, draw_batch
from benchmarks.tables import interval
from forensics.evaluation.metrics import roc_auc
from forensics.training.allocator import keep_memory
from forensics.training.degrade import Chain
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import Material
from forensics.training.fusion import Measured
from forensics.training.occluders import load_templates
from forensics.training.pairs import PairSource
from forensics.training.portraits import load_cache
from forensics.training.setting import Setting

_DESIGN = Design("tf_efficientnet_lite0", True, None, 5e-4, 128, False)
_WARM = 20
_SEED = 47
_CROPS = 4  # of each clip
_FULL = {"mild": 0.5, "filmed": 0.1}
_SETTING = {"covered": 0.25, "treated": 0.2, "disturbed": 0.25, "lit": 0.3}
SCENES = ("plain", "hard", "covered", "disturbed")

Trim = Callable[[Chain], Chain]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed(Setting):
    """A setting after which one thing is taken out of every chain.

    Attributes:
        trim: Takes it out.
    """

    trim: Trim = lambda chain: chain

    def disturb(self, chain: Chain, rng: np.random.Generator) -> Chain:
        """Return the chain without that thing."""
        return self.trim(Setting.disturb(self, chain, rng))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one training goes without.

    Attributes:
        without: In words.
        trim: What is taken out of every chain.
        source: Other arguments of `PairSource`.
        setting: Other shares of `Setting`.
    """

    without: str
    trim: Trim = lambda chain: chain
    source: Mapping[str, Any] = field(default_factory=dict)
    setting: Mapping[str, float] = field(default_factory=dict)


def _wider(chain: Chain) -> Chain:
    return replace(chain, width=max(chain.width, 110))


STEPS: dict[str, Step] = {
    "full": Step(without="nothing"),
    "families": Step(without="fakes but self-blends", source={"shares": {"self_blended": 1.0}}),
    "poses": Step(without="turned heads, moved faces", source={"turned": 0.0}),
    "light": Step(
        without="other light, tint and tone",
        trim=lambda c: replace(c, light=None, gamma=1.0, tint=(1.0, 1.0, 1.0), gray=False),
    ),
    "lamps": Step(without="lamps of several colours", setting={"lit": 0.0}),
    "dark": Step(without="low light", trim=lambda c: replace(c, gain=max(c.gain, 0.75))),
    "blur": Step(
        without="defocus and motion blur", trim=lambda c: replace(c, blur=0.0, motion=(0, 0.0))
    ),
    "noise": Step(without="sensor noise", trim=lambda c: replace(c, noise=0.0)),
    "size": Step(without="low resolution", trim=_wider),
    "codecs": Step(without="codecs", trim=lambda c: replace(c, codecs=())),
    "footage": Step(without="portraits coded before faking", source={"filmed": 0.0}),
    "things": Step(without="things before the face", setting={"covered": 0.0}),
    "apps": Step(without="app filters, other contrast", setting={"treated": 0.0}),
    "channel": Step(without="much noise, MPEG-4, lost blocks", setting={"disturbed": 0.0}),
}
"""Every training by name, the one that goes without nothing first."""


def train_one(source: PairSource, steps: int, told: Callable[[str], None]) -> PeerNet:
    """Train the small classifier on so many steps of pairs."""
    torch.manual_seed(_SEED)
    net = build(_DESIGN).train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=_DESIGN.rate, weight_decay=1e-4)
    loss_of = nn.BCEWithLogitsLoss()
    y = torch.tensor([0.0, 1.0]).repeat(BATCH)
    losses: list[float] = []
    for step in range(steps):
        ramp = min((step + 1) / _WARM, 0.5 * (1 + math.cos(math.pi * step / steps)))
        for group in optimiser.param_groups:
            group["lr"] = _DESIGN.rate * ramp
        loss = loss_of(net(draw_batch(source, step, _SEED)), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        if (step + 1) % 50 == 0:
            told(f"step {step + 1} of {steps}, loss {np.mean(losses[-50:]):.3f}")
    return net.eval()


@torch.inference_mode()
def mean_logit(net: PeerNet, crops: NDArray[np.uint8]) -> float:
    """Score a clip by the mean logit of a few of its crops."""
    side = (_DESIGN.side, _DESIGN.side)
    chosen = np.linspace(0, len(crops) - 1, min(_CROPS, len(crops))).astype(int)
    small = [
        cv2.resize(np.ascontiguousarray(crops[i]), side, interpolation=cv2.INTER_AREA)
        for i in chosen
    ]
    x = torch.from_numpy(np.stack(small).transpose(0, 3, 1, 2).copy()).float()
    return float(net(x.contiguous(memory_format=torch.channels_last)).mean())


def figures(
    clips: Sequence[Measured], scores: Mapping[str, Sequence[float]], replicates: int
) -> list[dict[str, Any]]:
    """Return a row for each training: its AUC, by scene too, and what its step buys.

    Args:
        clips: The clips that were scored.
        scores: Of each training, in the clips' order; ``full`` is one of them.
        replicates: Bootstrap replicates over people.
    """
    full = Scored(clips, np.array(scores["full"], np.float64))
    fake = np.array([clip.fake for clip in clips])
    rows = []
    for name, values in scores.items():
        one = Scored(clips, np.array(values, np.float64))
        scenes = {}
        for scene in SCENES:
            kept = np.array([f"{scene}_" in clip.path for clip in clips])
            value = roc_auc(one.scores[kept], fake[kept]).value if kept.any() else None
            if value is not None:  # a scene of one label alone ranks nothing
                scenes[scene] = value
        rows.append({
            "name": name, "without": STEPS[name].without, **one.figures(replicates),
            "scenes": scenes,
            "bought": None if name == "full" else gain(one, full, replicates),
        })  # fmt: skip
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation.recipe",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/occluders")
    parser.add_argument("--cache", type=Path, required=True, help="portrait cache")
    parser.add_argument("--clips", type=Path, required=True, help="manifest of validation people")
    parser.add_argument("--work", type=Path, required=True, help="folder for looks and scores")
    parser.add_argument("--steps", type=int, default=120, help=f"of {BATCH} pairs, of each")
    parser.add_argument("--replicates", type=int, default=1000, help="bootstrap replicates")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    cv2.setNumThreads(1)
    keep_memory()
    portraits = load_cache(options.cache, ["train"])
    material = Material(portraits, Eigenfaces(portraits))
    things = load_templates(options.shared / "data" / "occluders", "train")
    looks = options.work / "looks"
    looks.mkdir(parents=True, exist_ok=True)
    clips, crops = looks_of(options.clips, looks)
    facts = [_SEED, options.steps, _FULL, _SETTING, [clip.path for clip in clips]]
    journal = Journal(options.work / "scores", ["recipe", *facts])
    scores: dict[str, list[float]] = dict(journal.rows)
    for name, step in STEPS.items():
        if name not in scores:
            setting = Trimmed(things=things, trim=step.trim, **{**_SETTING, **step.setting})
            source = PairSource(portraits, material, size=_DESIGN.side, setting=setting,
                                **{**_FULL, **step.source})  # fmt: skip
            net = train_one(source, options.steps,
                            lambda said, name=name: print(f"{name}: {said}", flush=True))
            scores[name] = [mean_logit(net, c) for c in crops]
            journal.add([name, scores[name]])
    rows = figures(clips, scores, options.replicates)
    show(
        f"Trainings of {options.steps * BATCH} pairs, validation people",
        ("without", "AUC [95 %]", *SCENES, "the step buys [95 %]"),
        [
            (r["without"], interval(r["auc"], r["auc_interval"]),
             *(f"{r['scenes'][s]:.3f}" if s in r["scenes"] else "-" for s in SCENES),
             "-" if r["bought"] is None else interval(
                 r["bought"]["gain"], (r["bought"]["low"], r["bought"]["high"])))
            for r in rows
        ],
    )  # fmt: skip
    result = {"steps": options.steps, "pairs": options.steps * BATCH, "seed": _SEED,
              "side": _DESIGN.side, "crops": _CROPS, "trainings": rows}  # fmt: skip
    print(write_result("recipe", result, options.out))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
