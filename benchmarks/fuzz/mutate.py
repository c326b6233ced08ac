"""Change files in the ways that break parsers; the same seed gives the same file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
Change = Callable[[bytearray, Rng], None]

_SIZES = (0, 1, 7, 8, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_LARGEST = 4  # times the file's own length


def mutate(data: bytes, rng: Rng) -> bytes:
    """Return a copy with one to six changes, at most four times as long."""
    body = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        if not body:
            break
        _CHANGES[int(rng.integers(len(_CHANGES)))](body, rng)
    return bytes(body[: _LARGEST * len(data)])


def _place(body: bytearray, rng: Rng) -> int:
    """Return a place; half of them lie near the start, where headers are."""
    span = len(body) if rng.random() < 0.5 else min(len(body), 2048)
    return int(rng.integers(span))


def _flip(body: bytearray, rng: Rng) -> None:
    body[_place(body, rng)] ^= 1 << int(rng.integers(8))


def _overwrite(body: bytearray, rng: Rng) -> None:
    at = _place(body, rng)
    end = min(len(body), at + int(rng.integers(1, 17)))
    body[at:end] = rng.bytes(end - at)


def _size(body: bytearray, rng: Rng) -> None:
    """Write an extreme number where a size may stand."""
    value = _SIZES[int(rng.integers(len(_SIZES)))]
    width = int(rng.choice((2, 4, 8)))
    order = "big" if rng.random() < 0.5 else "little"
    raw = (value & (256**width - 1)).to_bytes(width, order)  # type: ignore[arg-type]
    at = _place(body, rng)
    body[at : at + width] = raw[: len(body) - at]


def _wide_box(body: bytearray, rng: Rng) -> None:
    """Turn what stands here into a box that claims up to 2**63 bytes."""
    at = _place(body, rng)
    kind = bytes(body[at + 4 : at + 8])
    body[at : at + 16] = (b"\0\0\0\1" + kind + (2 ** int(rng.integers(31, 64))).to_bytes(8, "big"))


def _cut(body: bytearray, rng: Rng) -> None:
    del body[_place(body, rng) :]


def _remove(body: bytearray, rng: Rng) -> None:
    at = _place(body, rng)
    del body[at : at + int(rng.integers(1, 64))]


def _double(body: bytearray, rng: Rng) -> None:
    """Repeat a stretch: duplicate boxes, labels and chunks."""
    at = _place(body, rng)
    part = body[at : at + int(rng.integers(1, 4096))]
    where = _place(body, rng)
    body[where:where] = part


def _move(body: bytearray, rng: Rng) -> None:
    at, where = _place(body, rng), _place(body, rng)
    part = body[at : at + int(rng.integers(1, 256))]
    body[where : where + len(part)] = part


_CHANGES: tuple[Change, ...] = (
    _flip, _overwrite, _size, _size, _wide_box, _cut, _remove, _double, _move,
)  # fmt: skip
