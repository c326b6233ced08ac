"""Checkpoints: safetensors for numbers, JSON for everything else, never a pickle.

A checkpoint folder holds ``model.json`` (name, configuration, consent, hashes) and
``weights.safetensors`` (16-bit EMA weights, what a swap needs), and, while training may go on,
``state.safetensors`` (32-bit weights, EMA, both moments of Adam). ``model.json`` names the hash of
the files it belongs to and is replaced last, so it always describes a complete checkpoint.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from forensics.errors import UnreadableInputError
from generator.files import read_json, write_file, write_json
from generator.models import SwapperConfig
from generator.models._network import Swapper

SCHEMA = "swapper/1"
_WHAT = "a trained model (make one with: generator train A B --out FOLDER)"


@dataclass(frozen=True, slots=True)
class Card:
    """What a checkpoint says about itself.

    Attributes:
        name: Name of the model preset.
        config: Its numbers.
        people: One entry a person: name, consent hash, hashes of the clips.
        training: Settings and progress (step, seconds, losses), JSON-ready.
        sha256: Digest of each file of the checkpoint.
    """

    name: str
    config: SwapperConfig
    people: tuple[dict[str, Any], ...]
    training: dict[str, Any] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)


def file_sha256(path: Path) -> str:
    """Return the hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def save_checkpoint(
    folder: Path, card: Card, weights: dict[str, Tensor], state: dict[str, Tensor] | None
) -> Card:
    """Write a checkpoint; an interruption at any moment leaves the old or the new one.

    Args:
        folder: Where to.
        card: Its ``sha256`` is filled in.
        weights: EMA weights; stored in 16 bits.
        state: Everything that training needs to go on, or None for a small checkpoint.

    Raises:
        OutputError: Disk full, no permission; the old checkpoint stays.
    """
    small = {k: v.detach().to(torch.float16).contiguous() for k, v in weights.items()}
    step = int(card.training.get("step", 0))
    files = {"weights": (f"weights-{step:08d}.safetensors", small)}
    if state is not None:
        files["state"] = (f"state-{step:08d}.safetensors", state)
    hashes, names = {}, {}
    for role, (name, tensors) in files.items():
        plain = {k: v.detach().contiguous() for k, v in tensors.items()}
        write_file(folder / name, partial(_save, plain))
        hashes[role], names[role] = file_sha256(folder / name), name
    card = Card(card.name, card.config, card.people, card.training, hashes)
    content = {"schema": SCHEMA, **asdict(card), "files": names}
    write_json(folder / "model.json", content)
    # Files of earlier steps are dropped only now that nothing names them any more.
    for old in [*folder.glob("weights-*.safetensors"), *folder.glob("state-*.safetensors")]:
        if old.name not in names.values():
            old.unlink(missing_ok=True)
    return card


def _save(tensors: dict[str, Tensor], part: Path) -> None:
    try:
        save_file(tensors, part)
    except SafetensorError as error:  # how safetensors reports a full disk
        raise OSError(None, str(error)) from error


def read_card(folder: Path) -> tuple[Card, dict[str, str]]:
    """Read ``model.json`` and the names of the files that it describes.

    Raises:
        UnreadableInputError: No checkpoint, or a damaged one.
    """
    content = read_json(folder / "model.json", _WHAT)
    try:
        if content["schema"] != SCHEMA:
            raise UnreadableInputError(folder, f"checkpoint of unknown form {content['schema']!r}")
        raw: dict[str, Any] = {f.name: content["config"][f.name] for f in fields(SwapperConfig)}
        raw |= {k: tuple(v) for k, v in raw.items() if isinstance(v, list)}
        config = SwapperConfig(**raw)
        card = Card(
            str(content["name"]), config, tuple(content["people"]), dict(content["training"]),
            dict(content["sha256"]),
        )
        return card, {role: Path(name).name for role, name in content["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableInputError(folder / "model.json", f"damaged ({error})") from error


def load_tensors(folder: Path, card: Card, files: dict[str, str], role: str) -> dict[str, Tensor]:
    """Read the tensors of ``weights`` or ``state`` after checking their hash.

    Raises:
        UnreadableInputError: Missing, damaged, or not the file that the card describes.
    """
    if role not in files:
        raise UnreadableInputError(folder, f"checkpoint holds no {role}, training cannot go on")
    path = folder / files[role]
    try:
        if file_sha256(path) != card.sha256.get(role):
            raise UnreadableInputError(path, "corrupt checkpoint (the hash does not match)")
        return dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise UnreadableInputError(path, f"corrupt checkpoint ({error})") from error


def load_swapper(folder: Path) -> tuple[Swapper, Card]:
    """Load a trained network for use, in 32 bits and evaluation mode.

    Raises:
        UnreadableInputError: No checkpoint, or a damaged one.
    """
    card, files = read_card(folder)
    tensors = load_tensors(folder, card, files, "weights")
    with torch.device("meta"):
        model = Swapper(card.config)
    try:
        model.load_state_dict({k: v.float() for k, v in tensors.items()}, assign=True)
    except RuntimeError as error:
        cause = str(error).splitlines()[0]
        raise UnreadableInputError(folder, f"checkpoint does not fit its card ({cause})") from error
    return model.to(memory_format=torch.channels_last).eval(), card
