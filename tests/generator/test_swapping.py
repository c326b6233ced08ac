import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from forensics.errors import UnreadableInputError, UsageError
from forensics.faces.align import align_face, similarity, template
from forensics.media import SamplingPlan, open_clip, stream_frames, write_video
from forensics.provenance.aigc import read_aigc
from forensics.provenance.c2pa import read_c2pa
from forensics.types import Clip, FaceTrack
from generator import swap as module
from generator.compose import BlendConfig, ColourMatch, paste, soften
from generator.methods import (
    FACE_MARGIN,
    AlignedFace,
    Method,
    SwappedFace,
    create_method,
    list_methods,
    register_method,
)
from generator.people import group_tracks, separation
from generator.scene import Scene, SceneTrack
from generator.swap import SwapConfig, swap
from generator.trajectory import jitter, make_trajectory, smooth

TIMES = np.arange(6) / 25.0
PLACES = {0: (90.0, 90.0), 1: (230.0, 90.0)}  # two people side by side
LOST = 3  # in this frame nobody has a usable face


class Green(Method):
    """Paint a green square: easy to find again."""

    name = "green"
    summary = "for tests"
    needs_source = False

    def swap_face(self, target: AlignedFace) -> SwappedFace:
        mask = np.zeros((256, 256), np.float32)
        mask[80:180, 80:180] = 1.0
        face = np.zeros((256, 256, 3), np.uint8)
        face[..., 1] = 255
        return SwappedFace(face, mask=mask, finished=True)


def landmarks(x: float, y: float) -> np.ndarray:
    return template(80, FACE_MARGIN) + (x - 40, y - 40)


def scene_track(person: int) -> SceneTrack:
    points = np.stack([landmarks(*PLACES[person])] * len(TIMES)).astype(np.float32)
    boxes = np.concatenate([points.min(1), points.max(1)], axis=1)
    track = FaceTrack(
        person, pts=TIMES, boxes=boxes, landmarks=points, confidence=np.ones(len(TIMES), np.float32)
    )
    mesh = np.zeros((len(TIMES), 468, 3), np.float32)
    mesh[..., :2] = points.mean(1)[:, None]
    reasons = tuple("no_face" if i == LOST else "" for i in range(len(TIMES)))
    path = make_trajectory(track, mesh, reasons, sigma=0.04)
    return SceneTrack(path, person, points, np.zeros((len(TIMES), 4)))


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grey clip; finding faces in it is played."""
    path = tmp_path / "target.mp4"
    write_video(path, [np.full((180, 320, 3), 90, np.uint8)] * len(TIMES), fps=25)

    def look(clip: Clip, *, steadiness: float = 1.0) -> Scene:
        return Scene((scene_track(0), scene_track(1)), 2, len(TIMES))

    monkeypatch.setattr(module, "look", look)
    return path


def green_share(path: Path, person: int) -> list[float]:
    x, y = (int(v) for v in PLACES[person])
    with stream_frames(open_clip(path), SamplingPlan(all=True)) as frames:
        spots = [f.image[y - 8 : y + 8, x - 8 : x + 8].astype(int) for f in frames]
    return [float((s[..., 1] - s[..., 0] > 60).mean()) for s in spots]


def test_only_the_chosen_person_is_swapped_marked_and_described(
    target: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    result = swap(
        target, out, Green(seed=1), config=SwapConfig(person=1, visible_label=False)
    )
    assert (result.frames, result.swapped, result.people) == (6, 5, 2)
    assert [round(v) for v in green_share(out, 1)] == [1, 1, 1, 0, 1, 1]
    assert max(green_share(out, 0)) == 0
    clip, before = open_clip(out), open_clip(target)
    assert (clip.size, clip.fps) == (before.size, before.fps)
    (label,) = read_aigc(out)
    assert "1" in str(label)
    assert read_c2pa(out).ingredients == ("target.mp4",)
    facts = json.loads((tmp_path / "out.sidecar.json").read_text())
    assert facts["label"] == "swap"
    assert facts["method"] == "green"
    assert facts["target"]["sha256"] == before.sha256
    assert [f["label"] for f in facts["frames"]] == ["swap"] * 3 + ["pass-through"] + ["swap"] * 2
    assert facts["frames"][LOST]["reason"] == "no_face"
    assert len(facts["frames"][0]["faces"]) == 1
    assert (tmp_path / "out.masks.mkv").stat().st_size > 100


def test_everyone_is_swapped_when_asked(target: Path, tmp_path: Path) -> None:
    swap(target, tmp_path / "out.mp4", Green(), config=SwapConfig(everyone=True))
    assert all(min(np.delete(green_share(tmp_path / "out.mp4", p), LOST)) > 0.9 for p in (0, 1))


def test_bad_requests_leave_no_file(target: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(UsageError, match="0 to 1"):
        swap(target, out, Green(), config=SwapConfig(person=5))
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(UnreadableInputError, match="empty"):
        swap(tmp_path / "empty.mp4", out, Green())
    with pytest.raises(UsageError, match="target itself"):
        swap(target, target, Green())

    class Needy(Green):
        needs_source = True

    with pytest.raises(UsageError, match="needs a source"):
        swap(target, out, Needy())
    face = AlignedFace(np.zeros((256, 256, 3), np.uint8), mesh=np.zeros((468, 3), np.float32))
    with pytest.raises(UsageError, match="consent"):
        swap(target, out, Needy(), source=[face])
    assert not out.exists()
    assert not list(tmp_path.glob("out*"))


def test_methods_are_registered_once_and_found_by_name() -> None:
    assert {"autoencoder", "reconstruct", "self-blend"} <= set(list_methods())
    with pytest.raises(UsageError, match="self-blend"):
        create_method("magic")
    with pytest.raises(UsageError, match="--model"):
        create_method("autoencoder")

    class Impostor(Green):
        name = "self-blend"

    with pytest.raises(ValueError, match="twice"):
        register_method(Impostor)


def test_a_pasted_face_lies_where_it_was_cut_out() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 255, (24, 32, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    crop, to_frame = align_face(frame, landmarks(160, 120) + 0.3, margin=FACE_MARGIN)
    canvas = np.zeros(frame.shape[:2], np.float32)
    copy = frame.copy()
    mask = np.zeros((256, 256), np.float32)
    mask[40:216, 40:216] = 1
    paste(copy, canvas, SwappedFace(crop, mask=mask), to_frame)
    assert canvas.max() == 1
    assert np.abs(copy.astype(int) - frame).mean() < 3
    assert np.array_equal(copy[canvas == 0], frame[canvas == 0])


def test_colours_follow_the_target_and_do_not_jump() -> None:
    rng = np.random.default_rng(0)
    face = np.clip(rng.normal((200, 120, 90), 12, (64, 64, 3)), 0, 255).astype(np.uint8)
    target = np.clip(rng.normal((120, 130, 160), 12, (64, 64, 3)), 0, 255).astype(np.uint8)
    everywhere = np.ones((64, 64), np.float32)
    match = ColourMatch()
    first = match.apply(face, target, everywhere)
    assert np.abs(first.mean((0, 1)) - target.mean((0, 1))).max() < 4
    flash = match.apply(face, np.clip(target.astype(int) + 60, 0, 255).astype(np.uint8), everywhere)
    assert np.abs(flash.astype(int) - first).mean() < 30


def test_a_softened_mask_is_inside_the_hard_one() -> None:
    mask = np.zeros((256, 256), np.float32)
    mask[60:200, 80:180] = 1
    soft = soften(mask, BlendConfig())
    assert soft[mask == 0].max() == 0
    assert soft[130, 130] == pytest.approx(1, abs=1e-3)
    assert 0 < soft[61, 130] < 0.5


def test_smoothing_calms_without_lag_and_keeps_a_straight_move() -> None:
    rng = np.random.default_rng(0)
    pts = np.arange(60) / 25
    line = np.stack([100 * pts, 50 * pts], axis=1)[:, None].repeat(5, 1)
    np.testing.assert_allclose(smooth(line, pts, 0.04), line, atol=1e-9)
    noisy = line + rng.normal(0, 1, line.shape)
    eyes = np.full(60, 40.0)
    assert jitter(smooth(noisy, pts, 0.04), eyes) < 0.5 * jitter(noisy, eyes)
    assert smooth(noisy[:2], pts[:2], 0.04) is not None


def test_tracks_of_one_person_join_across_a_cut_and_not_at_the_same_time() -> None:
    def track(i: int, start: float, width: float) -> FaceTrack:
        points = np.zeros((5, 5, 2), np.float32)
        boxes = np.tile(np.array([0, 0, width, width], np.float32), (5, 1))
        times = start + np.arange(5) / 25
        return FaceTrack(
            i, pts=times, boxes=boxes, landmarks=points, confidence=np.ones(5, np.float32)
        )

    tracks = [track(0, 0, 50), track(1, 0, 60), track(2, 1, 50)]
    looks = {0: np.zeros(3), 1: np.full(3, 0.1), 2: np.full(3, 0.02)}
    people = group_tracks(tracks, looks)
    assert sorted(sorted(t.id for t in p.tracks) for p in people) == [[0, 2], [1]]
    assert people[0].weight > people[1].weight


def test_two_mixed_people_lie_further_apart_than_one() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(0, 0.1, (60, 40))
    two = np.concatenate([one[:40], one[40:] + 0.5])
    low, _ = separation(one)
    high, second = separation(two)
    assert low < 1.95 < high
    assert {int(second[:40].sum()), int(second[40:].sum())} in ({0, 20}, {40, 0})


def test_the_similarity_used_for_alignment_is_exact() -> None:
    points = template(256, FACE_MARGIN)
    np.testing.assert_allclose(similarity(points, points), np.eye(2, 3), atol=1e-9)
