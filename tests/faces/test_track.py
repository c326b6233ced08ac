from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensics.faces import FaceFollower, follow_faces
from forensics.testing import draw_frames
from forensics.types import FaceCrops, Frame

Picture = NDArray[np.uint8]


def film(pictures: list[Picture], shots: list[int], **rest: object) -> list[Frame]:
    frames = draw_frames(pictures, count=len(shots), **rest)  # type: ignore[arg-type]
    return [
        Frame(image, pts=index / 5, shot=shot)
        for index, (image, shot) in enumerate(zip(frames, shots, strict=True))
    ]


def test_two_faces_make_two_tracks(head: Picture) -> None:
    followed = follow_faces(film([head, head[:, ::-1]], [0, 0, 0, 0]))
    assert [len(track) for track, _ in followed] == [4, 4]
    (first, crops), (second, _) = followed
    assert sorted([first.id, second.id]) == [0, 1]
    assert np.allclose(first.pts, [0, 0.2, 0.4, 0.6])
    # Each stays on its own side of the frame.
    sides = [track.boxes[:, [0, 2]].mean(1) < 320 for track, _ in followed]
    assert all(side.all() or not side.any() for side in sides)
    assert sides[0][0] != sides[1][0]
    assert crops.data.shape == (4, 256, 256, 3)
    assert np.isfinite(crops.mesh).all()
    assert all(quality.usable for quality in crops.quality)


def test_a_cut_ends_every_track(head: Picture) -> None:
    followed = follow_faces(film([head], [0, 0, 1, 1, 1]))
    assert [(track.shot, len(track)) for track, _ in followed] == [(0, 2), (1, 3)]


def test_black_frames_and_upside_down_heads_have_no_tracks(head: Picture) -> None:
    black = [Frame(np.zeros((240, 320, 3), np.uint8), pts=float(i)) for i in range(2)]
    assert follow_faces(black) == []
    assert follow_faces(film([np.ascontiguousarray(head[::-1])], [0, 0])) == []


def test_crops_are_handed_on_in_bounded_chunks(head: Picture) -> None:
    chunks: list[FaceCrops] = []
    follower = FaceFollower(chunks.append, chunk=2)
    counts = [follower.push(frame) for frame in film([head], [0] * 5)]
    (track,) = follower.close()
    assert counts == [1] * 5
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    assert np.array_equal(np.concatenate([chunk.pts for chunk in chunks]), track.pts)
