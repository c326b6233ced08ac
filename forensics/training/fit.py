"""Fit the small detectors on lawful faces: ``python -m forensics.training.fit --cache CACHE``.

Each is a scikit-learn model over hand-made features, written as JSON with its card. The same
command and seed give the same models.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from forensics.detectors._bands import crop_features
from forensics.detectors._contour import contour_features
from forensics.detectors._tabular import Tabular, digest
from forensics.detectors.temporal import track_features
from forensics.evaluation.metrics import roc_auc
from forensics.training.allocator import keep_memory
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import Material
from forensics.training.footage import LICENCE, read_stretches
from forensics.training.occluders import load_templates
from forensics.training.portraits import load_cache, split_of
from forensics.training.takes import Take, TakeSource
from forensics.types import CropQuality, FaceCrops

Floats = NDArray[np.float64]
Rows = tuple[Floats, NDArray[np.bool_], list[str]]

_QUALITY = CropQuality(64.0, sharpness=2.0, exposure=0.5, yaw=0.0, mesh_confidence=1.0)


def as_crops(take: Take) -> FaceCrops:
    """Return a take as the crops of a track, bursts a second apart."""
    n = len(take.data)
    pts = np.arange(n) / 25.0 + np.arange(n) // 3
    return FaceCrops(
        0, pts=pts, data=take.data, to_frame=np.repeat(np.eye(2, 3)[None], n, axis=0),
        mesh=take.mesh, quality=(_QUALITY,) * n,
    )


def measure(takes: Sequence[Take], name: str) -> Rows:
    """Return the features of one detector with labels and methods, one row a crop or burst."""
    rows: list[Floats] = []
    fake: list[bool] = []
    methods: list[str] = []
    for take in takes:
        for row in _FEATURES[name](take):
            rows.append(row)
            fake.append(take.fake)
            methods.append(take.method)
    return np.array(rows), np.array(fake, bool), methods


def _bands(take: Take) -> Iterator[Floats]:
    yield crop_features(take.data[0])


def _contours(take: Take) -> Iterator[Floats]:
    found = contour_features(take.data[0], take.mesh[0])
    if found is not None:
        yield found


def _bursts(take: Take) -> Iterator[Floats]:
    yield from track_features(as_crops(take))[1]


_FEATURES = {"frequency": _bands, "geometry": _contours, "temporal": _bursts}
STILLS = ("frequency", "geometry")


def fit_model(x: Floats, fake: NDArray[np.bool_], *, hidden: int, seed: int = 0) -> Tabular:
    """Fit one small network, or a logistic regression when ``hidden`` is 0."""
    x = np.nan_to_num(x)
    mean, scale = x.mean(0), np.maximum(x.std(0), 1e-6)
    z = np.clip((x - mean) / scale, -8, 8)
    if not hidden:
        plain = LogisticRegression(C=0.05, max_iter=2000, class_weight="balanced").fit(z, fake)
        return Tabular(mean, scale, ((plain.coef_.T, plain.intercept_),))
    net = MLPClassifier(
        (hidden,), alpha=1.0, learning_rate_init=2e-3, max_iter=60, early_stopping=True,
        n_iter_no_change=8, random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(z, fake)
    # At even odds, as the logistic regression.
    net.intercepts_[-1] = net.intercepts_[-1] - np.log(fake.sum() / (~fake).sum())
    return Tabular(mean, scale, tuple(zip(net.coefs_, net.intercepts_, strict=True)))


def fit_detector(name: str, train: Rows, check: Rows) -> tuple[Tabular, dict[str, Any]]:
    """Fit the model that is better on the validation people.

    Returns:
        The model, and what was found on the validation people.
    """
    tried = {}
    for hidden in (0, 32):
        model = fit_model(train[0], train[1], hidden=hidden)
        tried[hidden] = (roc_auc(model.logits(check[0]), check[1]).value or 0.0, model)
    hidden, (auc, model) = max(tried.items(), key=lambda item: item[1][0])
    scores = model.logits(check[0])
    real = ~check[1]
    families = sorted({m for m, f in zip(check[2], check[1], strict=True) if f})
    by_family = {}
    for family in families:
        chosen = real | np.array([m == family for m in check[2]])
        by_family[family] = round(roc_auc(scores[chosen], check[1][chosen]).value or 0.0, 4)
    return model, {
        "hidden_units": hidden,
        "train_rows": len(train[0]),
        "validation": {
            "auc": round(auc, 4), "real": int(real.sum()), "fake": int(check[1].sum()),
            "by_family": by_family,
        },
    }


def write_model(
    folder: Path, name: str, model: Tabular, facts: dict[str, Any], licences: Sequence[str]
) -> Path:
    """Write a model with its card and return the path."""
    values = model.to_json()
    card = {
        "name": name,
        "version": "1",
        "sha256": digest(values),
        "licence": "Apache-2.0",
        "stands_on": {"licences": sorted(licences)},
        "command": "python -m forensics.training.fit",
        **facts,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(card | {"model": values}, indent=None) + "\n", encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Plan:
    """What to draw.

    Attributes:
        cache: Portrait cache.
        occluders: Folder with templates, or None.
        footage: Folder with recordings, or None.
        stills: Draws of single pictures for training; a quarter of it for validation.
        moving: Draws of bursts likewise.
        shard: Draws that are measured and stored together, so that a run can be interrupted.
    """

    cache: Path
    occluders: Path | None
    footage: Path | None
    stills: int = 1100
    moving: int = 180
    shard: int = 60


def draw_rows(plan: Plan, work: Path, *, most: int | None = None) -> bool:
    """Draw and measure what is not stored in ``work`` yet, one file a shard.

    Args:
        plan: What to draw.
        work: Folder for the measurements.
        most: Stop after so many shards.

    Returns:
        Whether everything is there.
    """
    work.mkdir(parents=True, exist_ok=True)
    todo = [job for job in _jobs(plan) if not (work / f"{job[0]}-{job[1]}-{job[2]}.npz").exists()]
    sources: dict[str, TakeSource] = {}
    coder = Eigenfaces(load_cache(plan.cache, ["train"])) if todo else None
    for split, kind, start in track(todo[:most], description="shards"):
        assert coder is not None
        if split not in sources:
            portraits = load_cache(plan.cache, [split])
            things = load_templates(plan.occluders, "train")
            sources[split] = TakeSource(portraits, Material(portraits, coder), things, "train")
        takes = _takes(sources[split], plan, split, kind, start)
        names = ("temporal",) if kind != "stills" else STILLS
        arrays: dict[str, Any] = {}
        for name in names:
            rows, fake, methods = measure(takes, name)
            arrays |= {f"{name}_x": rows, f"{name}_fake": fake, f"{name}_method": methods}
        np.savez(work / f"{split}-{kind}-{start}.npz", **arrays)
    return len(todo) <= (len(todo) if most is None else most)


def _jobs(plan: Plan) -> list[tuple[str, str, int]]:
    jobs = []
    for split, part in (("train", 1), ("validate", 4)):
        jobs += [(split, "stills", n) for n in range(0, plan.stills // part, plan.shard)]
        jobs += [(split, "moving", n) for n in range(0, plan.moving // part, plan.shard // 2)]
        if plan.footage is not None:
            jobs.append((split, "footage", 0))
    return jobs


def _takes(source: TakeSource, plan: Plan, split: str, kind: str, start: int) -> list[Take]:
    base = start + (0 if split == "train" else 10_000_000)
    if kind == "stills":
        return [t for n in range(plan.shard) for t in source.stills(base + n, covered=0.15)]
    if kind == "moving":
        return [t for n in range(plan.shard // 2) for t in source.moving(base + n)]
    assert plan.footage is not None
    paths = [p for p in sorted(plan.footage.iterdir()) if split_of(f"grid/{p.stem}") == split]
    takes = []
    for number, stretch in enumerate(read_stretches(paths, count=10, length=12)):
        takes += source.moving(base + 5_000_000 + number, stretch.frames, stretch.identity)
    return takes


def read_rows(work: Path, split: str, name: str) -> Rows:
    """Read the stored measurements of one detector."""
    parts = [np.load(path) for path in sorted(work.glob(f"{split}-*.npz"))]
    parts = [part for part in parts if f"{name}_x" in part and len(part[f"{name}_x"])]
    return (
        np.concatenate([part[f"{name}_x"] for part in parts]),
        np.concatenate([part[f"{name}_fake"] for part in parts]),
        [str(m) for part in parts for m in part[f"{name}_method"]],
    )


def fit_all(work: Path, out: Path, names: Sequence[str], licences: Sequence[str]) -> dict[str, Any]:
    """Fit the named detectors on stored measurements, write them, and return what was found."""
    found = {}
    for name in names:
        train, check = (read_rows(work, split, name) for split in ("train", "validate"))
        model, facts = fit_detector(name, train, check)
        write_model(out, name, model, facts, licences)
        found[name] = facts
    return found


def main(
    cache: Annotated[Path, typer.Option(help="Portrait cache of the training run.")],
    work: Annotated[Path, typer.Option(help="Folder for measurements; a run goes on from it.")],
    out: Annotated[Path, typer.Option(help="Folder for the models.")] = Path("forensics/weights"),
    occluders: Annotated[Path | None, typer.Option(help="Folder with masks/, glasses/.")] = None,
    footage: Annotated[Path | None, typer.Option(help="Folder with recordings.")] = None,
    stills: Annotated[int, typer.Option(help="Draws of single pictures.")] = 1100,
    moving: Annotated[int, typer.Option(help="Draws of bursts.")] = 180,
    names: Annotated[str, typer.Option(help="Detectors.")] = "frequency,geometry,temporal",
    most: Annotated[int | None, typer.Option(help="Stop after so many shards.")] = None,
) -> None:
    """Fit the small detectors and write them with their cards."""
    keep_memory()
    cv2.setNumThreads(1)
    plan = Plan(cache, occluders, footage, stills, moving)
    if not draw_rows(plan, work, most=most):
        print("more shards are left; the same command goes on")
        return
    rows = json.loads((cache / "portraits.json").read_text(encoding="utf-8"))["portraits"]
    licences = {row["licence"] for row in rows} | (set() if footage is None else {LICENCE})
    print(json.dumps(fit_all(work, out, names.split(","), sorted(licences)), indent=1))


if __name__ == "__main__":
    typer.run(main)
