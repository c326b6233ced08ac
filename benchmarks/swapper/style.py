"""What a style network does to a real clip, judged as the swaps of the autoencoder are.

    python benchmarks/swapper/style.py --recogniser FOLDER --model STYLE_CHECKPOINT \\
        --clips SOURCE.mpg TARGET.mpg [--pictures FOLDER]

Train it first: ``generator train TARGET_FACES SOURCE_FACES --method style --budget 15m``. The
control is the clip as it is: how near the target's real frames lie to the source.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.swapper._movement import correlation, correlation_interval, lips
from benchmarks.swapper.identity import centre, judge, see
from forensics.evaluation.rates import wilson
from generator.methods import create_method
from generator.preview import write_preview
from generator.recognition import Recogniser
from generator.swap import swap
from generator.train_setup import spread


def main() -> int:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recogniser", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--clips", type=Path, nargs=2, required=True, help="source, then target")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    recogniser = Recogniser(arguments.recogniser)
    source, target = (see(clip, recogniser) for clip in arguments.clips)
    with TemporaryDirectory() as scratch:
        out = Path(scratch) / "style.mp4"
        done = swap(arguments.clips[1], out, create_method("style", model=arguments.model))
        made = see(out, recogniser)
    row = judge(made, centre(source), centre(target), target)
    before = judge(target, centre(source), centre(target), target)
    blocks = lips(made, target)
    card = json.loads((arguments.model / "style.json").read_text(encoding="utf-8"))
    n = len(row["seconds"])
    result = {
        "steps": card["steps"],
        "training_seconds": card["seconds"],
        "feature_network": card["feature_network"],
        "loss_first": card["first"]["loss"],
        "loss_last": card["last"]["loss"],
        "style_first": card["first"]["style"],
        "style_last": card["last"]["style"],
        "swapped": done.swapped,
        "nearer_source_interval_95": wilson(row["nearer_source"] * n, n),
        "margin_of_the_real_clip": before["margin"],
        "lips": correlation(blocks),
        "lips_interval_95": correlation_interval(blocks),
        **row,
    }
    show(
        "Style",
        ["steps", "nearer the source", "margin", "margin untouched", "lips follow", "loss"],
        [
            [
                str(result["steps"]),
                f"{row['nearer_source']:.1%}",
                f"{row['margin']:.3f}",
                f"{before['margin']:.3f}",
                f"{result['lips']:.2f}",
                f"{result['loss_first']:.3f} to {result['loss_last']:.3f}",
            ]
        ],
    )
    fall = result["loss_last"] / result["loss_first"]
    moved = row["margin"] - before["margin"]
    bars = [
        Bar("style: last loss over first", value=fall, limit=1.0, strict=True),
        Bar("style: moved towards the source", value=moved, limit=0.0, at_most=False, strict=True),
    ]
    met = show_bars(bars)
    if arguments.pictures:
        keys = sorted(k for k in target.crops if k in made.crops)
        keys = [keys[i] for i in spread(len(keys), 4)]
        own = sorted(source.crops)
        own = [own[i] for i in spread(len(own), 4)]
        columns = [
            (name, np.stack([seen.crops[k][::2, ::2] for k in some]).astype(np.float32) / 255.0)
            for name, seen, some in (
                ("target", target, keys),
                ("repainted", made, keys),
                ("source", source, own),
            )
        ]
        arguments.pictures.mkdir(parents=True, exist_ok=True)
        path = arguments.pictures / "generator-style.png"
        write_preview(path, columns, note=f"style, step {result['steps']}", side=128)
    data = {"style": result, "bars": [b.record() for b in bars]}
    print(write_result("swapper-style", data, arguments.out))
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
