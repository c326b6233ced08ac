"""What covers a face: ignored or kept, and known to the pixel either way."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import av

from forensics.errors import UnreadableInputError, UsageError
from forensics.faces.align import template
from forensics.media import open_clip, write_video
from forensics.types import Clip, FaceTrack
from generator import swap as module
from generator.compose import BlendConfig
from generator.methods import FACE_MARGIN, AlignedFace, Method, SwappedFace
from generator.occlude import draw_occluder, find_occluder
from generator.replace import Replacement, replace_faces
from generator.scene import Scene, SceneTrack
from generator.swap import SwapConfig, swap
from generator.trajectory import make_trajectory

TIMES = np.arange(4) / 25.0
SIZE = (180, 240)


class Green(Method):
    """Paint a green square over the whole face."""

    name = "green"
    summary = "for tests"
    needs_source = False

    def swap_face(self, target: AlignedFace) -> SwappedFace:
        mask = np.zeros((256, 256), np.float32)
        mask[50:206, 50:206] = 1.0
        face = np.zeros((256, 256, 3), np.uint8)
        face[..., 1] = 255
        return SwappedFace(face, mask=mask, visible=self.visible(target), finished=True)

    def visible(self, target: AlignedFace) -> np.ndarray | None:
        return None


class Seeing(Green):
    """Takes for a face what is as grey as the clip."""

    @property
    def sees_occluders(self) -> bool:
        return True

    def visible(self, target: AlignedFace) -> np.ndarray | None:
        off = np.abs(target.crop.astype(np.int16) - 90).max(axis=2)
        return (off < 12).astype(np.float32)


def scene_track() -> SceneTrack:
    points = np.stack([template(110, FACE_MARGIN) + (65, 30)] * len(TIMES)).astype(np.float32)
    boxes = np.concatenate([points.min(1), points.max(1)], axis=1)
    track = FaceTrack(
        0, pts=TIMES, boxes=boxes, landmarks=points, confidence=np.ones(len(TIMES), np.float32)
    )
    left, right, nose, mouth_left, mouth_right = points[0]
    mesh = np.zeros((len(TIMES), 468, 3), np.float32)
    mesh[..., :2] = nose
    mesh[:, [33, 133], :2], mesh[:, [362, 263], :2] = left, right
    mesh[:, [13, 14], :2] = (mouth_left + mouth_right) / 2
    path = make_trajectory(track, mesh, ("",) * len(TIMES), sigma=0.0)
    return SceneTrack(path, 0, points, np.zeros((len(TIMES), 4)))


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "target.mp4"
    write_video(path, [np.full((*SIZE, 3), 90, np.uint8)] * len(TIMES), fps=25)

    def look(clip: Clip, *, steadiness: float = 1.0) -> Scene:
        return Scene((scene_track(),), 1, len(TIMES))

    monkeypatch.setattr(module, "look", look)
    return path


def masks(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Swap and occluder masks of the first frame."""
    first = []
    for index in (0, 1):
        with av.open(str(path)) as file:
            first.append(next(file.decode(video=index)).to_ndarray(format="gray"))
    return first[0], first[1]


def run(target: Path, out: Path, method: Method, *, keep: bool) -> tuple[np.ndarray, np.ndarray]:
    config = SwapConfig(keep_occluders=keep, visible_label=False)
    swap(target, out, method, occluder=draw_occluder("mask", seed=1), config=config)
    return masks(out.with_suffix(".masks.mkv"))


def test_an_ignored_occluder_is_painted_over_and_still_known(target: Path, tmp_path: Path) -> None:
    swapped, occluder = run(target, tmp_path / "o.mp4", Green(), keep=False)
    covered = occluder > 127
    assert covered.sum() > 400
    assert (swapped[covered] > 127).mean() > 0.4
    facts = json.loads((tmp_path / "o.sidecar.json").read_text())
    assert facts["occlusion"] == {
        "occluder": "mask", "mask_from": "ground truth", "variant": "ignored", "kept_by": None
    }  # fmt: skip


@pytest.mark.parametrize(("method", "by"), [(Green, "ground truth"), (Seeing, "prediction")])
def test_a_kept_occluder_stays_on_top(
    target: Path, tmp_path: Path, method: type[Method], by: str
) -> None:
    ignored, truth = run(target, tmp_path / "i.mp4", method(), keep=False)
    swapped, occluder = run(target, tmp_path / "k.mp4", method(), keep=True)
    assert np.array_equal(occluder, truth)
    contested = (truth > 127) & (ignored > 127)
    assert (swapped[contested] > 127).mean() < 0.05
    free = (truth < 10) & (ignored > 200)
    assert (swapped[free] > 127).mean() > 0.9
    facts = json.loads((tmp_path / "k.sidecar.json").read_text())
    assert facts["occlusion"]["kept_by"] == by
    with av.open(str(tmp_path / "k.mp4")) as clip:
        picture = next(clip.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    green = picture[..., 1] - picture[..., 0] > 60
    assert green[contested].mean() < 0.1


def test_what_a_network_takes_for_covered_is_written_when_nothing_was_put_there(
    target: Path, tmp_path: Path
) -> None:
    swap(target, tmp_path / "o.mp4", Seeing(), config=SwapConfig(visible_label=False))
    facts = json.loads((tmp_path / "o.sidecar.json").read_text())
    assert facts["occlusion"]["mask_from"] == "prediction"
    assert masks(tmp_path / "o.masks.mkv")[1].mean() < 5  # a bare grey face is not covered


def test_outside_the_span_the_occluder_stays_and_the_face_is_not_touched(target: Path) -> None:
    from forensics.media import open_clip

    how = Replacement(BlendConfig(), span=(0.0, 0.06), occluder=draw_occluder("cup"))
    rows = list(replace_faces(open_clip(target), [scene_track()], Green(), how))
    assert [r.row["label"] for r in rows] == ["swap", "swap", "pass-through", "pass-through"]
    assert rows[3].row["reason"] == "outside_span"
    assert rows[3].swapped.max() == 0
    assert rows[3].occluder is not None
    assert rows[3].occluder.max() == 255


def test_occluders_are_found_by_name_or_file(tmp_path: Path) -> None:
    assert find_occluder("cup").name == "cup"
    with pytest.raises(UsageError, match="no occluder 'hat'"):
        find_occluder("hat")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "x.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableInputError):
        find_occluder(str(tmp_path / "masks" / "x.png"))


def test_pictures_without_a_face_ask_nothing_of_the_method(tmp_path: Path) -> None:
    class Strict(Green):
        """A network cannot paint no faces."""

        def swap_faces(self, targets: Sequence[AlignedFace]) -> list[SwappedFace]:
            assert targets
            return super().swap_faces(targets)

    # The face is there for the first four of twenty pictures only.
    path = tmp_path / "gone.mp4"
    write_video(path, [np.full((*SIZE, 3), 90, np.uint8)] * 20, fps=25)
    made = list(replace_faces(open_clip(path), [scene_track()], Strict(), Replacement()))
    assert len(made) == 20
