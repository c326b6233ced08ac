"""Reason codes in plain English: what happened, and what the person can do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One code in words.

    Attributes:
        sentence: What it means.
        remedy: What the person can do; empty when nothing helps.
    """

    sentence: str
    remedy: str = ""


_BETTER_COPY = "Ask for the original recording, before any messenger or website re-coded it."
_MORE = "Scan more pictures (--frames or --all), or supply a longer recording."
_PERSON = "Have a person look at the pictures and at where the file comes from."

REASONS: dict[str, Reason] = {
    "not_examined": Reason(
        "This was an audit of marks and container; no detector looked at the pictures.",
        "Run forensics scan to have the faces examined.",
    ),
    "no_face": Reason(
        "No face was found in the pictures that were looked at.",
        "If a face is visible, scan more pictures (--frames or --all) or crop closer to it.",
    ),
    "face_too_small": Reason(
        "The face is too small in the picture to carry a judgement.",
        "Supply a copy of higher resolution, or a closer shot.",
    ),
    "too_blurred": Reason("The face is too blurred to be judged.", _BETTER_COPY),
    "too_noisy": Reason(
        "The picture of the face is noisier than any that the error rate was measured on.",
        "Supply a recording in better light, or the copy before noise was added.",
    ),
    "too_dark": Reason("The face is too dark to be judged.", "Supply a better-lit recording."),
    "too_bright": Reason(
        "The face is too bright to be judged: its detail is burnt out.",
        "Supply a recording with less exposure.",
    ),
    "extreme_pose": Reason(
        "The head is turned too far away from the camera.",
        "Supply a part in which the face looks towards the camera.",
    ),
    "occluded": Reason(
        "Something covers too much of the face.",
        "Supply a part in which the whole face is visible.",
    ),
    "low_quality": Reason("The picture quality is too low to carry a judgement.", _BETTER_COPY),
    "too_few_frames": Reason("Too few pictures of the face could be judged.", _MORE),
    "not_enough_evidence": Reason(
        "What was measured is too weak to decide either way.", _MORE + " " + _PERSON
    ),
    "unstable": Reason(
        "The scores change too much over time, or under re-coding, to rely on them.", _PERSON
    ),
    "colour_alone": Reason(
        "The scores rest on colours alone: without them nothing speaks for a manipulation. Lamps "
        "of several colours can look like that.",
        _PERSON,
    ),
    "conflict": Reason("Two measurements contradict each other.", _PERSON),
    "unreadable": Reason(
        "The file could not be read as a video or picture.",
        "Check that it plays, that access is allowed, and that the transfer was complete.",
    ),
    "worker_crashed": Reason(
        "The decoder crashed on this file and was contained.",
        "Treat the file with care; ask for another copy.",
    ),
    "timeout": Reason(
        "Reading the file took longer than the allowed time.",
        "Raise the time limit and scan again.",
    ),
    "over_limit": Reason(
        "The file is larger than the limits that were set (bytes, pixels or duration).",
        "Raise the limit named in the message, or cut out the part that matters.",
    ),
    "truncated": Reason(
        "The file ends before it should; only its beginning was examined.",
        "Ask for a complete copy.",
    ),
    "above_threshold": Reason(
        "The combined score lies above the decision threshold.",
        "Compare the most suspicious pictures with other recordings of the same person.",
    ),
    "some_faces_not_judged": Reason(
        "Some faces could not be judged; the verdict rests on the others.",
        "See which faces abstained, and why, in the table of faces.",
    ),
    "not_calibrated": Reason(
        "The detectors that ran have no calibration, so their scores conclude nothing.",
        "Run the default detectors (leave out --detectors).",
    ),
    "below_threshold": Reason("The combined score lies below the decision threshold."),
    "uncalibrated": Reason(
        "The scores have not been calibrated, so they are no probabilities.",
        "Run forensics calibrate with files of your own kind.",
    ),
    "many_tracks": Reason("Several faces were tested; the result allows for that."),
    "out_of_domain": Reason(
        "The file is unlike those that the error rate was measured on.", _PERSON
    ),
    "model_missing": Reason("A model file is missing.", "Run forensics models pull."),
    "internal": Reason(
        "The program met an error of its own; this is no statement about the file.",
        "Please report it with the error line.",
    ),
}


def explain(code: str) -> Reason:
    """Return the words for ``code``; an unknown code is named as such, never dropped."""
    known = REASONS.get(code)
    return known or Reason(f"Reason code {code} (no description is available).")
