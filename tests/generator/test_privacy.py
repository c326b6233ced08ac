"""Everybody replaced: how far each person is still recognised, before and after."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from forensics.errors import UnreadableInputError
from forensics.media import write_video
from forensics.types import FaceTrack
from generator import privacy
from generator.privacy import privacy_report, reidentification
from generator.recognition import Recogniser
from generator.scene import Scene, SceneTrack
from generator.trajectory import make_trajectory

TIMES = np.arange(50) / 25.0
MEANS = {0: np.array([0.0, 0.0, 1.0]), 1: np.array([4.0, 0.0, 0.0])}
STRANGER = np.array([0.0, 9.0, 0.0])


def track(person: int, frames: int = len(TIMES)) -> SceneTrack:
    points = np.zeros((frames, 5, 2), np.float32) + 100 * (person + 1)
    points[:, 1, 0] += 30
    boxes = np.concatenate([points.min(1), points.max(1)], axis=1)
    seen = FaceTrack(
        person, pts=TIMES[:frames], boxes=boxes, landmarks=points,
        confidence=np.ones(frames, np.float32),
    )  # fmt: skip
    mesh = np.zeros((frames, 468, 3), np.float32)
    path = make_trajectory(seen, mesh, ("",) * frames, sigma=0.0)
    return SceneTrack(path, person, points, np.zeros((frames, 3)))


class Played:
    """Person 0 becomes the stranger, person 1 stays, and is lost in the second half."""

    name, limit = "played", None

    def describe_clip(self, path: Path) -> tuple[Scene, dict[int, np.ndarray]]:
        rng = np.random.default_rng(0)
        after = path.stem == "after"
        tracks = (track(0), track(1, 25 if after else 50))
        centres = {0: STRANGER, 1: MEANS[1]} if after else MEANS
        rows = {
            t.person: centres[t.person] + rng.normal(0, 0.05, (len(t.raw), 3)) for t in tracks
        }
        return Scene(tracks, 2, len(TIMES)), rows


def test_who_was_replaced_is_no_longer_recognised() -> None:
    first, second = reidentification(
        Path("before.mp4"), Path("after.mp4"), embedding=Played(), others={"x": STRANGER}
    )
    assert (first.frames, first.frames_after) == (25, 50)
    assert first.before > 0.8
    assert (first.after, first.first_before, first.first_after) == (0.0, 1.0, 0.0)
    assert 0.35 < second.after <= 0.5  # half of its frames are gone
    assert second.first_after == 0.5
    low, high = first.interval_after
    assert low == 0.0
    assert 0.5 < high < 1.0  # two seconds of clip carry no more


def test_the_report_lies_beside_the_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("before", "after"):
        write_video(tmp_path / f"{name}.mp4", [np.zeros((32, 32, 3), np.uint8)] * 2, fps=25)
    monkeypatch.setattr(privacy, "Coarse", Played)
    rows, place = privacy_report(tmp_path / "before.mp4", tmp_path / "after.mp4")
    content = json.loads(place.read_text())
    assert place.name == "after.privacy.json"
    assert [p["person"] for p in content["people"]] == [r.person for r in rows] == [0, 1]
    assert content["embedding"]["name"] == "played"
    assert content["people"][0]["after"] == 0.0


def test_a_folder_without_the_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="no face recognition network"):
        Recogniser(tmp_path)
    manifest = tmp_path / "face_recognition_model-weights_manifest.json"
    entry = {"name": "x", "shape": [9], "dtype": "float32"}
    (tmp_path / "w.bin").write_bytes(b"123")
    manifest.write_text(json.dumps([{"paths": ["../w.bin"], "weights": [entry]}]))
    with pytest.raises(UnreadableInputError, match="no face recognition network"):
        Recogniser(tmp_path)
