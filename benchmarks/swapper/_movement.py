"""Whether a swapped face moves as its target does, seen in the meshes of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import similarity

Floats = NDArray[np.float64]
_LEFT, _RIGHT = (33, 133), (362, 263)  # corners of the eyes in the mesh
_LIPS = [61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 13, 14, 81, 311, 178, 402]


class Meshed(Protocol):
    """Anything with the face's mesh, (468, 2) frame pixels, by time in milliseconds."""

    @property
    def meshes(self) -> dict[int, Floats]:
        """The meshes."""


def mesh_errors(made: Meshed, target: Meshed, shift: int = 0) -> Floats:
    """Mean distance of the mesh points over inter-ocular distance, a frame each.

    Position, turn and size are fitted away, so what is left is expression and out-of-plane pose.
    ``shift`` compares with a later frame of the target instead: what a face that does not follow
    would score.
    """
    times = sorted(target.meshes)
    errors = []
    for i, key in enumerate(times):
        other = times[(i + shift) % len(times)]
        near = min(made.meshes, key=lambda k: abs(k - other), default=None)
        if near is None or abs(near - other) > 20:
            continue
        mesh, aim = made.meshes[near], target.meshes[key]
        matrix = similarity(mesh, aim)
        fitted = mesh @ matrix[:, :2].T + matrix[:, 2]
        eyes = np.linalg.norm(aim[list(_LEFT)].mean(0) - aim[list(_RIGHT)].mean(0))
        errors.append(np.linalg.norm(fitted - aim, axis=1).mean() / eyes)
    return np.array(errors)


def opened(mesh: Floats) -> float:
    """How far the mouth is open, in inter-ocular distances."""
    eyes = np.linalg.norm(mesh[list(_LEFT)].mean(0) - mesh[list(_RIGHT)].mean(0))
    return float(np.linalg.norm(mesh[13] - mesh[14]) / eyes)  # middle of the inner lips


def mouth_correlation(made: Meshed, target: Meshed) -> float:
    """Correlation over time of the mouth's opening, between the swap and its target."""
    keys = [k for k in target.meshes if k in made.meshes]
    pairs = [(opened(made.meshes[k]), opened(target.meshes[k])) for k in keys]
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


def movements(seen: Meshed, keys: list[int]) -> Floats:
    """Mesh of each frame minus the person's mean face, position, turn and size fitted away.

    Returns:
        (n, 468, 2) in inter-ocular distances: expression and what is left of pose.
    """
    meshes = np.stack([seen.meshes[k] for k in keys])
    aim = meshes[0]
    for _ in range(2):  # Procrustes mean
        fits = [similarity(mesh, aim) for mesh in meshes]
        fitted = np.stack([m @ f[:, :2].T + f[:, 2] for m, f in zip(meshes, fits, strict=True)])
        aim = fitted.mean(axis=0)
    eyes = np.linalg.norm(aim[list(_LEFT)].mean(0) - aim[list(_RIGHT)].mean(0))
    return np.asarray((fitted - aim) / eyes, np.float64)


def expression(made: Meshed, target: Meshed) -> dict[str, float]:
    """Compare how two faces move, whoever they are, in inter-ocular distances.

    Returns:
        ``error``: mean distance of a point's movement from the target's; ``size``: mean length of
        the target's movement, which a face that stands still would score.
    """
    keys = sorted(k for k in target.meshes if k in made.meshes)
    a, b = movements(made, keys), movements(target, keys)
    return {
        "error": float(np.linalg.norm(a - b, axis=2).mean()),
        "size": float(np.linalg.norm(b, axis=2).mean()),
    }


def lips(made: Meshed, target: Meshed, *, elsewhere: bool = False) -> list[Floats]:
    """Pair the movements of the lips' points, (n, 2) for each second of the clip.

    ``elsewhere`` pairs them with the target's half a clip later.
    """
    keys = sorted(k for k in target.meshes if k in made.meshes)
    if len(keys) < 2:
        return []
    a, b = (movements(seen, keys)[:, _LIPS].reshape(len(keys), -1) for seen in (made, target))
    if elsewhere:
        b = np.roll(b, len(keys) // 2, axis=0)
    seconds = np.array(keys) // 1000
    return [
        np.stack([a[seconds == s].ravel(), b[seconds == s].ravel()], axis=1)
        for s in np.unique(seconds)
    ]


def correlation(blocks: list[Floats]) -> float:
    """Correlation of all pairs."""
    return float(np.corrcoef(np.concatenate(blocks).T)[0, 1])


def correlation_interval(blocks: list[Floats]) -> tuple[float, float]:
    """95 % bootstrap interval; seconds are drawn, since neighbouring frames are alike."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(blocks), (2000, len(blocks)))
    values = [correlation([blocks[i] for i in row]) for row in drawn]
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def follow(
    made: Sequence[Meshed], rebuilt: Sequence[Meshed], real: Sequence[Meshed]
) -> dict[str, Any]:
    """Say how the lips of the swapped clips follow, with both controls."""
    pairs = list(zip(made, real, strict=True))
    blocks = [block for pair in pairs for block in lips(*pair)]
    other = [block for pair in pairs for block in lips(*pair, elsewhere=True)]
    best = [block for pair in zip(rebuilt, real, strict=True) for block in lips(*pair)]
    return {
        "correlation": correlation(blocks),
        "interval_95": correlation_interval(blocks),
        "each": [correlation(lips(*pair)) for pair in pairs],
        "another_time": correlation(other),
        "another_time_interval_95": correlation_interval(other),
        "rebuilt_as_itself": correlation(best),
        "rebuilt_as_itself_interval_95": correlation_interval(best),
        "seconds": len(blocks),
    }
