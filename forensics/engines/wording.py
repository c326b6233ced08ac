"""One plain sentence for each measurement."""

from __future__ import annotations

import math

from forensics.detectors import Detector

_UNITS = {
    "face_crops": ("picture", "pictures"),
    "track": ("burst of pictures", "bursts of pictures"),
}


def explain(detector: Detector, llr: float | None, count: int, suspect: float) -> str:
    """Say what a detector measured on one face.

    Args:
        detector: Whose measurement it is; its ``sign`` names what it looks for.
        llr: Its own calibrated log likelihood ratio, or None.
        count: Crops or bursts measured.
        suspect: Log ratio from which a face is suspect by this measurement alone.
    """
    one, many = _UNITS.get(detector.input, _UNITS["face_crops"])
    unit = one if count == 1 else many
    sign = detector.sign or f"what the detector {detector.name} looks for"
    if llr is None:
        return (
            f"Looked on {count} {unit} for {sign}; this measurement is not calibrated, so it "
            "concludes nothing."
        )
    times = math.exp(abs(llr))
    if llr >= suspect:
        return (
            f"On {count} {unit} there is {sign}; what was measured is {times:.1f} times as likely "
            "for a manipulated face."
        )
    if llr > 0:
        return (
            f"On {count} {unit} there are weak signs of {sign}, {times:.1f} times as likely for a "
            "manipulated face; by itself too weak to call the face suspect."
        )
    return (
        f"On {count} {unit} nothing stands out that would show {sign}; what was measured is "
        f"{times:.1f} times as likely for a face that was not manipulated."
    )
