"""What happens before the first step: who is trained on, may they be, and with which settings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import UsageError
from generator.checkpoint import Card
from generator.consent import load_consent
from generator.faceset import FaceEntry, FaceSet
from generator.models import model_config
from generator.occlude import Occluder, load_occluders
from generator.occluded_pairs import small_templates
from generator.occluder_split import for_training
from generator.train_config import LIMITS, TrainConfig


def describe_person(faceset: FaceSet, consent: Path | None) -> dict[str, Any]:
    """Card entry of one person; refuses without consent."""
    record = load_consent(consent or faceset.consent)
    rows = [(e.source_sha256, e.face.pts, e.face.crop) for e in faceset.faces]
    digest = hashlib.sha256()
    for source, pts, crop in rows:
        digest.update(f"{source} {pts:.6f}".encode())
        digest.update(crop.tobytes())
    return {
        "name": record.subject,
        "consent_sha256": record.sha256,
        "sources_sha256": sorted({source for source, _, _ in rows if source}),
        "faces": len(rows),
        "faces_sha256": digest.hexdigest(),
    }


def check_people(
    facesets: Sequence[FaceSet], config: TrainConfig, overrides: dict[str, Any]
) -> None:
    """Refuse the wrong number of people, and people with too few faces."""
    wanted = model_config(config.model, like=config.like, **overrides).identities
    if len(facesets) != wanted:
        raise UsageError(
            f"model {config.model!r} learns {wanted} people, got {len(facesets)}: give "
            + ("two face sets, A and B" if wanted == 2 else f"{wanted} face set(s)")
        )
    for faceset in facesets:
        if len(faceset) < config.min_faces:
            raise UsageError(
                f"{faceset.path}: {len(faceset)} faces are too few, at least "
                f"{config.min_faces} are needed (extract from a longer clip)"
            )


def check_different(facesets: Sequence[FaceSet]) -> None:
    """Refuse one identity on both sides: sets that share a clip.

    Raises:
        UsageError: Two of them do.
    """
    seen: dict[str, Path] = {}
    for faceset in facesets:
        for source in {entry.source_sha256 for entry in faceset.faces} - {""}:
            if source in seen:
                raise UsageError(
                    f"{faceset.path}: comes from the same clip as {seen[source]}; A and B have to "
                    "be two people"
                )
        seen |= {entry.source_sha256: faceset.path for entry in faceset.faces}


def doubts(facesets: Sequence[FaceSet]) -> list[str]:
    """Say what `extract` found suspicious about the sets."""
    return [
        f"{faceset.path}: looks like two people mixed; see contact.png, and the sources named in "
        "index.json"
        for faceset in facesets
        if faceset.report.get("identity", {}).get("two_people_likely")
    ]


def settled(card: Card, config: TrainConfig) -> TrainConfig:
    """Settings of a checkpoint, with today's limits."""
    try:
        fixed = [f.name for f in fields(TrainConfig) if f.name not in LIMITS]
        raw = {name: card.training[name] for name in fixed}
        raw |= {name: getattr(config, name) for name in LIMITS}
        raw["betas"] = tuple(raw["betas"])
        if raw["model"] != config.model:
            raise UsageError(
                f"the checkpoint holds model {raw['model']!r}, not {config.model!r}; give "
                "another --out"
            )
        return TrainConfig(**raw)
    except (KeyError, TypeError) as error:
        raise UsageError(f"the checkpoint lacks settings ({error}); give another --out") from error


def templates_of(config: TrainConfig, mask: bool) -> list[Occluder]:
    """Return the photographed things that training may see.

    Raises:
        UsageError: A folder is given for a network that has no mask branch.
    """
    if config.occluders is None:
        return []
    if not mask:
        raise UsageError(f"model {config.model!r} has no mask branch: --occluders is for `masked`")
    return small_templates(for_training(load_occluders(Path(config.occluders))))


def hold_out(faceset: FaceSet) -> tuple[list[FaceEntry], list[FaceEntry]]:
    """Set every twentieth face (at most 16) aside for validation."""
    faces = list(faceset.faces)
    held = set(spread(len(faces), min(16, len(faces) // 20)))
    train = [f for i, f in enumerate(faces) if i not in held]
    return train, [faces[i] for i in sorted(held)] or faces[:1]


def spread(total: int, count: int) -> list[int]:
    """Up to ``count`` positions, evenly over ``total``."""
    return sorted({int(i) for i in np.linspace(0, total - 1, min(count, total))})
