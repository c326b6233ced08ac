from __future__ import annotations

from pathlib import Path

import numpy as np

from forensics.media import write_video


def test_the_same_pictures_make_the_same_bytes(tmp_path: Path) -> None:
    """Sizes that are no multiple of four showed it first, in one of a few runs."""
    rng = np.random.default_rng(0)
    still = rng.integers(0, 256, (326, 326, 3))
    pictures = [
        np.clip(np.roll(still, shift, 1) + rng.normal(0, 9, still.shape), 0, 255).astype(np.uint8)
        for shift in range(12)
    ]
    made = set()
    for number in range(5):
        path = tmp_path / f"{number}.mp4"
        write_video(path, pictures, fps=25, crf=23)
        made.add(path.read_bytes())
    assert len(made) == 1
