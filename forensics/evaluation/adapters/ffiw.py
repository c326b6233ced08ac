"""FFIW-10K (Zhou et al. 2021): several people in the picture, some of them swapped.

``source/{train,val,test}`` holds the real clips, ``target/...`` the fakes, ``target_mask/...`` the
masks. A fake has the name of the clip that it was made from; where that should not hold, two
unrelated clips share a group, which costs a little precision and leaks nothing.
"""

from __future__ import annotations

from pathlib import Path

from forensics.evaluation.adapters._base import (
    Adapter,
    Entry,
    Found,
    LayoutError,
    children,
    clips_in,
)
from forensics.evaluation.manifest import Label

_PARTS: tuple[tuple[str, Label], ...] = (("source", "real"), ("target", "fake"))


def _read(folder: Path, root: Path | None) -> Found:
    base = next((p for p in (folder, *children(folder)) if (p / "source").is_dir()), folder)
    entries = []
    for part, label in _PARTS:
        for split in children(base / part):
            for clip, path in clips_in(split):
                mask = base / "target_mask" / path.relative_to(base / part)
                entries.append(
                    Entry(
                        path,
                        label=label,
                        footage=(f"ffiw:{split.name}/{clip}",),
                        split=split.name,
                        source="FFIW",
                        method="FFIW" if label == "fake" else None,
                        mask=mask if label == "fake" and mask.is_file() else None,
                        clip=clip,
                    )
                )
    if not entries:
        raise LayoutError(folder, "no clips under source/SPLIT or target/SPLIT")
    return Found(tuple(entries))


FFIW = Adapter("ffiw", "FFIW-10K", "source/{train,val}, target/{train,val}, target_mask", _read)
