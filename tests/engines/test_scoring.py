from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.engines import Scanner
from forensics.engines.scoring import ScanScorer
from forensics.errors import UnreadableInputError
from forensics.media import write_video
from forensics.testing import draw_frames, make_clip


@pytest.fixture(scope="session")
def scorer(models: None) -> ScanScorer:
    return ScanScorer(frames=4)


@pytest.mark.parametrize("shape", [(256, 256), (40, 40), (90, 60), (1, 1)])
def test_every_crop_gets_a_number(shape: tuple[int, int], scorer: ScanScorer) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    scored = scorer.score_crop(image)
    assert scored.score is not None and math.isfinite(scored.score)
    assert scored.probability is not None and 0 < scored.probability < 1
    assert not scored.abstained


def test_crops_differ(head: NDArray[np.uint8], scorer: ScanScorer) -> None:
    assert scorer.score_crop(head).score != scorer.score_crop(head[40:180, 20:160]).score


def test_judged_clip_has_its_ratio_as_score(clip: Path, scorer: ScanScorer) -> None:
    scored = scorer.score_clip(clip)
    assert not scored.abstained
    assert scored.score == scored.llr
    assert scored.probability == pytest.approx(1 / (1 + math.exp(-(scored.llr or 0.0))))


def test_refused_crops_count_in_evaluation_no_more_than_in_a_scan(
    head: NDArray[np.uint8], tmp_path: Path, scanner: Scanner, scorer: ScanScorer
) -> None:
    frames = list(draw_frames([head], count=4, size=(320, 240)))
    frames[1] = np.asarray(cv2.GaussianBlur(frames[1], (0, 0), 3.5), np.uint8)
    path = tmp_path / "one_blurred.mp4"
    write_video(path, frames, fps=10)
    (track,) = scanner.scan(path).tracks
    assert track.quality["usable_share"] == 0.75 and not track.abstained
    # Other batches of crops, so the last digits may differ.
    assert scorer.score_clip(path).llr == pytest.approx(track.llr, abs=1e-9)


def test_abstained_clips_still_get_a_number(
    carphone: Path, tmp_path: Path, scorer: ScanScorer
) -> None:
    for path in (carphone, make_clip(tmp_path / "room.mp4", count=4, size=(320, 240))):
        scored = scorer.score_clip(path)
        assert scored.abstained and scored.reasons
        assert scored.score is not None and math.isfinite(scored.score)
        assert (scored.probability, scored.llr) == (0.5, 0.0)


def test_unreadable_file_is_named_once(tmp_path: Path, scorer: ScanScorer) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    with pytest.raises(UnreadableInputError) as caught:
        scorer.score_clip(path)
    assert str(caught.value).count("notes.mp4") == 1


def test_identity_is_json_and_follows_the_options(scorer: ScanScorer) -> None:
    assert json.dumps(scorer.identity) == json.dumps(ScanScorer(frames=4).identity)
    assert scorer.identity != ScanScorer(frames=5).identity
