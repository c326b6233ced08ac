"""Link cases with the same coded pictures, or that look the same.

A pointer for a person, never a verdict: sizes of packets and looks can both be forged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from forensics.provenance.phash import alike
from forensics.store import Store
from forensics.store.tables import CASES, FILES

NONE = -1
"""Distance that is stored where a case was compared and nothing looks like it."""

_CHUNKS = 16  # two hashes within 31 of 256 bits agree to one bit in at least one of 16 parts
_FLIPS = np.concatenate([[0], 1 << np.arange(16)]).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class _Look:
    number: int
    case: str
    sha256: str
    codes: tuple[bytes, ...]
    near: str | None
    compared: bool


class _Index:
    """Finds hashes within reach of one by looking up its parts."""

    def __init__(self, codes: NDArray[np.uint16]) -> None:
        self._order = np.argsort(codes, axis=0, kind="stable")
        self._sorted = np.take_along_axis(codes, self._order, axis=0)

    def candidates(self, code: bytes) -> NDArray[np.int64]:
        parts = np.frombuffer(code, np.uint16)
        found = []
        for chunk in range(_CHUNKS):
            keys = parts[chunk] ^ _FLIPS
            column = self._sorted[:, chunk]
            low, high = np.searchsorted(column, keys), np.searchsorted(column, keys, "right")
            found += [self._order[a:b, chunk] for a, b in zip(low, high, strict=True) if b > a]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def link_near(store: Store) -> int:
    """Compare cases that were not compared yet with all others, by packets and by looks.

    Each case gets the earliest case, in order of entry, that looks the same; the outcome does not
    depend on the order in which scans ended.

    Returns:
        How many links were made.
    """
    return _link_streams(store) + _link_looks(store)


def _link_streams(store: Store) -> int:
    """Link cases whose coded pictures an earlier one has, in a file of other bytes."""
    mine, others = FILES.alias(), FILES.alias()
    early = CASES.alias()
    found = (
        sa.select(early.c.id)
        .join(others, others.c.sha256 == early.c.sha256)
        .join(mine, mine.c.packets == others.c.packets)
        .where(mine.c.sha256 == CASES.c.sha256, others.c.sha256 != mine.c.sha256,
               early.c.number < CASES.c.number, early.c.state == "done")
        .order_by(early.c.number)
        .limit(1)
        .correlate(CASES)
        .scalar_subquery()
    )  # fmt: skip
    query = (
        sa.select(CASES.c.id, CASES.c.same_stream, found.label("other"))
        .where(CASES.c.same_as.is_(None),
               CASES.c.sha256.in_(sa.select(FILES.c.sha256).where(FILES.c.packets.in_(_twice()))))
    )  # fmt: skip
    with store.reading() as link:
        rows = link.execute(query).all()
    changes = [
        {"which": row.id, "same_stream": row.other} for row in rows if row.other != row.same_stream
    ]
    if changes:
        statement = sa.update(CASES).where(CASES.c.id == sa.bindparam("which"))
        with store.writing() as link:
            link.execute(statement, changes)
    return len(changes)


def _twice() -> sa.Select[tuple[str]]:
    """Return what selects the digests of packets that several contents have."""
    several = sa.func.count() > 1
    packets = FILES.c.packets
    return sa.select(packets).where(packets.is_not(None)).group_by(packets).having(several)


def _link_looks(store: Store) -> int:
    looks = _read(store)
    fresh = [look for look in looks if not look.compared]
    if not fresh:
        return 0
    owners = np.repeat(np.arange(len(looks)), [len(look.codes) for look in looks])
    flat = b"".join(code for look in looks for code in look.codes)
    index = _Index(np.frombuffer(flat, np.uint16).reshape(-1, _CHUNKS))
    best: dict[str, tuple[int, str, int]] = {}
    numbers = {look.case: look.number for look in looks}
    for look in fresh:
        for other, bits in _neighbours(look, looks, owners, index):
            early, late = sorted((look, other), key=lambda one: one.number)
            held = best.get(late.case)
            known = held[0] if held else numbers.get(late.near or "", late.number)
            if early.number < known:
                best[late.case] = (early.number, early.case, bits)
    _write(store, fresh, best)
    return len(best)


def _neighbours(
    look: _Look, looks: list[_Look], owners: NDArray[np.int64], index: _Index
) -> Iterator[tuple[_Look, int]]:
    places = [owners[index.candidates(code)] for code in look.codes]
    for place in np.unique(np.concatenate(places)):
        other = looks[int(place)]
        if other.case == look.case or other.sha256 == look.sha256:
            continue
        bits = alike(look.codes, other.codes)
        if bits is not None:
            yield other, bits


def _read(store: Store) -> list[_Look]:
    query = (
        sa.select(CASES.c.number, CASES.c.id, CASES.c.sha256, CASES.c.near,
                  CASES.c.near_distance, FILES.c.looks)
        .join(FILES, FILES.c.sha256 == CASES.c.sha256)
        .where(FILES.c.looks.is_not(None), CASES.c.same_as.is_(None))
        .order_by(CASES.c.number)
    )  # fmt: skip
    with store.reading() as link:
        return [
            _Look(
                row.number, row.id, row.sha256,
                tuple(bytes.fromhex(code) for code in row.looks.split()),
                row.near, row.near_distance is not None,
            )
            for row in link.execute(query)
        ]  # fmt: skip


def _write(store: Store, fresh: list[_Look], best: dict[str, tuple[int, str, int]]) -> None:
    rows = {look.case: (None, NONE) for look in fresh if look.near is None}
    found = {case: (near, bits) for case, (_, near, bits) in best.items()}
    changes = [
        {"which": case, "near": near, "near_distance": bits}
        for case, (near, bits) in {**rows, **found}.items()
    ]
    statement = sa.update(CASES).where(CASES.c.id == sa.bindparam("which"))
    with store.writing() as link:
        link.execute(statement, changes)
