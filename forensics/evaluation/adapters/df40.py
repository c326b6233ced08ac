"""DF40 (Yan et al. 2024): forty methods over FF++ and Celeb-DF footage.

``METHOD/{ff,cdf,...}/[frames/]CLIP/PICTURE`` or ``METHOD/{ff,cdf}/videos``. The set holds fakes
only; put the rows of FF++ and Celeb-DF beside them for the real class (``cat`` joins manifests):
keys of footage agree. Splits follow FF++'s lists where they lie in the folder; Celeb-DF footage is
for testing, as in the set's protocols.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from forensics.evaluation.adapters._base import (
    Adapter,
    Entry,
    Found,
    LayoutError,
    children,
    clips_in,
    pictures_in,
)
from forensics.evaluation.adapters.faceforensics import read_ffpp_splits
from forensics.evaluation.adapters.names import origin_of

_TEST_DOMAINS = frozenset({"cdf", "celeb-df", "celeb-df-v2"})
_NO_METHOD = frozenset({"splits", "masks", "landmarks", "dataset_json"})


def _read(folder: Path, root: Path | None) -> Found:
    splits, warnings = read_ffpp_splits(folder)
    entries = []
    for method in children(folder):
        if not method.is_dir() or method.name.casefold() in _NO_METHOD:
            continue
        for domain in children(method):
            for clip, path in _clips(domain):
                origin = origin_of(clip, f"df40:{method.name}/{domain.name}/{clip}")
                known = {splits.get(key) for key in origin.footage}
                split = known.pop() if len(known) == 1 else None
                if domain.name.casefold() in _TEST_DOMAINS:
                    split = "test"
                entries.append(
                    Entry(
                        path,
                        label="fake",
                        footage=origin.footage,
                        people=origin.people,
                        split=split,
                        source=f"DF40 {domain.name}",
                        method=method.name,
                        clip=clip,
                    )
                )
    if not entries:
        raise LayoutError(folder, "no METHOD/DOMAIN/CLIP folders with pictures or videos")
    return Found(tuple(entries), (*warnings, "DF40 holds fakes only: add the real clips"))


def _clips(domain: Path) -> Iterator[tuple[str, Path]]:
    yield from clips_in(domain)
    for clip in children(domain):
        if clip.name not in ("frames", "videos", "masks", "landmarks"):
            for path in pictures_in(clip):
                yield clip.name, path
    # Entire synthesis has single pictures in place of clips.
    for path in pictures_in(domain):
        yield path.stem, path


DF40 = Adapter("df40", "DF40", "METHOD/ff/frames/000_003/*.png, METHOD/cdf/...", _read)
