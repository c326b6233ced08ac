"""The peers: published weights, networks and baselines trained alike, and plugged-in scorers."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from forensics.errors import UnreadableInputError, UsageError
from forensics.evaluation.scorer import Scorer


class SkippedError(Exception):
    """Why a set or a peer is not measured."""


def peers_of(
    shared: Path, trained: Path | None, plugs: Sequence[str]
) -> Iterator[tuple[str, Scorer]]:
    """Yield every peer that is there, with its name.

    Args:
        shared: Folder with ``peers/mesonet``.
        trained: Folder that ``python -m benchmarks.peers`` wrote, or None.
        plugs: ``FILE.py:CLASS`` of scorers to add.

    Raises:
        UsageError: A plugged-in class cannot be made.
        UnreadableInputError: Weights that are there cannot be read.
    """
    from benchmarks.peers.simple import Chance

    yield "chance", _peer("chance", Chance)
    for path in sorted((shared / "peers" / "mesonet").glob("*.h5")):
        yield path.stem, _peer(str(path), lambda path=path: _mesonet(path))  # type: ignore[misc]
    if trained is not None:
        yield from _trained(trained)
    for plug in plugs:
        yield plug.rpartition(":")[2], _peer(plug, lambda plug=plug: plugged(plug))  # type: ignore[misc]


def _mesonet(path: Path) -> Any:
    from benchmarks.accuracy.mesonet import MesoNetScorer

    return MesoNetScorer(path)


# `frequency` alone would be taken for the detector of that name.
_ROWS = {"sbi": "SBI-style", "xception": "Xception", "frequency": "power spectrum"}


def _trained(folder: Path) -> Iterator[tuple[str, Scorer]]:
    from benchmarks.peers.networks import DESIGNS, NetworkScorer
    from benchmarks.peers.simple import Frequency

    known: dict[str, Callable[[], Any]] = {
        name: lambda name=name: NetworkScorer(folder, name)  # type: ignore[misc]
        for name in DESIGNS
    }
    known["frequency"] = lambda: Frequency(folder / "frequency.json")
    found = False
    for name, make in known.items():
        if (folder / f"{name}.json").exists():
            found = True
            yield _ROWS[name], _peer(f"{folder}/{name}", make)
    if not found:
        raise UnreadableInputError(folder, "no trained peer in it; see python -m benchmarks.peers")


_KEPT: dict[str, Scorer] = {}


def _peer(key: str, make: Callable[[], Any]) -> Scorer:
    """Make a peer once for all sets."""
    from benchmarks.peers.scorer import Peer

    if key not in _KEPT:
        _KEPT[key] = Peer(make())
    return _KEPT[key]


@lru_cache(maxsize=16)
def plugged(plug: str) -> Any:
    """Make the class that ``FILE.py:CLASS`` names; it needs ``identity`` and ``logit``.

    Raises:
        UsageError: There is no such file or class, or it cannot be made without arguments.
    """
    file, _, name = plug.rpartition(":")
    try:
        made = runpy.run_path(file)[name]()
    except (OSError, ImportError, KeyError, TypeError, ValueError, SyntaxError) as error:
        raise UsageError(f"{plug}: expected FILE.py:CLASS ({error!r})") from error
    if not hasattr(made, "logit") or not hasattr(made, "identity"):
        raise UsageError(f"{plug}: the class needs 'identity' and 'logit'")
    return made
