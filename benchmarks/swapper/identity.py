"""Whose face is it after the swap? Tiny against its control, judged by a network of others.

    python benchmarks/swapper/identity.py --recogniser FOLDER --clips A.mpg B.mpg \\
        --faces SET_A SET_B --models tiny=CHECKPOINT naive-shared=CHECKPOINT [--pictures FOLDER]

Each model swaps both clips. A frame counts as moved when its embedding (`generator.recognition`)
lies nearer to the mean of the source's real frames than to that of the target's; a frame in which
no face is found again counts as not moved. Neighbouring frames are alike, so the interval takes
seconds, not frames, as the sample: Wilson's, with the number of seconds as n. Where the face went
is measured between the meshes of the swap and of the target, in inter-ocular distances.

Whether the lips follow is the correlation of their movements with the target's, over all frames.
Two controls stand beside it: the same against the other half of the clip, which they should not
follow, and the target rebuilt as itself, which is as well as this network and this mesh can do.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks._results import RESULTS, Bar, show, show_bars, write_result
from benchmarks.swapper._movement import expression, follow, mesh_errors, mouth_correlation
from forensics.evaluation.rates import wilson
from forensics.faces.align import align_face
from forensics.media import SamplingPlan, open_clip, stream_frames
from generator.checkpoint import read_card
from generator.faceset import read_faceset
from generator.methods import FACE_MARGIN, create_method
from generator.preview import write_preview
from generator.recognition import Recogniser, chip
from generator.scene import look
from generator.swap import swap
from generator.train_setup import hold_out, spread
from generator.trajectory import jitter

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """Faces of the most prominent person of a clip, by time in milliseconds."""

    vectors: dict[int, NDArray[np.float32]]
    meshes: dict[int, Floats]
    crops: dict[int, NDArray[np.uint8]]
    frames: int
    trembling: float


def see(path: Path, recogniser: Recogniser) -> Seen:
    """Find, cut out and describe the person's face in every frame."""
    clip = open_clip(path)
    scene = look(clip, steadiness=0.0)
    tracks = [t.trajectory for t in scene.of(0)] if scene.tracks else []
    meshes: dict[int, Floats] = {}
    crops: dict[int, NDArray[np.uint8]] = {}
    with stream_frames(clip, SamplingPlan(all=True)) as frames:
        for frame in frames:
            for track in tracks:
                i = track.at(frame.pts)
                if i is not None and track.usable[i]:
                    key = round(frame.pts * 1000)
                    meshes[key] = track.mesh[i, :, :2].astype(np.float64)
                    crops[key] = align_face(frame.image, track.landmarks[i], margin=FACE_MARGIN)[0]
    described = recogniser.embed(np.stack([chip(c) for c in crops.values()])) if crops else []
    vectors = dict(zip(crops, described, strict=True))
    longest = max(scene.of(0), key=lambda t: len(t.raw), default=None) if scene.tracks else None
    trembling = 0.0
    if longest is not None:
        eyes = np.linalg.norm(longest.raw[:, 1] - longest.raw[:, 0], axis=1)
        trembling = jitter(longest.raw, eyes)
    return Seen(vectors, meshes, crops, scene.frames, trembling)


def centre(seen: Seen) -> Floats:
    """Mean embedding of a person's real frames."""
    return np.mean(list(seen.vectors.values()), axis=0, dtype=np.float64)


def nearer(vector: NDArray[np.float32], source: Floats, target: Floats) -> bool:
    """Whether an embedding lies nearer to the source."""
    return bool(np.linalg.norm(vector - source) < np.linalg.norm(vector - target))


def rebuilt_ssim(model: Path, faces: list[Path]) -> float:
    """Mean SSIM of held-out real faces rebuilt as themselves."""
    import torch

    from generator.checkpoint import load_swapper
    from generator.losses import ssim_map
    from generator.train_data import FacePool

    network, _ = load_swapper(model)
    scores = []
    for person, folder in enumerate(faces):
        pool = FacePool(hold_out(read_faceset(folder))[1], network.config.size)
        views = torch.from_numpy(pool.views(range(pool.count))).permute(0, 3, 1, 2)
        with torch.inference_mode():
            scores.append(float(ssim_map(network(views, person)[:, :3], views).mean()))
    return float(np.mean(scores))


def judge(made: Seen, source: Floats, target: Floats, real: Seen) -> dict[str, Any]:
    """Judge one swapped clip."""
    keys = sorted(real.crops)
    hits = {
        k: nearer(made.vectors[k], source, target) if k in made.vectors else False for k in keys
    }
    seconds: dict[int, list[bool]] = {}
    for key, hit in hits.items():
        seconds.setdefault(key // 1000, []).append(hit)
    gap = [
        float(np.linalg.norm(v - target) - np.linalg.norm(v - source))
        for v in made.vectors.values()
    ]
    return {
        "frames": len(keys),
        "found": sum(k in made.vectors for k in keys),
        "nearer_source": float(np.mean(list(hits.values()))),
        "seconds": [float(np.mean(v)) for v in seconds.values()],
        "margin": float(np.mean(gap)) if gap else None,
        "mesh_error": float(np.median(mesh_errors(made, real))),
        "mesh_error_not_following": float(np.median(mesh_errors(made, real, len(keys) // 2))),
        "mouth_correlation": mouth_correlation(made, real),
        "expression": expression(made, real),
        "jitter_ratio": made.trembling / real.trembling,
    }


def strip(path: Path, real: list[Seen], made: list[Seen], note: str) -> None:
    """Write real and swapped faces side by side, with caption and marks."""
    columns = []
    for letter, before, after in zip("AB", real, made, strict=True):
        keys = [k for k in sorted(before.crops) if k in after.crops]
        keys = [keys[i] for i in spread(len(keys), 4)]
        for name, seen in ((letter, before), (f"{letter}->{'BA'['AB'.index(letter)]}", after)):
            faces = np.stack([seen.crops[k][::2, ::2] for k in keys]).astype(np.float32) / 255.0
            columns.append((name, faces))
    write_preview(path, columns, note=note)


def main() -> int:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recogniser", type=Path, required=True)
    parser.add_argument("--clips", type=Path, nargs=2, required=True)
    parser.add_argument("--faces", type=Path, nargs=2, required=True)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    recogniser = Recogniser(arguments.recogniser)
    real = [see(clip, recogniser) for clip in arguments.clips]
    means = [centre(s) for s in real]
    check = []
    for own in (0, 1):  # the first half of the real frames judges the second
        halves = [list(s.vectors.values()) for s in real]
        first = [np.mean(h[: len(h) // 2], axis=0, dtype=np.float64) for h in halves]
        probes = halves[own][len(halves[own]) // 2 :]
        check += [nearer(v, first[own], first[1 - own]) for v in probes]
    results: dict[str, Any] = {}
    for text in arguments.models:
        name, _, folder = text.partition("=")
        model, made, rebuilt, rows = Path(folder), [], [], []
        with TemporaryDirectory() as scratch:
            for own, letter in ((0, "b"), (1, "a")):
                itself = create_method("reconstruct", model=model, options={"person": "ab"[own]})
                out = Path(scratch) / f"{own}-itself.mp4"
                swap(arguments.clips[own], out, itself)
                rebuilt.append(see(out, recogniser))
                method = create_method("autoencoder", model=model, options={"person": letter})
                out = Path(scratch) / f"{own}.mp4"
                done = swap(arguments.clips[own], out, method)
                made.append(see(out, recogniser))
                row = judge(made[-1], means[1 - own], means[own], real[own])
                rows.append({"target": "AB"[own], **row, "jitter_followed": list(done.jitter)})
        blocks = [share for row in rows for share in row["seconds"]]
        frames = sum(r["frames"] for r in rows)
        share = sum(r["nearer_source"] * r["frames"] for r in rows) / frames
        card = read_card(model)[0]
        results[name] = {
            "steps": card.training["step"],
            "batch": card.training["batch"],
            "training_seconds": card.training["seconds"],
            "nearer_source": share,
            "interval_95": wilson(share * len(blocks), len(blocks)),
            "frames": frames,
            "seconds_of_video": len(blocks),
            "mesh_error": float(np.mean([r["mesh_error"] for r in rows])),
            "rebuilt_ssim": rebuilt_ssim(model, arguments.faces),
            "mouth_correlation": [r["mouth_correlation"] for r in rows],
            "lips": follow(made, rebuilt, real),
            "jitter_ratio": max(r["jitter_ratio"] for r in rows),
            "clips": rows,
        }
        if arguments.pictures:
            note = f"{name}, step {card.training['step']}"
            arguments.pictures.mkdir(parents=True, exist_ok=True)
            strip(arguments.pictures / f"generator-swap-{name}.png", real, made, note)
    show(
        "Identity after the swap",
        ["model", "steps", "nearer the source", "95 %", "frames", "mesh error", "mouth follows",
         "lips follow", "at another time", "rebuilt as itself", "jitter", "rebuilt SSIM"],
        [
            [
                name,
                str(r["steps"]),
                f"{r['nearer_source']:.1%}",
                "{:.0%} to {:.0%}".format(*r["interval_95"]),
                str(r["frames"]),
                f"{r['mesh_error']:.3f}",
                " ".join(f"{v:.2f}" for v in r["mouth_correlation"]),
                "{:.2f} ({:.2f} to {:.2f})".format(
                    r["lips"]["correlation"], *r["lips"]["interval_95"]
                ),
                f"{r['lips']['another_time']:.2f}",
                f"{r['lips']['rebuilt_as_itself']:.2f}",
                f"{r['jitter_ratio']:.2f}",
                f"{r['rebuilt_ssim']:.3f}",
            ]
            for name, r in results.items()
        ],
    )
    bars = [
        Bar(
            f"{n}: swapped frames nearer the source",
            value=r["nearer_source"],
            limit=0.1 if n.startswith("naive") else 0.9,
            at_most=n.startswith("naive"),
        )
        for n, r in results.items()
    ]
    bars += [
        Bar(f"{n}: landmark jitter over the target's own", value=r["jitter_ratio"], limit=1.2)
        for n, r in results.items()
        if not n.startswith("naive")
    ]
    met = show_bars(bars)
    path = write_result(
        "swapper-identity",
        {
            "recogniser": {
                "name": recogniser.name,
                "licence": recogniser.licence,
                "sha256": recogniser.sha256,
                "right_on_held_out_real_frames": float(np.mean(check)),
                "held_out_real_frames": len(check),
            },
            "clips": [{"name": c.name, "sha256": open_clip(c).sha256} for c in arguments.clips],
            "models": results,
            "bars": [b.record() for b in bars],
        },
        arguments.out,
    )
    print(path)
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
