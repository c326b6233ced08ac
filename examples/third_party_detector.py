"""Write a detector of your own, and check that it keeps the rules.

Usage: python examples/third_party_detector.py

A package makes its detectors known by an entry point in its pyproject.toml:

    [project.entry-points."forensics.detectors"]
    skin_noise = "my_package.skin_noise"
"""

import numpy as np

import forensics as fx
from forensics.testing import check_detector


@fx.register_detector(input="face_crops", version="1", cost=1)
class skin_noise(fx.Detector):
    """Compare the finest grain inside the face with that of its surroundings.

    Args:
        inner: Share of the crop's side that counts as face.
    """

    def __init__(self, inner: float = 0.5) -> None:
        self.inner = inner

    def score(self, crops: fx.FaceCrops) -> list[fx.Evidence]:
        """Give one logit a crop, higher where the face is smoother than what surrounds it."""
        if not len(crops):
            return []
        gray = crops.data.mean(axis=-1)
        grain = np.abs(gray - (np.roll(gray, 1, axis=1) + np.roll(gray, 1, axis=2)) / 2)
        size = grain.shape[1]
        edge = int(size * (1 - self.inner) / 2)
        middle = np.zeros((size, size), bool)
        middle[edge : size - edge, edge : size - edge] = True
        # One grey level is added to both, so that flat crops give a finite number.
        logits = np.log((grain[:, ~middle].mean(1) + 1) / (grain[:, middle].mean(1) + 1))
        return [
            fx.Evidence(
                self.name,
                kind="skin_noise",
                span=(float(crops.pts[0]), float(crops.pts[-1])),
                track_id=crops.track_id,
                artifacts={"pts": crops.pts, "logits": logits},
            )
        ]


if __name__ == "__main__":
    check_detector("skin_noise", inner=0.4)
    print("skin_noise keeps the rules")
