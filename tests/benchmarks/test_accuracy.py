from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy.clips import false_alarms, upper_bound
from benchmarks.accuracy.run import main, table_row
from benchmarks.accuracy.sets import open_set, part_of
from forensics.errors import UsageError


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "set.jsonl"
    rows = [
        {"path": f"{i}.png", "label": "fake" if i % 2 else "real", "group": str(i // 2),
         "split": "once" if i >= 4 else "look", "source": "a" if i < 2 else "b"}
        for i in range(8)
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.mark.parametrize("split", ["once", "Once ", None])
def test_the_sealed_split_is_refused(manifest: Path, split: str | None) -> None:
    with pytest.raises(UsageError, match="sealed"):
        open_set(manifest, split=split)


def test_the_other_split_is_opened(manifest: Path) -> None:
    chosen = open_set(manifest, split="look")
    assert {row.split for row in chosen.rows} == {"look"}
    assert len(part_of(chosen, "a")) == 2
    with pytest.raises(UsageError, match="no row has source"):
        part_of(chosen, "c")


def test_the_command_line_cannot_open_it(manifest: Path, tmp_path: Path) -> None:
    shared = ["--shared", str(tmp_path), "--own", str(manifest)]
    with pytest.raises(SystemExit) as ended:
        main([*shared, "--own-split", "once"])
    assert ended.value.code == 2


def test_an_unknown_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--shared", str(tmp_path), "--sets", "looks"])
    assert ended.value.code == 2


def test_upper_bound_by_hand() -> None:
    # No hit in n: 1 - 0.05 ** (1 / n).
    assert upper_bound(0, 27) == pytest.approx(1 - 0.05 ** (1 / 27))
    assert upper_bound(3, 3) == 1.0
    # One of two: the rate at which 0 or 1 hits have a chance of 5 %, 1 - p^2 = 0.05.
    assert upper_bound(1, 2) == pytest.approx(0.95**0.5)
    with pytest.raises(ValueError, match="3 of 2"):
        upper_bound(3, 2)


def test_false_alarms_count_groups_once() -> None:
    def row(group: str, label: str, verdict: str) -> dict[str, Any]:
        return {"group": group, "label": label, "verdict": verdict}

    found = false_alarms(
        [
            row("a", "real", "suspect"),
            row("a", "real", "suspect"),
            row("b", "real", "no_evidence"),
            row("c", "real", "inconclusive"),
            row("d", "fake", "suspect"),
        ]
    )
    assert found["real_clips"] == 4
    assert found["suspect"] == 2
    assert found["judged"] == 3
    assert found["groups_suspect"] == 1
    assert found["rate"] == pytest.approx(1 / 3)


def test_a_figure_without_enough_n_is_a_dash() -> None:
    frame = {
        "auc": 0.5,
        "auc_interval": [0.4, 0.6],
        "tpr_at_fpr": {"0.01": None, "0.05": 0.25},
        "ece": None,
        "cllr": 1.0,
    }
    row = table_row(
        {
            "set": "s",
            "scorer": "w",
            "n_real": 2,
            "n_fake": 3,
            "groups": 4,
            "frame": frame,
            "coverage": 1.0,
        }
    )
    assert row == (
        "s", "w", "2 + 3", "4", "0.500 [0.400, 0.600]", "-", "0.250", "-", "1.000", "1.000",
    )  # fmt: skip


def test_a_set_that_cannot_be_read_fails_the_run_and_is_not_called_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = ["--own", str(tmp_path / "gone.jsonl"), "--sets", "own,portraits"]
    assert main(["--shared", str(tmp_path), *gone]) == 2
    said = capsys.readouterr()
    assert "failed own:" in said.err and "gone.jsonl" in said.err
    assert "skipped portraits: --cache not given" in said.out
