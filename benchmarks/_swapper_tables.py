"""The tables of docs/generator.md, each from one results file; `benchmarks.tables` writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Result = dict[str, Any]


def _range(value: float, bounds: Sequence[float], form: str = ".0%") -> str:
    return f"{value:{form}} [{bounds[0]:{form}}, {bounds[1]:{form}}]"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f}"


def identity(result: Result) -> list[str]:
    """Whose face it is, and whether it moves as the target does."""
    lines = [
        "| model | steps x batch | minutes | frames nearer the source [95 %] | rebuilt SSIM | "
        "mesh error (at another time) | jitter |",
        "|---" * 7 + "|",
    ]
    for name, r in result["models"].items():
        other = sum(c["mesh_error_not_following"] for c in r["clips"]) / len(r["clips"])
        lines.append(
            f"| `{name}` | {r['steps']} x {r['batch']} | {_minutes(r['training_seconds'])} | "
            f"{_range(r['nearer_source'], r['interval_95'])} | {r['rebuilt_ssim']:.3f} | "
            f"{r['mesh_error']:.3f} ({other:.3f}) | {r['jitter_ratio']:.2f} |"
        )
    some = next(iter(result["models"].values()))
    judge = result["recogniser"]
    right, asked = judge["right_on_held_out_real_frames"], judge["held_out_real_frames"]
    return [
        *lines,
        "",
        f"{some['frames']} frames of both directions; intervals take the "
        f"{some['seconds_of_video']} seconds of video as n. Judge: {judge['name']}, "
        f"{judge['licence']}; no part in training; right on {right:.0%} of {asked} held-out real "
        "frames.",
    ]


def movement(result: Result) -> list[str]:
    """Whether the lips follow."""
    lines = [
        "| model | lips against the target [95 %] | at another time | target rebuilt as itself | "
        "mouth's opening, each way |",
        "|---|---|---|---|---|",
    ]
    for name, r in result["models"].items():
        lip = r["lips"]
        mouth = ", ".join(f"{value:.2f}" for value in r["mouth_correlation"])
        lines.append(
            f"| `{name}` | {_range(lip['correlation'], lip['interval_95'], '.2f')} | "
            f"{_range(lip['another_time'], lip['another_time_interval_95'], '.2f')} | "
            f"{_range(lip['rebuilt_as_itself'], lip['rebuilt_as_itself_interval_95'], '.2f')} | "
            f"{mouth} |"
        )
    seconds = next(iter(result["models"].values()))["lips"]["seconds"]
    return [*lines, "", f"Correlations; intervals by bootstrap over {seconds} blocks of a second."]


def training(result: Result) -> list[str]:
    """That networks train, are killed, and go on."""
    lines = [
        "| network | batch | steps | an hour | killed, went on from step | loss, first tenth | "
        "last tenth | held-out SSIM |",
        "|---" * 8 + "|",
    ]
    for name, r in result["models"].items():
        lines.append(
            f"| {name} | {r['batch']} | {r['steps']} | {r['steps_per_hour']} | "
            f"{r['resumed_from_step']} | {r['loss_first_tenth']:.4f} | "
            f"{r['loss_last_tenth']:.4f} | {r['rebuilt_ssim']:.3f} |"
        )
    return lines


def speed(result: Result) -> list[str]:
    """Steps an hour beside a straightforward port, and frames a second."""
    lines = [
        "| network | precision | two-sided steps an hour | the port's | ratio by turns | "
        "peak MB | the port's |",
        "|---" * 7 + "|",
    ]
    for r in result["rows"]:
        ours, port = r["ours"], r["straightforward"]
        lines.append(
            f"| `{r['model']}` | {r['precision']} | {ours['steps_per_hour']} | "
            f"{port['steps_per_hour']} | {r['ratio_wall']:.2f} | {ours['peak_mb']} | "
            f"{port['peak_mb']} |"
        )
    where = result["environment"]
    said = [
        f"Batch {result['batch_per_person']} a person, {result['threads']} threads, "
        f"{where['cpu']}, n = {result['rows'][0]['steps']} steps each."
    ]
    swap = result["swap"]
    if swap is not None:
        said.append(
            f"A clip of {swap['size'][0]} x {swap['size'][1]} with one face is swapped at "
            f"{swap['fps']:.1f} frames a second ({swap['frames']} frames, reading, marking and "
            f"writing included; peak {swap['peak_mb']} MB)."
        )
    return [*lines, "", " ".join(said)]


def occlusion(result: Result) -> list[str]:
    """What is kept of things before a face."""
    lines = [
        "| things | clips | occluder pixels kept [95 %] | free face still replaced |",
        "|---|---|---|---|",
    ]
    for name, r in result["shares"].items():
        lines.append(
            f"| {name} | {r['clips']} | {_range(r['kept'], r['kept_interval_95'], '.1%')} | "
            f"{r['free_face_still_replaced']:.1%} |"
        )
    size = f" at the size of `{result['like']}`" if result.get("like") else ""
    return [
        *lines,
        "",
        f"`{result['model']}`{size}, {result['steps']} steps of {result['batch']}. Kept: of the "
        "pixels that the thing covers and that the swap through it replaced, those in which the "
        "new face weighs less than a half.",
    ]


def privacy(result: Result) -> list[str]:
    """How far people are recognised before and after."""
    lines = [
        "| everybody gets | people, seconds | recognised before | after [95 %] | nearest of the "
        "gallery before | after [95 %] |",
        "|---" * 6 + "|",
    ]
    for name, r in result["methods"].items():
        lines.append(
            f"| `{name}` | {r['people']}, {r['seconds']} | {r['before']:.0%} | "
            f"{_range(r['after'], r['after_interval_95'])} | {r['first_before']:.0%} | "
            f"{_range(r['first_after'], r['first_after_interval_95'])} |"
        )
    return [
        *lines,
        "",
        f"Gallery: {result['gallery']} people. Intervals take the seconds as n. "
        f"Judge: {result['recogniser']['name']}, limit {result['recogniser']['limit']}.",
    ]


def style(result: Result) -> list[str]:
    """What the style route does."""
    r = result["style"]
    return [
        f"{r['steps']} steps, {_minutes(r['training_seconds'])} minutes, judged by "
        f"{r['feature_network']}: loss {r['loss_first']:.2f} to {r['loss_last']:.2f} (style part "
        f"{r['style_first']:.2f} to {r['style_last']:.2f}). {r['swapped']} frames repainted; "
        f"nearer the source in {_range(r['nearer_source'], r['nearer_source_interval_95'])} of "
        f"{r['frames']}; moved by {r['margin'] - r['margin_of_the_real_clip']:.2f} of embedding "
        f"distance towards the source (two strangers are about 0.6 apart); lips follow by "
        f"{_range(r['lips'], r['lips_interval_95'], '.2f')}.",
    ]


def watermark(result: Result) -> list[str]:
    """Survival, visibility, and false alarms of the watermark."""
    head = "| after | windows | payload read [95 %] | raw bit errors of 80 |"
    lines = [head, "|---|---|---|---|"]
    for name, r in result["survival"].items():
        lines.append(
            f"| {name} | {r['windows']} | {_range(r['share'], r['interval_95'], '.1%')} | "
            f"{r['mean_bit_errors']:.1f} |"
        )
    level, alarm = result["psnr_db"], result["false_alarm"]
    footage = min(r["windows_of_footage"] for r in result["survival"].values())
    return [
        *lines,
        "",
        f"{result['clips']} of {result['clips_in_all']} real clips; the windows of short clips "
        f"overlap, and the interval counts the {footage} that fit end to end into their footage. "
        f"PSNR {level['mean']:.1f} dB on "
        f"average, {level['lowest_frame']:.1f} dB in the worst of {level['frames']} frames. "
        f"{alarm['alarms']} false alarms in {alarm['trials']} trials of unmarked windows with "
        f"random keys (95 % upper bound {alarm['upper_95']:.1e}; expected "
        f"{alarm['expected_rate']:.1e}).",
    ]


WRITERS: dict[str, tuple[str, Callable[[Result], list[str]]]] = {
    "swapper-identity": ("swapper-identity", identity),
    "swapper-movement": ("swapper-identity", movement),
    "swapper-training": ("swapper-training", training),
    "swapper-speed": ("swapper-speed", speed),
    "swapper-occlusion": ("swapper-occlusion", occlusion),
    "swapper-privacy": ("swapper-privacy", privacy),
    "swapper-style": ("swapper-style", style),
    "watermark": ("watermark", watermark),
}
"""Block name: the benchmark that it is written from, and its writer."""
