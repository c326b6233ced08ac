"""FaceForensics++ (Roessler et al. 2019) and DFD (Google/Jigsaw 2019), one folder tree.

``original_sequences/{youtube,actors}/{raw,c23,c40}/{videos,frames}`` and
``manipulated_sequences/METHOD/{raw,c23,c40}/...``. Splits come from the authors' ``train.json``,
``val.json`` and ``test.json`` (lists of pairs of ids) in the folder or in its ``splits``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from forensics.errors import UnreadableInputError
from forensics.evaluation.adapters._base import (
    Adapter,
    Entry,
    Found,
    LayoutError,
    children,
    clips_in,
    read_json,
)
from forensics.evaluation.adapters.names import Origin, dfd_origin, ffpp_origin

_SPLITS = ("train", "val", "test")
_DFD_METHOD = "DeepFakeDetection"
_MASKS = ("masks", "c23/masks", "raw/masks")
_Naming = Callable[[str], "Origin | None"]


def _read_ffpp(folder: Path, root: Path | None) -> Found:
    splits, warnings = read_ffpp_splits(folder)
    methods = [p.name for p in children(folder / "manipulated_sequences") if p.name != _DFD_METHOD]
    entries = [
        *_walk(folder / "original_sequences/youtube", ffpp_origin, None, splits, "FF++"),
        *(
            entry
            for name in methods
            for entry in _walk(
                folder / "manipulated_sequences" / name, ffpp_origin, name, splits, "FF++"
            )
        ),
    ]
    return _found(folder, entries, warnings)


def _read_dfd(folder: Path, root: Path | None) -> Found:
    entries = [
        *_walk(folder / "original_sequences/actors", dfd_origin, None, {}, "DFD"),
        *_walk(
            folder / "manipulated_sequences" / _DFD_METHOD, dfd_origin, _DFD_METHOD, {}, "DFD"
        ),
    ]
    return _found(folder, entries, ["DFD has no official split; use it for testing only"])


def _found(folder: Path, entries: list[Entry], warnings: list[str]) -> Found:
    if not entries:
        raise LayoutError(folder, "no clips under original_sequences or manipulated_sequences")
    return Found(tuple(entries), tuple(warnings))


def _walk(
    place: Path, naming: _Naming, method: str | None, splits: dict[str, str], title: str
) -> Iterator[Entry]:
    for compression in children(place):
        if not compression.is_dir() or compression.name == "masks":
            continue
        for clip, path in clips_in(compression):
            origin = naming(clip)
            if origin is None:
                continue
            own = {splits.get(key) for key in origin.footage}
            yield Entry(
                path,
                label="real" if method is None else "fake",
                footage=origin.footage,
                people=origin.people,
                # A pair that reaches over two splits belongs to neither.
                split=own.pop() if len(own) == 1 else None,
                source=f"{title} {compression.name}",
                method=method,
                mask=None if method is None else _mask(place, clip, path),
                compression=compression.name,
                clip=clip,
            )


def _mask(place: Path, clip: str, path: Path) -> Path | None:
    """Return the mask video of a clip, or the mask of one of its pictures."""
    for folder in _MASKS:
        for name in (f"videos/{path.name}", path.name, f"{clip}/{path.name}"):
            mask = place / folder / name
            if mask.is_file():
                return mask
    return None


def read_ffpp_splits(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Read the authors' lists.

    Returns:
        Split by footage key (``ffpp:000``), and warnings; nothing where the lists are missing.

    Raises:
        UnreadableInputError: A list is broken, or two lists share a clip.
    """
    splits: dict[str, str] = {}
    missing = []
    for split in _SPLITS:
        places = [p for p in (folder / f"{split}.json", folder / "splits" / f"{split}.json")
                  if p.is_file()]  # fmt: skip
        if not places:
            missing.append(f"{split}.json")
            continue
        pairs = read_json(places[0])
        if not isinstance(pairs, list) or not all(isinstance(pair, list) for pair in pairs):
            raise UnreadableInputError(places[0], "not a list of pairs of clip ids")
        for clip in (str(clip) for pair in pairs for clip in pair):
            key = f"ffpp:{clip}"
            if splits.setdefault(key, split) != split:
                raise UnreadableInputError(
                    places[0], f"clip {clip} is in {split} and in {splits[key]}"
                )
    warnings = [f"no {', '.join(missing)}: those clips have no split"] if missing else []
    return splits, warnings


FFPP = Adapter(
    "ffpp",
    "FaceForensics++",
    "original_sequences/youtube/c23/videos, manipulated_sequences/METHOD/c23/videos, train.json",
    _read_ffpp,
)
DFD = Adapter(
    "dfd",
    "DeepFakeDetection (Google/Jigsaw)",
    "original_sequences/actors/c23/videos, manipulated_sequences/DeepFakeDetection/c23/videos",
    _read_dfd,
)
