"""Celeb-DF v1 and v2 (Li et al. 2020).

``Celeb-real``, ``Celeb-synthesis`` and ``YouTube-real`` hold the clips;
``List_of_testing_videos.txt`` names the test clips, all others are for training. The official
split is not disjoint by person: with groups by people, training and test share groups, and
`evaluate` says so.
"""

from __future__ import annotations

from pathlib import Path

from forensics.errors import UnreadableInputError
from forensics.evaluation.adapters._base import (
    Adapter,
    Entry,
    Found,
    LayoutError,
    children,
    clips_in,
    read_list,
)
from forensics.evaluation.adapters.names import Origin, celeb_origin
from forensics.evaluation.manifest import Label

_LIST = "List_of_testing_videos.txt"
_PARTS: dict[str, Label] = {
    "celeb-real": "real",
    "youtube-real": "real",
    "celeb-synthesis": "fake",
}
_MARKS: dict[str, Label] = {"1": "real", "0": "fake"}


def _read(folder: Path, root: Path | None) -> Found:
    listed = _testing(folder / _LIST)
    warnings = [] if listed is not None else [f"no {_LIST}: the clips have no split"]
    entries, seen = [], set()
    for part in children(folder):
        label = _PARTS.get(part.name.casefold())
        if label is None:
            continue
        for clip, path in clips_in(part):
            key = (part.name.casefold(), clip)
            stated = None if listed is None else listed.get(key)
            if stated is not None and stated != label:
                raise UnreadableInputError(
                    folder / _LIST, f"{part.name}/{clip} is listed as {stated}"
                )
            seen.add(key)
            origin = celeb_origin(clip) or Origin((f"celeb:{part.name.casefold()}/{clip}",))
            entries.append(
                Entry(
                    path,
                    label=label,
                    footage=origin.footage,
                    people=origin.people,
                    split=None if listed is None else "test" if key in listed else "train",
                    source="Celeb-DF",
                    method="Celeb-synthesis" if label == "fake" else None,
                    clip=clip,
                )
            )
    if not entries:
        raise LayoutError(folder, "no clips under Celeb-real, YouTube-real or Celeb-synthesis")
    if listed is not None and (gone := len(listed.keys() - seen)):
        warnings.append(f"{gone} clips of {_LIST} are not in the folder")
    return Found(tuple(entries), tuple(warnings))


def _testing(path: Path) -> dict[tuple[str, str], Label] | None:
    """Read lines such as ``1 YouTube-real/00170.mp4`` (1: real, 0: fake)."""
    if not path.exists():
        return None
    found: dict[tuple[str, str], Label] = {}
    for number, line in enumerate(read_list(path).splitlines(), 1):
        if not line.strip():
            continue
        mark, _, name = line.strip().partition(" ")
        part, _, file = name.strip().partition("/")
        if mark not in _MARKS or not file:
            raise UnreadableInputError(path, f"line {number}: expected '1 FOLDER/FILE.mp4'")
        found[part.casefold(), Path(file).stem] = _MARKS[mark]
    return found


CELEB_DF = Adapter(
    "celeb-df",
    "Celeb-DF v1 and v2",
    f"Celeb-real, Celeb-synthesis, YouTube-real, {_LIST}",
    _read,
)
