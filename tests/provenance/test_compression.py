"""An earlier coding is found in packet sizes, and where it hides nothing is claimed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.provenance import compression as bench
from forensics.container.packets import Packets
from forensics.models import model_path
from forensics.provenance.compression import LIMIT, examine_packets


def sizes(count: int = 300, *, key: int = 30, ghost: int = 0, seed: int = 0) -> Packets:
    rng = np.random.default_rng(seed)
    found = rng.lognormal(7, 0.1, count)
    if ghost:
        found[::ghost] *= 1.6
    found[::key] *= 8
    keys = frozenset(range(0, count, key))
    return Packets(tuple(int(n) for n in found), keys=keys)


def test_a_ghost_of_key_pictures_is_found_with_its_period() -> None:
    for ghost in (12, 14, 25, 48):
        found = examine_packets(sizes(ghost=ghost))
        assert (found.status, found.period, found.last_period) == ("found", ghost, 30)
        assert found.nfa <= LIMIT


def test_a_file_coded_once_gives_no_find() -> None:
    finds = [examine_packets(sizes(seed=seed)).status for seed in range(200)]
    assert set(finds) == {"none"}


def test_a_ghost_at_multiples_of_the_last_period_cannot_be_seen() -> None:
    assert examine_packets(sizes(ghost=60)).status == "none"


def test_it_abstains_where_nothing_can_be_told() -> None:
    plain = sizes(ghost=14)
    cases = {
        "no_table": Packets(),
        "few_packets": sizes(60, ghost=12),
        "all_key": Packets(plain.sizes, keys=frozenset(range(300))),
        "reordered": Packets(plain.sizes, keys=plain.keys, reordered=True),
        "scene_cuts": Packets(plain.sizes, keys=frozenset((0, 17, 60, 101, 190, 250))),
        "layers": sizes(ghost=4),
    }
    for reason, packets in cases.items():
        found = examine_packets(packets)
        assert (found.status, found.reason) == ("abstained", reason)


def test_odd_sizes_do_no_harm() -> None:
    keys = frozenset({0})
    for packets in (Packets((0,) * 500, keys=keys), Packets((2**32 - 1,) * 500, keys=keys),
                    Packets((5,), keys=keys), Packets((7,) * 400)):  # fmt: skip
        assert examine_packets(packets).status in ("none", "abstained")


def test_real_coding_twice(tmp_path: Path, models: None) -> None:
    rng = np.random.default_rng(1)
    frames = list(bench.camera(model_path("astronaut"), rng))[:150]
    path = tmp_path / "c.mp4"
    bench.encode(frames, path, bench.Coding(14, 20))
    assert bench.look(path).status == "none"
    bench.encode(list(bench.decode(path)), path, bench.Coding(33, 22))
    found = bench.look(path)
    assert (found.status, found.period) == ("found", 14)
    bench.encode(frames, path, bench.Coding(33, 23, extra={}))
    assert bench.look(path).reason == "reordered"
