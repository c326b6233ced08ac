"""Per face: scores over time, suspicious pictures with heat maps, quality and abstentions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from string import ascii_uppercase

from forensics.report.markup import esc, facts, label, prose, table, tag, value_html
from forensics.report.pictures import frame_overlay, jpeg_uri, legend_uri, overlay
from forensics.report.plain import plain
from forensics.report.plot import score_plot
from forensics.report.reasons import explain
from forensics.report.words import finite, ratio_words
from forensics.types import Illustration, Report, TrackResult

MAX_PICTURES = 6
MAX_ROWS = 200
FRAME_SIDE = 480
_QUALITY = {
    "inter_ocular": ("Distance between the eyes", "{:.0f} px"),
    "sharpness": ("Sharpness (log10; below about 1 is blurred)", "{:.2f}"),
    "exposure": ("Brightness (0 black, 1 white)", "{:.2f}"),
    "yaw": ("Head turn (0 is frontal)", "{:.0f}\u00b0"),
    "mesh_confidence": ("Confidence that it is a face", "{:.2f}"),
    "occlusion": ("Share of the face that is covered", "{:.0%}"),
}


def faces_section(report: Report, prefix: str) -> str:
    """Return one part per followed face, or a sentence when there is none."""
    heading = tag("h2", "Faces", id=f"{prefix}faces")
    if not report.tracks:
        return tag("section", heading, tag("p", "No face was followed in this file."))
    still = report.clip is not None and report.clip.kind == "image"
    parts = [_face(track, report, still=still) for track in report.tracks]
    return tag("section", heading, *parts)


def score_threshold(config: object) -> float | None:
    """Return ``score_threshold`` or ``threshold`` of a configuration when it lies in 0..1."""
    if not isinstance(config, Mapping):
        return None
    for name in ("score_threshold", "threshold"):
        value = config.get(name)
        if isinstance(value, int | float) and 0.0 <= value <= 1.0:
            return float(value)
    return None


def _face(track: TrackResult, report: Report, *, still: bool) -> str:
    times = "" if still else f", {track.span[0]:.1f} to {track.span[1]:.1f} s"
    parts = [tag("h3", f"Face {track.id}{times}")]
    state = "Not judged. " if track.abstained else ""
    parts.append(tag("p", esc(state), esc("" if track.abstained else ratio_words(track.llr))))
    for code in track.reasons:
        reason = explain(code)
        parts.append(tag("p", prose(f"{reason.sentence} {reason.remedy}")))
    mine = [item for item in report.illustrations if item.track_id == track.id]
    mine = sorted(mine, key=lambda item: -item.score)[:MAX_PICTURES]
    shown = dict(zip(ascii_uppercase, sorted(mine, key=lambda item: item.pts), strict=False))
    threshold = score_threshold(report.environment.get("config"))
    parts.append(_scores(track, threshold, shown, still=still))
    parts.append(_pictures(shown, still=still))
    parts.append(_quality(track))
    return "".join(parts)


def _scores(
    track: TrackResult,
    threshold: float | None,
    shown: Mapping[str, Illustration],
    *,
    still: bool,
) -> str:
    judged = [score for _, score in track.scores if math.isfinite(score)]
    if not judged:
        return ""
    if still or len(judged) == 1:
        limit = "" if threshold is None else f" (threshold {threshold:.2f})"
        return tag("p", "Score ", tag("strong", f"{max(judged):.2f}"), f"{limit}, from 0 to 1.")
    marks = {letter: (item.pts, item.score) for letter, item in shown.items()}
    plot = score_plot(track, threshold, marks)
    words = "Score of each judged picture. Grey bands: times that were not judged."
    if marks:
        words += " Letters: the pictures below."
    figure = tag("figure", plot, tag("figcaption", words))
    rows = [(f"{pts:.2f}", _score(score)) for pts, score in track.scores[:MAX_ROWS]]
    more = len(track.scores) - len(rows)
    caption = f"Scores of face {track.id}" + (
        f"; {more} more are in the JSON report" if more else ""
    )
    numbers = tag(
        "details",
        tag("summary", "Scores as numbers"),
        table(caption, ("Seconds", "Score"), rows),
    )
    return figure + numbers


def _score(score: float) -> str:
    return "not judged" if finite(score) is None else f"{score:.3f}"


def _pictures(shown: Mapping[str, Illustration], *, still: bool) -> str:
    if not shown:
        return ""
    figures = "".join(
        _moment(letter, item, still=still, alone=len(shown) == 1) for letter, item in shown.items()
    )
    legend = ""
    if any(item.heat is not None for item in shown.values()):
        bar = f'<img src="{legend_uri()}" alt="Colour scale from dark violet to pale yellow">'
        legend = tag("div", "not conspicuous ", bar, " most conspicuous", class_="legend")
    note = tag(
        "p",
        "Left: the aligned face. Right of it: where the detector saw signs, over a grey copy. "
        "Below: the same map on the whole frame. A heat map shows what raised the score, not a "
        "proven edit. Pictures are re-compressed for display.",
        class_="soft",
    )
    return (
        tag("h3", "Most suspicious pictures")
        + tag("div", figures, class_="moments")
        + legend
        + note
    )


def _moment(letter: str, item: Illustration, *, still: bool, alone: bool) -> str:
    when = "" if still else f" at {item.pts:.2f} s"
    images = f'<img src="{jpeg_uri(item.crop)}" alt="Face {item.track_id}{when}, as recorded">'
    if item.heat is not None:
        hot = jpeg_uri(overlay(item.crop, item.heat))
        images += f'<img src="{hot}" alt="Heat map of face {item.track_id}{when}">'
    whole = frame_overlay(item)
    if whole is not None:
        where = jpeg_uri(whole, FRAME_SIDE)
        alt = f"The whole frame{when} with the heat map of face {item.track_id}"
        images += f'<img class="frame" src="{where}" alt="{alt}">'
    words = f"{'' if alone else letter + ': '}score {item.score:.2f}{when}"
    return tag("figure", tag("div", images, class_="pair"), tag("figcaption", esc(words)))


def _quality(track: TrackResult) -> str:
    if not track.quality:
        return ""
    rows = [
        _quality_row(name, value)
        for name, value in sorted(plain(track.quality).items(), key=_place)
    ]
    return facts(f"Quality of face {track.id} (medians over its pictures)", rows)


def _quality_row(name: str, value: object) -> tuple[str, str]:
    title, form = _QUALITY.get(name, (label(name), ""))
    if form and isinstance(value, int | float):
        return title, esc(form.format(value))
    return title, value_html(value)


def _place(item: tuple[str, object]) -> tuple[int, str]:
    """Sort the known values first, in the order of their table, then the others by name."""
    known = list(_QUALITY)
    return (known.index(item[0]) if item[0] in known else len(known), item[0])
