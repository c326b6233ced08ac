from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.media import Limits, SamplingPlan
from forensics.media._choose import may_skip, plan_runs, spread_over_shots
from forensics.media._index import PacketIndex


@pytest.mark.parametrize("name", ["max_bytes", "max_pixels", "max_duration", "timeout", "stall"])
@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), True, "5"])
def test_limits_name_the_bad_value(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a number above 0"):
        Limits(**{name: bad})  # type: ignore[arg-type]


def test_default_limits_refuse_16k_pictures() -> None:
    assert 7680 * 4320 <= Limits().max_pixels < 16384 * 16384


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"frames": 0}, "frames must be"),
        ({"frames": 2.5}, "frames must be"),
        ({"every": 0.0}, "every must be"),
        ({"every": float("nan")}, "every must be"),
        ({"every": 1.0, "all": True}, "either every or all"),
    ],
)
def test_plan_refuses(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SamplingPlan(**values)  # type: ignore[arg-type]


def test_exactly_one_mode() -> None:
    modes = [SamplingPlan().mode, SamplingPlan(every=1).mode, SamplingPlan(all=True).mode]
    assert modes == ["frames", "every", "all"]


@settings(deadline=None)
@given(st.integers(1, 200), st.floats(0.01, 1e5))
def test_one_target_in_each_stratum(frames: int, duration: float) -> None:
    targets = np.array(SamplingPlan(frames).target_times(duration))
    strata = np.floor(targets / duration * frames + 1e-6).astype(int)
    assert strata.tolist() == list(range(frames))


@settings(deadline=None)
@given(st.floats(0.05, 10), st.floats(0, 100))
def test_every_is_a_grid_inside_the_clip(step: float, duration: float) -> None:
    targets = SamplingPlan(every=step).target_times(duration)
    assert targets[0] == 0
    assert targets[-1] <= duration + 1e-6 < targets[-1] + step + 2e-6
    assert np.allclose(np.diff(targets), step)


def test_target_times_refuse_a_negative_duration() -> None:
    with pytest.raises(ValueError, match=r"got -1\.0"):
        SamplingPlan().target_times(-1.0)


@settings(deadline=None)
@given(
    st.lists(st.floats(0.5, 60), min_size=1, max_size=40),
    st.integers(1, 50),
    st.integers(1, 5),
)
def test_every_shot_is_seen_while_the_budget_lasts(
    lengths: list[float], count: int, keys: int
) -> None:
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    times, shots = [], []
    for i in range(len(lengths)):
        times += np.linspace(edges[i], edges[i + 1], keys, endpoint=False).tolist()
        shots += [i] * keys
    chosen = spread_over_shots(times, shots, float(edges[-1]), count)
    assert len(chosen) == count
    assert chosen == sorted(chosen)
    seen = set(np.searchsorted(edges, chosen, side="right") - 1)
    assert len(seen) == min(count, len(lengths))


def index_of(count: int, group: int, fps: float = 25.0) -> PacketIndex:
    return PacketIndex(
        pts=np.arange(count) / fps,
        keys=np.arange(0, count, group),
        derived=False,
        origin=0,
        fps=fps,
        warnings=(),
    )


def test_far_targets_decode_little_and_near_ones_one_pass() -> None:
    far = plan_runs(index_of(10_000, 100), [1.0, 200.0, 390.0])
    assert sum(run.stop - run.start for run in far) <= 3 * 100
    near = plan_runs(index_of(250, 50), SamplingPlan(32).target_times(10.0))
    assert [run.start for run in near] == [0]
    assert len(near[0].targets or ()) == 32


def test_a_picture_shown_before_its_keyframe_brings_the_group_before() -> None:
    pts = np.array([0, 3, 1, 2, 6, 4, 5, 7]) / 25
    index = PacketIndex(
        pts=pts, keys=np.array([0, 4]), derived=False, origin=0, fps=25.0, warnings=()
    )
    (run,) = plan_runs(index, [4.2 / 25])
    assert (run.start, run.stop) == (0, 6)


def test_pictures_are_skipped_only_between_far_targets() -> None:
    index = index_of(300, 50)
    assert may_skip(index, SamplingPlan(), [0.0] * 32)
    assert not may_skip(index, SamplingPlan(), [0.0] * 100)
    assert not may_skip(index, SamplingPlan(every=1), [0.0] * 10)
    assert not may_skip(index, SamplingPlan(all=True), None)
