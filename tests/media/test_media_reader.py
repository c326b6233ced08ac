from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from forensics.errors import OutputError
from forensics.media import SamplingPlan, open_clip, stream_frames, warm_up, write_video
from forensics.media._child import POOL
from forensics.media.shots import ShotCounter, luma_thumb

from .conftest import Picture, corner_names, quadrants, turn

ALL = SamplingPlan(all=True)


def test_import_is_light() -> None:
    code = "import forensics.media, sys; print({'av', 'cv2', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_facts(plain: Path) -> None:
    clip = open_clip(plain)
    assert (clip.kind, clip.size, clip.codec, clip.rotation) == ("video", (64, 48), "h264", 0)
    assert clip.duration == pytest.approx(2.0)
    assert clip.fps == pytest.approx(10.0)
    assert clip.sha256 == hashlib.sha256(plain.read_bytes()).hexdigest()
    assert clip.bytes == plain.stat().st_size
    assert "mp4" in clip.container
    assert not clip.has_audio


def test_all_frames_with_times_and_colours(plain: Path) -> None:
    frames = list(stream_frames(open_clip(plain), ALL))
    assert [f.pts for f in frames] == pytest.approx([i / 10 for i in range(20)])
    assert {corner_names(f.image) for f in frames} == {"rgbw"}
    off = np.abs(frames[0].image[8, 8].astype(int) - quadrants()[8, 8]).max()
    assert off < 12
    assert not frames[0].image.flags.writeable


def test_modes(plain: Path) -> None:
    clip = open_clip(plain)
    few = [f.pts for f in stream_frames(clip, SamplingPlan(4))]
    assert len(few) == 4
    assert np.abs(np.array(few) - [0.25, 0.75, 1.25, 1.75]).max() <= 0.11
    grid = [f.pts for f in stream_frames(clip, SamplingPlan(every=0.5))]
    assert grid == pytest.approx([0, 0.5, 1.0, 1.5])
    assert len(list(stream_frames(clip, SamplingPlan(100)))) == 20


@pytest.mark.parametrize(
    ("matrix", "degrees", "corners"),
    [
        ((0, 1, -1, 0), 90, "brwg"),
        ((-1, 0, 0, -1), 180, "wbgr"),
        ((0, -1, 1, 0), 270, "gwrb"),
        ((-1, 0, 0, 1), 0, "grwb"),
    ],
)
def test_rotation_and_mirroring(
    plain: Path, matrix: tuple[int, int, int, int], degrees: int, corners: str
) -> None:
    turn(plain, matrix)
    clip = open_clip(plain)
    frame = next(stream_frames(clip))
    assert clip.rotation == degrees
    assert clip.size == ((48, 64) if degrees in (90, 270) else (64, 48))
    assert frame.image.shape == (clip.size[1], clip.size[0], 3)
    assert corner_names(frame.image) == corners


def test_variable_frame_rate_keeps_times(mux: Callable[..., Path]) -> None:
    times = [0, 40, 500, 520, 1500, 3000]
    path = mux("vfr.mkv", [quadrants()] * 6, pts=times, options={"bf": "0"})
    assert [f.pts for f in stream_frames(open_clip(path), ALL)] == pytest.approx(
        [t / 1000 for t in times]
    )
    assert [f.pts for f in stream_frames(open_clip(path), SamplingPlan(2))] == pytest.approx(
        [0.52, 1.5]
    )


def test_times_count_from_the_first_picture(mux: Callable[..., Path]) -> None:
    path = mux("late.mkv", [quadrants()] * 3, pts=[5000, 5100, 5200])
    assert next(stream_frames(open_clip(path))).pts == 0.0


@pytest.mark.parametrize(("height", "width"), [(47, 63), (1, 1), (3, 501)])
def test_odd_sizes(mux: Callable[..., Path], height: int, width: int) -> None:
    image = np.full((height, width, 3), 130, dtype=np.uint8)
    path = mux("odd.mkv", [image] * 2, codec="ffv1", pix_fmt="yuv444p")
    frames = list(stream_frames(open_clip(path)))
    assert len(frames) == 2
    assert frames[0].image.shape == (height, width, 3)
    assert np.abs(frames[0].image.astype(int) - 130).max() <= 2


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p", "rgb24", "gray"])
def test_pixel_formats(mux: Callable[..., Path], pix_fmt: str) -> None:
    codec = "png" if pix_fmt in ("rgb24", "gray") else "libx264"
    path = mux("deep.mov", [quadrants()] * 3, codec=codec, pix_fmt=pix_fmt)
    frame = next(stream_frames(open_clip(path)))
    if pix_fmt != "gray":
        assert corner_names(frame.image) == "rgbw"
        assert np.abs(frame.image[8, 8].astype(int) - quadrants()[8, 8]).max() < 12


def test_single_picture_video(mux: Callable[..., Path]) -> None:
    (frame,) = stream_frames(open_clip(mux("one.mp4", [quadrants()])))
    assert (frame.pts, frame.shot) == (0.0, 0)


@pytest.mark.parametrize(("default", "size"), [(True, (96, 80)), (False, (64, 48))])
def test_default_stream_then_the_largest(
    mux: Callable[..., Path], default: bool, size: tuple[int, int]
) -> None:
    def more(out: Any) -> Callable[[], None]:
        stream = out.add_stream("mpeg4", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 96, 80, "yuv420p"
        if default:
            stream.disposition = Disposition.default
            out.streams[0].disposition = Disposition.default
        frame = av.VideoFrame.from_ndarray(np.full((80, 96, 3), 9, np.uint8), "rgb24")
        return lambda: [out.mux(stream.encode(f)) for f in (frame, None)] and None

    path = mux("two.mp4", [quadrants()] * 3, extra=more)
    clip = open_clip(path)
    assert (clip.streams, clip.size) == (2, size)
    assert next(stream_frames(clip)).image.shape == (size[1], size[0], 3)


def test_missing_times_are_counted(mux: Callable[..., Path]) -> None:
    path = mux("raw.h264", [quadrants()] * 12)
    stream = stream_frames(open_clip(path), ALL)
    steps = np.diff([f.pts for f in stream])
    assert len(steps) == 11
    assert steps.min() > 0
    assert np.ptp(steps) < 1e-9


def test_unordered_times_are_counted(mux: Callable[..., Path], plain: Path) -> None:
    data = bytearray(plain.read_bytes())
    at = data.index(b"ctts") + 8
    count = int.from_bytes(data[at : at + 4], "big")
    for i in range(count):
        data[at + 8 + 8 * i : at + 12 + 8 * i] = (2_000_000_000 * (i % 2)).to_bytes(4, "big")
    plain.write_bytes(data)
    stream = stream_frames(open_clip(plain), SamplingPlan(5))
    pts = [f.pts for f in stream]
    assert 3 <= len(pts) <= 5
    assert (np.diff(pts) > 0).all()
    assert pts[-1] < 3


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_still_pictures_are_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    stored = np.rot90(quadrants(), {1: 0, 3: 2, 6: 1, 8: 3}[orientation])
    path = tmp_path / f"face.{suffix}.mp4"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(path, {"jpg": "jpeg"}.get(suffix, suffix), exif=exif)
    clip = open_clip(path)
    (frame,) = stream_frames(clip)
    assert (clip.kind, clip.size, clip.duration) == ("image", (64, 48), 0.0)
    assert clip.rotation == {1: 0, 3: 180, 6: 90, 8: 270}[orientation]
    assert frame.image.shape == (48, 64, 3)
    assert corner_names(frame.image) == "rgbw"
    assert frame.pts == 0.0


def test_deep_and_truncated_pictures(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((5, 7), 257 * 100, np.uint16)).save(path)
    assert (next(stream_frames(open_clip(path))).image == 100).all()
    noisy = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    cut = tmp_path / "cut.jpg"
    Image.fromarray(noisy).save(cut)
    cut.write_bytes(cut.read_bytes()[:15000])
    stream = stream_frames(open_clip(cut))
    assert len(list(stream)) == 1
    assert stream.warnings == ("the picture's data end early",)


def scene(seed: int, count: int, *, drift: int = 0) -> list[Picture]:
    rng = np.random.default_rng(seed)
    tone = rng.integers(20, 200)
    rough = rng.integers(tone // 2, tone + 50, (9, 16, 3)).astype(np.uint8)
    still = np.kron(rough, np.ones((12, 12, 1), np.uint8))
    return [np.roll(still, i * drift, axis=1) for i in range(count)]


def test_cuts_are_found_and_motion_is_none(tmp_path: Path) -> None:
    path = tmp_path / "cuts.mp4"
    pictures = scene(1, 20, drift=3) + scene(2, 20, drift=3) + scene(1, 20)
    write_video(path, pictures, fps=20)
    frames = list(stream_frames(open_clip(path), SamplingPlan(12)))
    assert [f.shot for f in frames] == [0] * 4 + [1] * 4 + [2] * 4


def test_short_shot_in_a_long_clip_is_sampled(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    pictures = scene(1, 100) + scene(2, 6) + scene(1, 100)
    write_video(path, pictures, fps=2)
    frames = list(stream_frames(open_clip(path), SamplingPlan(8)))
    assert len(frames) == 8
    middle = [f for f in frames if 50 <= f.pts < 53]
    assert middle
    assert {f.shot for f in middle} == {1}
    assert {f.shot for f in frames if f.pts < 50} == {0}
    assert {f.shot for f in frames if f.pts >= 53} == {2}


def test_light_changing_slowly_is_no_cut() -> None:
    counter = ShotCounter()
    ramp = [np.full((72, 128), 40 + 2 * i, dtype=np.uint8) for i in range(60)]
    assert {counter.update(luma_thumb(x)) for x in ramp} == {0}


def test_stopping_early_keeps_the_child_usable(big: Path, plain: Path) -> None:
    with stream_frames(open_clip(big), ALL) as stream:
        next(stream)
        pid = stream.worker_pid
    assert list(stream) == []
    with stream_frames(open_clip(plain)) as stream:
        next(stream)
        assert stream.worker_pid == pid


def test_two_streams_at_once(big: Path, plain: Path) -> None:
    a, b = stream_frames(open_clip(big), ALL), stream_frames(open_clip(plain), ALL)
    pairs = list(zip(a, b, strict=False))
    assert len(pairs) == 20
    assert {p[1].image.shape for p in pairs} == {(48, 64, 3)}
    a.close()


def test_threads_share_the_pool(plain: Path) -> None:
    counts: list[int] = []

    def work() -> None:
        counts.append(len(list(stream_frames(open_clip(plain), ALL))))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [20, 20, 20]


def test_warm_up_leaves_one_child() -> None:
    warm_up()
    child = POOL.acquire()
    assert child.alive
    POOL.release(child)


def test_child_ends_with_its_parent(plain: Path) -> None:
    code = (
        "import sys, os; from forensics.media import *;"
        "s = stream_frames(open_clip(sys.argv[1])); next(s);"
        "print(s.worker_pid, flush=True); os._exit(1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(plain)], capture_output=True, text=True, check=False
    )
    pid = int(done.stdout)
    for _ in range(100):
        if (
            not Path(f"/proc/{pid}/cmdline").exists()
            or not Path(f"/proc/{pid}/cmdline").read_bytes()
        ):
            return
        threading.Event().wait(0.05)
    pytest.fail("the decoding process outlived its parent")


def test_writer_keeps_metadata_and_pads_odd_sizes(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    tags = {"comment": "made here", "generator_method": "self-blend"}
    write_video(path, [quadrants(47, 63)] * 3, fps=29.97, metadata=tags)
    with av.open(str(path)) as container:
        assert container.metadata.items() >= tags.items()
    clip = open_clip(path)
    assert clip.size == (64, 48)
    assert clip.fps == pytest.approx(29.97, abs=1e-3)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_writer_leaves_nothing_behind_on_failure(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match="at least one"):
        write_video(path, [], fps=10)
    with pytest.raises(ValueError, match="all frames must have shape"):
        write_video(path, [quadrants(), quadrants(32, 32)], fps=10)
    with pytest.raises(ValueError, match="fps must be above 0"):
        write_video(path, [quadrants()], fps=0)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
    with pytest.raises(OutputError, match="no such file"):
        write_video(tmp_path / "no" / "out.mp4", [quadrants()], fps=10)
