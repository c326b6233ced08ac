"""Fit the calibration of the verdict on labelled clips that no detector was trained on.

``python -m forensics.training.calibrate clips/calibrate/manifest.jsonl --work runs/looks``

Needed whenever a detector, its weights or the default set changes. With ``--work`` the crops of
every clip are kept, so that a new fit after new weights only scores them again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.progress import track

from forensics.detectors import Detector, create_detector, list_detectors
from forensics.errors import UnreadableInputError, UsageError
from forensics.evaluation.manifest import Row, read_manifest
from forensics.faces import FaceFinder, FaceMesh
from forensics.training.fusion import Measured, calibrate
from forensics.training.looks import (
    look,
    measure,
    stills_of,
    stored_measure,
    stored_stills,
)
from forensics.verdict.calibration import Calibration

LEADING = "blend"
MISS_SHARE = 0.05
TARGET_FPR = 0.04
POPULATION = (
    "animated portraits of held-out people, plain, treated as apps do, behind things and through "
    "poor channels (noise, lost blocks, other contrast), and fakes made of them, H.264 CRF 18-43; "
    "the threshold for suspicion also holds on recordings of six speakers of the GRID corpus"
)


def load_detectors(names: Sequence[str] | None = None) -> list[Detector]:
    """Return the named detectors, the default set when None, the leading one first."""
    chosen = list(names) if names is not None else list_detectors(default=True)
    chosen.sort(key=lambda name: name != LEADING)
    return [create_detector(name) for name in chosen]


def measure_rows(
    rows: Iterable[Row],
    detectors: Sequence[Detector],
    *,
    store: Path | None = None,
    frames: int = 32,
    bursts: int = 4,
    skip: Callable[[Row], None] | None = None,
    stills: bool = False,
) -> list[Measured]:
    """Measure the most visible face of every clip.

    Args:
        rows: Of a manifest.
        detectors: To run.
        store: Folder in which the crops of every clip are kept, or None.
        frames: Pictures to look at in each clip.
        bursts: Bursts among them.
        skip: Called with each row that has no usable face or cannot be read.
        stills: Measure single pictures with the first detector too, as stills are.
    """
    models = (FaceFinder(), FaceMesh())
    alone = detectors[0] if stills and detectors[0].input == "face_crops" else None
    if store is not None:
        store.mkdir(parents=True, exist_ok=True)
    clips = []
    for row in rows:
        try:
            single = np.zeros(0)
            if store is None:
                seen = look(row.resolved, models, frames=frames, bursts=bursts)
                found = None if seen is None else measure(seen, detectors)
                if seen is not None and alone is not None:
                    single = stills_of(seen, alone)
            else:
                found = stored_measure(
                    row.resolved, models, store, detectors, frames=frames, bursts=bursts
                )
                if found is not None and alone is not None:
                    single = stored_stills(
                        row.resolved, models, store, alone, frames=frames, bursts=bursts
                    )
        except (UnreadableInputError, FileNotFoundError):
            found = None
        if found is None:
            if skip is not None:
                skip(row)
            continue
        logits, context = found
        clips.append(
            Measured(
                logits, context, row.label == "fake", row.group, row.method or "", row.path,
                tuple(map(float, single)),
            )
        )
    return clips


def state_error_rate(card: Path, fitted: Calibration) -> None:
    """Write the known error rates into the card of the leading weights, if it is there.

    A card of other weights is left alone.
    """
    facts = json.loads(card.read_text(encoding="utf-8")) if card.exists() else {}
    if facts.get("sha256") == fitted.weights_sha256.get(fitted.leading, ""):
        facts["error_rates"] = fitted.error_rates
        card.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def main(
    manifest: Annotated[Path, typer.Argument(help="Clips with labels and groups.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path(
        "forensics/weights/calibration.json"
    ),
    work: Annotated[Path | None, typer.Option(help="Folder for crops; kept.")] = None,
    population: Annotated[str, typer.Option(help="What the clips are.")] = POPULATION,
    target_fpr: Annotated[float, typer.Option(help="Default false-alarm target.")] = TARGET_FPR,
    miss_share: Annotated[float, typer.Option(help="Fakes that may be cleared.")] = MISS_SHARE,
    frames: Annotated[int, typer.Option(help="Pictures of each clip.")] = 8,
    bursts: Annotated[int, typer.Option(help="Bursts of each clip.")] = 2,
    filmed: Annotated[
        Path | None, typer.Option(help="Real recordings on which the thresholds hold too.")
    ] = None,
) -> None:
    """Fit the calibration and write it as JSON."""
    cv2.setNumThreads(1)
    detectors = load_detectors()
    unusable: list[Row] = []
    clips = measure_rows(
        track(read_manifest(manifest).rows, description="measuring"), detectors, store=work,
        frames=frames, bursts=bursts, skip=unusable.append, stills=True,
    )
    recordings = [] if filmed is None else measure_rows(
        read_manifest(filmed).rows, detectors, store=work, frames=frames, bursts=bursts,
        stills=True,
    )
    try:
        fitted = calibrate(
            clips, detectors, population=population, target_fpr=target_fpr,
            miss_share=miss_share, filmed=recordings,
        )
    except ValueError as error:
        raise UsageError(f"{manifest}: {error}") from error
    out.write_text(fitted.to_json(), encoding="utf-8")
    state_error_rate(out.with_name(f"{fitted.leading}.json"), fitted)
    print(f"{len(clips)} clips, {len(unusable)} without a usable face")
    print(json.dumps(fitted.error_rates, indent=1))


if __name__ == "__main__":
    typer.run(main)
