"""A process of its own that scans and makes previews: what hangs or crashes here can be killed.

It reads one JSON request a line and answers with JSON lines: ``{"progress": [seen, planned]}``
any number of times, then ``{"done": {...}}`` or ``{"failed": "..."}``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import ForensicsError

if TYPE_CHECKING:
    from forensics.engines.examine import Examiner
    from forensics.types import Report

Say = Callable[[dict[str, Any]], None]


@lru_cache(maxsize=1)
def _examiner(job: str) -> Examiner:
    """Return the pipeline of a job, warm when the last file had the same one."""
    from forensics.engines.base import ScanJob
    from forensics.engines.examine import Examiner

    return Examiner(ScanJob.from_json(json.loads(job)))


def scan_task(request: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Scan one upload; write its pictures and its HTML report beside it.

    Args:
        request: ``media`` (stored file), ``name`` (as uploaded), ``folder`` and ``job``.
        say: Receives progress.

    Returns:
        ``record`` (the report as JSON data), ``pictures`` (what each shows), ``seconds`` and
        ``looks`` (perceptual hashes).
    """
    from forensics.report.html import report_to_html
    from forensics.report.model import report_to_dict
    from forensics.report.write import write_text_atomic

    folder, media = Path(request["folder"]), Path(request["media"])
    start = time.monotonic()
    report, looks = _examiner(json.dumps(request["job"])).report(
        media, lambda seen, planned: say({"progress": [seen, planned]})
    )
    seconds = time.monotonic() - start
    report = renamed(report, request["name"])
    pictures = write_pictures(report, folder / "evidence")
    write_text_atomic(folder / "report.html", report_to_html(report))
    return {
        "record": report_to_dict(report), "pictures": pictures, "seconds": round(seconds, 3),
        "looks": looks,
    }  # fmt: skip


def renamed(report: Report, name: str) -> Report:
    """Return the report under the name that the file was uploaded with, not its place here."""
    shown = Path(name)
    clip = None if report.clip is None else dataclasses.replace(report.clip, path=shown)
    error = None if report.error is None else report.error.replace(str(report.path), name)
    return dataclasses.replace(report, path=shown, clip=clip, error=error)


def write_pictures(report: Report, folder: Path) -> list[dict[str, Any]]:
    """Write each suspicious crop as ``N.png`` and its heat map, see-through, as ``N-heat.png``."""
    import numpy as np
    from PIL import Image

    from forensics.report.pictures import colour_map

    folder.mkdir(exist_ok=True)
    facts = []
    for number, item in enumerate(report.illustrations):
        Image.fromarray(item.crop).save(folder / f"{number}.png")
        if item.heat is not None:
            heat = np.clip(np.nan_to_num(item.heat), 0.0, 1.0)
            colour = colour_map()[np.rint(heat * 255).astype(np.int64)]
            alpha = np.rint(255 * np.sqrt(heat)).astype(np.uint8)[..., None]
            layer = Image.fromarray(np.concatenate([colour, alpha], axis=-1))
            size = (item.crop.shape[1], item.crop.shape[0])
            layer.resize(size, Image.Resampling.BILINEAR).save(folder / f"{number}-heat.png")
        facts.append({
            "n": number, "track_id": item.track_id, "pts": round(item.pts, 6),
            "score": round(item.score, 6), "heat": item.heat is not None,
        })  # fmt: skip
    return facts


def preview_task(request: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Make the derived copy that a browser plays where it cannot play the upload."""
    from forensics.engines.base import ScanJob
    from forensics.web.preview import make_preview

    name = make_preview(
        Path(request["media"]),
        Path(request["folder"]),
        ScanJob.from_json(request["job"]).options.limits,
        lambda seen, planned: say({"progress": [seen, planned]}),
    )
    return {"name": name}


TASKS: dict[str, Callable[[Mapping[str, Any], Say], dict[str, Any]]] = {
    "scan": scan_task,
    "preview": preview_task,
}


def main() -> None:
    """Serve requests until the parent goes away."""
    # What a library prints must not get between the answers.
    with os.fdopen(os.dup(1), "w", encoding="ascii") as out:
        os.dup2(2, 1)

        def say(message: dict[str, Any]) -> None:
            out.write(json.dumps(message) + "\n")
            out.flush()

        for line in sys.stdin:
            request = json.loads(line)
            try:
                say({"done": TASKS[request["task"]](request, say)})
            except ForensicsError as error:
                say({"failed": str(error), "reason": error.reason})
            except Exception as error:  # one bad file must not end the worker without a word
                say({"failed": f"internal error: {error!r}", "reason": "internal"})


if __name__ == "__main__":
    main()
