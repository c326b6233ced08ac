from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.speed import memory, start
from benchmarks.speed.material import repeat_clip
from benchmarks.speed.run import decode_all, main, ratio_interval
from benchmarks.speed.stages import REST, STAGES, stage_times
from forensics.media import FrameStream, open_clip, stream_frames, write_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("clip") / "noise.mp4"
    write_video(path, rng.integers(0, 256, (12, 48, 64, 3), np.uint8), fps=25.0)
    return path


def test_repeated_clip_is_as_long_as_promised(clip: Path, tmp_path: Path) -> None:
    long = repeat_clip(clip, tmp_path / "long.mp4", 5)
    assert decode_all(clip) == 12
    assert decode_all(long) == 60
    assert open_clip(long).duration == pytest.approx(60 / 25, abs=0.05)
    with av.open(str(long)) as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert len(set(np.diff(times).tolist())) == 1


def test_ratio_interval_holds_the_ratio() -> None:
    low, high = ratio_interval([1.0, 1.1, 0.9, 1.0, 1.0], [2.0, 2.4, 2.0, 1.9, 2.0])
    assert 1.5 < low <= 2.0 <= high < 2.7


def test_stages_are_timed_and_put_back(clip: Path) -> None:
    before = FrameStream.__next__

    def scan(path: Path) -> None:
        with stream_frames(open_clip(path)) as stream:
            assert len(list(stream)) == 12

    found = stage_times(clip, scan)
    assert list(found) == [*STAGES, REST]
    assert found["wait for decoding"][1] == 13
    assert found["mesh"] == (0, 0)
    assert FrameStream.__next__ is before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the kernel's marks")
def test_peaks_are_those_of_the_process_itself() -> None:
    assert 5e6 < memory._peak("self") < 8e9


def test_import_is_light_and_starts_are_timed() -> None:
    assert start.heavy_imports() == []
    assert all(0 < seconds < 60 for seconds in start.start_times(("-c", "pass"), 2))


def test_too_few_repetitions_are_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--repeats", "3"])
    assert ended.value.code == 2
