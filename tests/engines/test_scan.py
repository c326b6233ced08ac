from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import cv2
import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.engines import Scanner, ScanOptions, scan
from forensics.errors import UsageError
from forensics.faces import follow_faces
from forensics.faces.align import map_on_frame
from forensics.media import open_clip, stream_frames
from forensics.report.model import report_to_dict, schema
from forensics.testing import make_clip
from forensics.types import VerdictLabel
from forensics.verdict.calibration import Context, read_calibration


def test_a_judged_clip(clip: Path, scanner: Scanner) -> None:
    calls: list[tuple[int, int | None]] = []
    report = scanner.scan(clip, lambda seen, planned: calls.append((seen, planned)))
    assert report.error is None
    assert report.clip is not None and report.clip.size == (320, 240)
    (track,) = report.tracks
    assert not track.abstained
    assert len(track.scores) == 4
    assert [box[0] for box in track.boxes] == [pts for pts, _ in track.scores]
    assert all(left < right and top < bottom for _, left, top, right, bottom in track.boxes)
    assert all(0 <= score <= 1 for _, score in track.scores)
    assert report.verdict.label in get_args(VerdictLabel)
    assert report.verdict.probability is not None
    assert track.llr == report.verdict.llr
    told = {(item.source, item.kind): item for item in report.evidence if item.track_id == 0}
    measured = {source for source, kind in told if kind != "timeline"}
    assert "blend" in measured and measured <= set(scanner.calibration.detectors)
    assert all(item.explanation.endswith(".") for item in told.values())
    assert len({item.explanation for item in told.values()}) == len(told)
    assert told["blend", "timeline"].values["per_second"]
    assert calls == [(n, 4) for n in (1, 2, 3, 4)]
    assert report.environment["sampling"]["pictures_with_face"] == 4
    assert report.environment["weights_sha256"]["blend"]
    assert report.environment["config"]["calibration_sha256"] == scanner.calibration.sha256
    assert 1 <= len(report.illustrations) <= 6
    jsonschema.validate(report_to_dict(report), schema())


def test_faces_cut_out_before_are_judged_as_a_scan_judges_them(
    clip: Path, carphone: Path, scanner: Scanner
) -> None:
    for path in (clip, carphone):
        with stream_frames(open_clip(path), scanner.options.plan()) as frames:
            faces = follow_faces(frames)
        verdict, judged = scanner.say(faces)
        report = scanner.scan(path)
        assert verdict == report.verdict
        assert [said.result for said, _ in judged] == list(report.tracks)


def comparable(report: Any) -> dict[str, Any]:
    made = report_to_dict(report)
    made["file"].pop("path")
    return made


def test_same_bytes_same_report_whatever_the_name(
    clip: Path, scanner: Scanner, tmp_path: Path
) -> None:
    other = tmp_path / "totally_fake_deepfake.mp4"
    shutil.copy(clip, other)
    first, second = scanner.scan(clip), scanner.scan(other)
    assert comparable(first) == comparable(second)
    assert first.illustrations[0].score == second.illustrations[0].score


def test_small_face_is_not_judged(carphone: Path) -> None:
    report = scan(carphone, options=ScanOptions(frames=6))
    assert report.verdict.label == "inconclusive"
    assert "face_too_small" in report.verdict.reasons
    assert report.verdict.probability is None
    assert report.tracks
    assert all(track.abstained and track.llr is None for track in report.tracks)


def test_text_named_as_video_is_reported_as_unreadable(tmp_path: Path, scanner: Scanner) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("this is no video\n" * 40)
    report = scanner.scan(path)
    assert report.verdict.label == "inconclusive"
    assert report.verdict.reasons[0] == "unreadable"
    assert report.error is not None and "notes.mp4" in report.error
    facts = report_to_dict(report)["file"]
    assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts["bytes"] == path.stat().st_size
    assert "\n" not in report.error
    assert report.tracks == ()
    assert not [item for item in report.evidence if item.source != "provenance"]
    jsonschema.validate(report_to_dict(report), schema())


def test_absent_and_empty_files_too(tmp_path: Path, scanner: Scanner) -> None:
    (tmp_path / "empty.mp4").touch()
    for name in ("empty.mp4", "absent.mp4"):
        report = scanner.scan(tmp_path / name)
        assert report.error is not None
        assert report.verdict.reasons[0] == "unreadable"


def test_no_face(tmp_path: Path, scanner: Scanner) -> None:
    path = make_clip(tmp_path / "empty_room.mp4", count=4, size=(320, 240))
    report = scanner.scan(path)
    assert report.error is None
    assert (report.verdict.label, report.verdict.reasons) == ("inconclusive", ("no_face",))


def test_a_still_picture_is_judged_by_its_one_crop(
    astronaut: NDArray[np.uint8], tmp_path: Path, scanner: Scanner
) -> None:
    path = tmp_path / "portrait.png"
    cv2.imwrite(str(path), astronaut[..., ::-1])
    report = scanner.scan(path)
    assert report.clip is not None and report.clip.kind == "image"
    (track,) = report.tracks
    assert not track.abstained and len(track.scores) == 1
    # One picture cannot carry a model of several detectors: the leading one judges it alone.
    judge = scanner.judge
    told = {item.source: item for item in report.evidence if item.track_id == 0}
    assert len(told) > 1
    assert track.llr == pytest.approx(told[judge.leading].llr)


def test_a_clip_is_judged_by_every_calibrated_detector(scanner: Scanner) -> None:
    judge = scanner.judge
    context = Context(grain=-0.1)
    logits = {name: np.full(8, 1.0) for name in judge.names}
    assert len(judge.names) > 1
    of_clip = judge.likelihood(logits, context, still=False)
    of_still = judge.likelihood(logits, context, still=True)
    assert of_clip is not None and of_clip.detectors == judge.names
    assert of_still is not None and of_still.detectors == (judge.leading,)
    others = {name: values for name, values in logits.items() if name != judge.leading}
    without = judge.likelihood(others, context, still=True)
    assert without is None or judge.leading not in without.detectors


@pytest.mark.parametrize(
    "options",
    [
        {"prior": 0.0},
        {"level": "slow"},
        {"declared": "maybe"},
        {"device": "abacus"},
        {"frames": 0},
        {"every": -1.0},
    ],
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ScanOptions(**options)


def test_digest_follows_the_options() -> None:
    assert ScanOptions().digest() == ScanOptions().digest()
    assert ScanOptions().digest() != ScanOptions(frames=8).digest()


def test_false_alarm_target_beyond_n_is_refused(models: None) -> None:
    with pytest.raises(UsageError, match="not supported by n"):
        Scanner(ScanOptions(target_fpr=1e-6))


def test_unknown_detector_is_refused(models: None) -> None:
    with pytest.raises(UsageError, match="did you mean 'blend'"):
        Scanner(ScanOptions(detectors=("blende",)))


def test_the_map_lies_on_the_original_frame(clip: Path, scanner: Scanner) -> None:
    item = scanner.scan(clip).illustrations[0]
    assert item.frame_size == (320, 240) and item.to_frame is not None and item.heat is not None
    assert item.frame is not None and item.frame.shape == (240, 320, 3)
    (left, top, right, bottom) = scanner.scan(clip).tracks[0].boxes[0][1:]
    ones = map_on_frame(np.ones((24, 24), np.float32), item.to_frame, item.frame_size)
    assert ones.shape == (240, 320)
    assert ones[int((top + bottom) / 2), int((left + right) / 2)] == 1.0
    assert 0 < ones.mean() < 1


def test_a_calibration_of_other_weights_is_refused(models: None, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    shipped = read_calibration()
    other = replace(shipped, weights_sha256=shipped.weights_sha256 | {"blend": "0" * 64})
    path.write_text(other.to_json(), encoding="utf-8")
    with pytest.raises(UsageError, match="other weights of 'blend'"):
        Scanner(ScanOptions(calibration=str(path)))
    path.write_text(replace(shipped, population="mine").to_json(), encoding="utf-8")
    made = Scanner(ScanOptions(calibration=str(path)))
    assert made.calibration.population == "mine"
    assert made.calibration.sha256 != shipped.sha256


def test_one_detector_of_the_set_is_enough(clip: Path, models: None) -> None:
    report = Scanner(ScanOptions(frames=4, detectors=("occlusion",))).scan(clip)
    assert report.verdict.llr is not None
    assert {item.source for item in report.evidence if item.track_id == 0} == {"occlusion"}
