"""What ties two splits of a set together: people, footage, files, near-duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from forensics.errors import printable
from forensics.evaluation.components import Components
from forensics.evaluation.lint.findings import Finding, merged
from forensics.evaluation.lint.lookalikes import ClipHash, near_pairs
from forensics.evaluation.manifest import Row

Keys = Callable[[Row], Iterable[str]]


def leaks_in_rows(rows: Sequence[Row]) -> list[Finding]:
    """Return what the manifest alone tells: people, groups and files in more than one split."""
    return [
        *_shared(rows, "identity_shared", "person {!r}", lambda row: row.identity),
        *_shared(rows, "group_shared", "group {!r}", lambda row: (row.group,)),
        *_shared(rows, "clip_shared", "file {!r}", lambda row: (row.path,)),
        *_unsplit(rows),
    ]


def leaks_in_files(rows: Sequence[Row], digests: Mapping[int, str]) -> list[Finding]:
    """Return files with the same bytes in more than one split.

    Args:
        rows: Rows of the manifest.
        digests: SHA-256 of the file by line; rows without one are left out.
    """
    of_copies: dict[str, set[str]] = {}
    for row in rows:
        if row.line in digests:
            of_copies.setdefault(digests[row.line], set()).add(row.path)
    # One path in two splits was named already.
    copies = {digest for digest, names in of_copies.items() if len(names) > 1}

    def keys(row: Row) -> Iterable[str]:
        digest = digests.get(row.line)
        return (digest,) if digest in copies else ()

    return _shared(rows, "clip_shared", "one file under several names (sha256 {!r})", keys)


def near_duplicates(rows: Sequence[Row], hashes: Mapping[int, ClipHash]) -> list[Finding]:
    """Return clusters of near-duplicates that reach over several splits.

    Args:
        rows: Rows of the manifest.
        hashes: Perceptual hashes by line; rows without one are left out.
    """
    known = [row for row in rows if row.line in hashes and row.split is not None]
    clusters: Components[int] = Components()
    nearest: dict[int, int] = {}
    for i, j, bits in near_pairs([hashes[row.line] for row in known]):
        clusters.join((i, j))
        if known[i].split != known[j].split:
            for place in (i, j):
                nearest[place] = min(bits, nearest.get(place, bits))
    members: dict[int, list[int]] = {}
    for place in range(len(known)):
        members.setdefault(clusters.root(place), []).append(place)
    found = []
    for places in members.values():
        across = [place for place in places if place in nearest]
        if not across:
            continue
        splits = sorted({known[place].split or "" for place in across})
        bits = min(nearest[place] for place in across)
        found.append(
            Finding(
                "near_duplicate",
                severity="refused",
                message=f"pictures that look the same (down to {bits} of 256 bits differ) are in "
                f"{_listed(splits)}",
                lines=merged(known[place].line for place in across),
            )
        )
    return found


def _shared(rows: Sequence[Row], code: str, what: str, keys: Keys) -> list[Finding]:
    holders: dict[str, list[Row]] = {}
    for row in rows:
        if row.split is None:
            continue
        for key in keys(row):
            holders.setdefault(key, []).append(row)
    found = []
    for key, members in sorted(holders.items()):
        splits = sorted({row.split or "" for row in members})
        if len(splits) > 1:
            found.append(
                Finding(
                    code,
                    severity="refused",
                    message=f"{what.format(printable(key))} is in {_listed(splits)}",
                    lines=merged(row.line for row in members),
                )
            )
    return found


def _unsplit(rows: Sequence[Row]) -> list[Finding]:
    without = merged(row.line for row in rows if row.split is None)
    if len(without) == len(rows):
        message = "no row names a split: leakage between splits was not looked for"
        return [Finding("no_splits", severity="warning", message=message)]
    found = []
    if without:
        message = "without a split, beside rows that have one"
        found.append(Finding("split_missing", severity="warning", message=message, lines=without))
    if not any(row.identity for row in rows):
        message = "no row names people: shared people can only be seen by group"
        found.append(Finding("no_identities", severity="warning", message=message))
    return found


def _listed(splits: Sequence[str]) -> str:
    return "splits " + " and ".join(repr(printable(split)) for split in splits)
