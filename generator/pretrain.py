"""Train an encoder once over many lawful people; a new pair then needs minutes, not an hour.

The trick is the same as for two: one encoder, one decoder each, only that there are many small
decoders and every step draws a few people. The encoder meets so many faces that it describes new
ones too. `generator train A B --from-encoder FOLDER` then starts from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from forensics.errors import UsageError
from generator.checkpoint import load_tensors, read_card, save_checkpoint
from generator.faceset import FaceEntry, FaceSet, read_faceset
from generator.models import model_config
from generator.train import train
from generator.train_config import Hook, Progress, TrainConfig

ENCODER = "encoder"
"""Folder within the output that `--from-encoder` is given."""


def by_prefix(entry: FaceEntry) -> str:
    """Name the person of a portrait collection: ``012`` of ``012_smiling.jpg``."""
    return Path(entry.source).stem.split("_")[0]


def split_people(
    faceset: FaceSet, person_of: Callable[[FaceEntry], str] = by_prefix
) -> list[FaceSet]:
    """Take a set of many people's portraits apart, one set a person.

    Args:
        faceset: For example all portraits of a collection.
        person_of: Names the person of a face.
    """
    people: dict[str, list[FaceEntry]] = defaultdict(list)
    for entry in faceset.faces:
        people[person_of(entry)].append(entry)
    return [
        FaceSet(faceset.path, faces=tuple(entries), report=faceset.report)
        for _, entries in sorted(people.items())
    ]


def pretrain(
    sets: Sequence[Path | FaceSet],
    out: Path,
    config: TrainConfig | None = None,
    *,
    consent: Path | None = None,
    hook: Hook | None = None,
) -> Progress:
    """Train an encoder on many people.

    Args:
        sets: One face set a person (folders or loaded sets).
        out: Checkpoint folder; the encoder alone ends up in ``out/encoder``.
        config: Settings; its model is the one that pairs will be trained with.
        consent: A record that covers everybody; without it each set needs its own.
        hook: Called after every step.

    Raises:
        UsageError: Fewer than three people, no consent.
        UnreadableInputError: Damaged face set or checkpoint.
        OutputError: The checkpoint cannot be written.
    """
    if len(sets) < 3:
        raise UsageError(f"pretraining needs three people or more, got {len(sets)}")
    config = replace(config or TrainConfig(), min_faces=1, most_people=4)
    net = model_config(config.model, like=config.like)
    overrides = {
        "identities": len(sets),
        "decoders": len(sets),
        "decoder": tuple(max(4, width // 2) for width in net.decoder),
    }
    progress = train(
        [s if isinstance(s, FaceSet) else read_faceset(s) for s in sets],
        out,
        config,
        consent=[consent] * len(sets),
        overrides=overrides,
        hook=hook,
    )
    card, files = read_card(out)
    weights = load_tensors(out, card, files, "weights")
    encoder = {k: v for k, v in weights.items() if k.startswith("encoder.")}
    save_checkpoint(out / ENCODER, card, encoder, None)
    return progress
