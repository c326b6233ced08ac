"""How far people are still recognised after every face of a clip was replaced.

    python benchmarks/swapper/privacy.py --recogniser FOLDER --clips A.mpg B.mpg ... \\
        --source PHOTO --consent RECORD [--model CHECKPOINT] [--gallery SET ...] [--pictures FOLDER]

Each clip's faces are all replaced, as by ``generator swap --everyone``: by the source photo
(`landmark`) and, where a checkpoint is given, by its person B. The gallery holds the mean of each
clip's real frames and of every person of ``--gallery``. Before and after, each frame is asked: is
this person recognised (distance to the gallery's mean within the network's own limit), and is this
person the nearest in the gallery? Neighbouring frames are alike, so the interval takes seconds of
video as n. The gallery's clip frames are every second one; the others are the probes before.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from forensics.evaluation.rates import wilson
from forensics.media import SamplingPlan, open_clip, stream_frames
from generator.consent import load_consent
from generator.faces_of import source_faces
from generator.faceset import read_faceset
from generator.methods import Method, create_method
from generator.pretrain import split_people
from generator.preview import write_preview
from generator.privacy import ByNetwork, reidentification
from generator.recognition import Recogniser, chip
from generator.swap import SwapConfig, swap

SHOWN = 160
"""Height of the frames in the picture."""
_FIGURES = ("before", "first_before", "after", "first_after")


def gallery_of(sets: list[Path], recogniser: Recogniser) -> dict[str, NDArray[np.float64]]:
    """Mean embedding of every person of some face sets, by set and person."""
    people = {}
    for folder in sets:
        for person in split_people(read_faceset(folder)):
            chips = np.stack([chip(entry.face.crop) for entry in person.faces])
            name = f"{folder.name}/{person.faces[0].source}"
            people[name] = recogniser.embed(chips).mean(axis=0, dtype=np.float64)
    return people


def middle_frame(path: Path) -> NDArray[np.float32]:
    """Return one frame from the middle of a clip, (h, w, 3) in 0..1."""
    import cv2

    with stream_frames(open_clip(path), SamplingPlan(all=True)) as frames:
        pictures = [frame.image for frame in frames]
    picture = pictures[len(pictures) // 2]
    width = round(picture.shape[1] * SHOWN / picture.shape[0])
    small = cv2.resize(picture, (width, SHOWN), interpolation=cv2.INTER_AREA)
    edge = (width - SHOWN) // 2
    return np.asarray(small[:, edge : edge + SHOWN].astype(np.float32) / 255.0)


def together(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares of all frames of several people, with their intervals."""
    whole: dict[str, Any] = {
        "people": len(rows),
        "frames": sum(r["frames_after"] for r in rows),
        "seconds": sum(r["seconds"] for r in rows),
    }
    for name in _FIGURES:
        n = [r["frames" if name.endswith("before") else "frames_after"] for r in rows]
        value = float(np.average([r[name] for r in rows], weights=n))
        whole[name] = value
        whole[f"{name}_interval_95"] = wilson(value * whole["seconds"], whole["seconds"])
    return whole


def main() -> int:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recogniser", type=Path, required=True)
    parser.add_argument("--clips", type=Path, nargs="+", required=True)
    parser.add_argument("--source", type=Path, required=True, help="photo of the face given to all")
    parser.add_argument("--consent", type=Path, required=True, help="record of that person")
    parser.add_argument("--model", type=Path, help="checkpoint whose B is given to all")
    parser.add_argument(
        "--leave-out", type=Path, nargs="*", default=[], help="clips of the model's B"
    )
    parser.add_argument("--gallery", type=Path, nargs="*", default=[], help="face sets")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    left_out = {path.stem for path in arguments.leave_out}
    if unknown := left_out - {path.stem for path in arguments.clips}:
        parser.error(f"--leave-out: not among the clips: {', '.join(sorted(unknown))}")
    recogniser = Recogniser(arguments.recogniser)
    judge = ByNetwork(recogniser)
    strangers = gallery_of(arguments.gallery, recogniser)
    record = load_consent(arguments.consent)
    source = source_faces(arguments.source)
    methods: dict[str, Method] = {"landmark": create_method("landmark")}
    if arguments.model is not None:
        methods["autoencoder"] = create_method(
            "autoencoder", model=arguments.model, options={"person": "b"}
        )
    results: dict[str, Any] = {}
    pictures: dict[str, dict[str, NDArray[np.float32]]] = {"before": {}}
    for name, method in methods.items():
        rows = []
        with TemporaryDirectory() as scratch:
            for clip in arguments.clips:
                if name != "landmark" and clip.stem in left_out:
                    continue  # B painted as B is nobody hidden
                out = Path(scratch) / f"{clip.stem}.mp4"
                swap(
                    clip,
                    out,
                    method,
                    source=[entry.face for entry in source] if method.needs_source else [],
                    source_sha256=sorted({e.source_sha256 for e in source}),
                    consent=[record] if method.needs_source else [],
                    config=SwapConfig(everyone=True),
                )
                own = {k: v for k, v in strangers.items() if not k.endswith(clip.name)}
                seconds = max(1, round(open_clip(clip).duration or 0))
                for person in reidentification(clip, out, embedding=judge, others=own):
                    rows.append({"clip": clip.name, "seconds": seconds, **asdict(person)})
                    print(name, rows[-1], flush=True)
                if name == "landmark":
                    pictures["before"][clip.stem] = middle_frame(clip)
                pictures.setdefault(name, {})[clip.stem] = middle_frame(out)
        results[name] = {**together(rows), "each": rows}
    show(
        f"Recognised by {recogniser.name}, gallery of {len(strangers)} people and each clip's own",
        ["method", "before", "nearest before", "after", "95 %", "nearest after", "95 %", "people"],
        [
            [
                name,
                f"{r['before']:.1%}",
                f"{r['first_before']:.1%}",
                f"{r['after']:.1%}",
                "{:.0%} to {:.0%}".format(*r["after_interval_95"]),
                f"{r['first_after']:.1%}",
                "{:.0%} to {:.0%}".format(*r["first_after_interval_95"]),
                str(r["people"]),
            ]
            for name, r in results.items()
        ],
    )
    bars = [
        Bar(f"{n}: recognised after over before", value=r["after"] / r["before"], limit=1.0,
            strict=True)
        for n, r in results.items()
    ]  # fmt: skip
    met = show_bars(bars)
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
        shown = [c for c in pictures["before"] if all(c in column for column in pictures.values())]
        columns = [(k, np.stack([v[c] for c in shown])) for k, v in pictures.items()]
        path = arguments.pictures / "generator-privacy.png"
        write_preview(path, columns, note="everyone replaced", side=SHOWN)
    data = {
        "recogniser": {
            "name": recogniser.name,
            "licence": recogniser.licence,
            "sha256": recogniser.sha256,
            "limit": judge.limit,
        },
        "gallery": len(strangers),
        "source": arguments.source.name,
        "left_out_of_the_network": sorted(left_out),
        "methods": results,
        "bars": [b.record() for b in bars],
    }
    print(write_result("swapper-privacy", data, arguments.out))
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
