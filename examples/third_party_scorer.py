"""Put a detector of your own into the benchmark's tables, beside ours on the same rows.

Usage: python -m benchmarks.accuracy --shared FOLDER --plug examples/third_party_scorer.py:Sharpness
"""

import cv2
import numpy as np


class Sharpness:
    """Call blurred faces manipulated: swapped faces often come from small decoders."""

    identity = {"name": "sharpness", "version": "1"}

    def logit(self, crop: np.ndarray) -> float:
        """Score one (h, w, 3) RGB face crop; higher is more likely manipulated."""
        gray = cv2.cvtColor(cv2.resize(crop, (224, 224)), cv2.COLOR_RGB2GRAY)
        return -float(np.log1p(cv2.Laplacian(gray, cv2.CV_32F).var())) + 5.0
