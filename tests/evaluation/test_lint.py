"""Planted faults of every kind are found, and a clean set passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from forensics.cli.app import build_app
from forensics.evaluation.lint import LintReport, lint_set
from forensics.evaluation.lint.probes import out_of_fold, probe, verdict
from forensics.evaluation.manifest import ManifestError, Row
from forensics.media import write_video
from forensics.provenance.aigc import AigcLabel

Change = Callable[[list[dict[str, Any]], Path], None]


def picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.full((96, 128, 3), 128.0)
    for cells in (4, 8, 16):
        grain = rng.normal(0, 160 / cells**0.5, (3 * cells // 4, cells, 3))
        image += cv2.resize(grain, (128, 96), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture
def plant(tmp_path: Path) -> Callable[[Change | None], Path]:
    """Return a function that writes a clean set of 24 pairs, changed as asked."""

    def make(change: Change | None = None) -> Path:
        rows: list[dict[str, Any]] = []
        for i in range(24):
            image = picture(i)
            for label in ("real", "fake"):
                path = f"{label}-{i}.jpg"
                changed = image.copy()
                if label == "fake":
                    changed[30:60, 40:80] //= 2
                Image.fromarray(changed).save(tmp_path / path, quality=(60, 90)[i % 2])
                rows.append({
                    "path": path, "label": label, "group": f"g{i}", "identity": [f"p{i}"],
                    "split": "train" if i < 16 else "test",
                })  # fmt: skip
                if label == "fake":
                    rows[-1] |= {"method": "dark"}
        if change is not None:
            change(rows, tmp_path)
        path = tmp_path / "set.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return make


def codes(report: LintReport, severity: str = "refused") -> set[str]:
    return {finding.code for finding in report.findings if finding.severity == severity}


def lines_of(report: LintReport, code: str) -> set[int]:
    return {n for finding in report.findings if finding.code == code for n in finding.lines}


def test_a_clean_set_passes(plant: Callable[..., Path]) -> None:
    report = lint_set(plant())
    assert report.outcome == "clean" and not report.findings
    assert report.probes["codec"]["interval"][0] <= 0.55


def shared_identity(rows: list[dict[str, Any]], folder: Path) -> None:
    rows[40]["identity"] = ["new", "p3"]


def shared_group(rows: list[dict[str, Any]], folder: Path) -> None:
    rows[40]["group"] = "g3"


def same_file_listed_twice(rows: list[dict[str, Any]], folder: Path) -> None:
    rows.append(rows[6] | {"split": "test", "group": "other", "identity": ["other"]})


def copied_file(rows: list[dict[str, Any]], folder: Path) -> None:
    (folder / "copy.jpg").write_bytes((folder / rows[6]["path"]).read_bytes())
    rows[40]["path"] = "copy.jpg"


def near_duplicate(rows: list[dict[str, Any]], folder: Path) -> None:
    image = cv2.resize(picture(3), (100, 75))
    Image.fromarray(image).save(folder / rows[40]["path"], quality=50)


def mirrored_duplicate(rows: list[dict[str, Any]], folder: Path) -> None:
    Image.fromarray(picture(3)[:, ::-1]).save(folder / rows[40]["path"], quality=90)


def missing_label(rows: list[dict[str, Any]], folder: Path) -> None:
    del rows[40]["label"]


def wrong_label(rows: list[dict[str, Any]], folder: Path) -> None:
    rows[40]["label"] = "Fake"


def real_with_method(rows: list[dict[str, Any]], folder: Path) -> None:
    rows[40]["method"] = "swap"


def contradiction(rows: list[dict[str, Any]], folder: Path) -> None:
    rows.append(rows[40] | {"label": "fake"})


def same_bytes_other_label(rows: list[dict[str, Any]], folder: Path) -> None:
    (folder / rows[41]["path"]).write_bytes((folder / rows[40]["path"]).read_bytes())


def declared_synthetic(rows: list[dict[str, Any]], folder: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("AIGC", AigcLabel("1", producer="x", produce_id="y").to_json())
    Image.fromarray(picture(20)).save(folder / "declared.png", pnginfo=info)
    rows[40]["path"] = "declared.png"


def empty_mask(rows: list[dict[str, Any]], folder: Path) -> None:
    Image.new("L", (96, 128)).save(folder / "mask.png")
    rows[41]["mask"] = "mask.png"


def missing_mask(rows: list[dict[str, Any]], folder: Path) -> None:
    rows[41]["mask"] = "gone.png"


def missing_file(rows: list[dict[str, Any]], folder: Path) -> None:
    (folder / rows[40]["path"]).unlink()


def broken_file(rows: list[dict[str, Any]], folder: Path) -> None:
    (folder / rows[40]["path"]).write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        (shared_identity, "identity_shared", 41),
        (shared_group, "group_shared", 41),
        (same_file_listed_twice, "clip_shared", 49),
        (copied_file, "clip_shared", 41),
        (near_duplicate, "near_duplicate", 41),
        (mirrored_duplicate, "near_duplicate", 41),
        (missing_label, "label_missing", 41),
        (wrong_label, "label_wrong", 41),
        (real_with_method, "label_wrong", 41),
        (contradiction, "label_conflict", 49),
        (same_bytes_other_label, "label_conflict", 42),
        (declared_synthetic, "label_wrong", 41),
        (empty_mask, "label_wrong", 42),
        (missing_mask, "mask_missing", 42),
        (missing_file, "file_missing", 41),
        (broken_file, "file_unreadable", 41),
    ],
)
def test_a_planted_fault_is_refused_and_its_row_named(
    plant: Callable[..., Path], change: Change, code: str, line: int
) -> None:
    report = lint_set(plant(change))
    assert report.outcome == "refused"
    assert code in codes(report)
    assert line in lines_of(report, code)
    # Both sides of a leak are named.
    if code in ("identity_shared", "group_shared", "clip_shared", "near_duplicate"):
        assert len(lines_of(report, code)) >= 2


def by_quality(rows: list[dict[str, Any]], folder: Path) -> None:
    for row in rows:
        image = Image.open(folder / row["path"])
        image.save(folder / row["path"], quality=50 if row["label"] == "fake" else 85)


def by_format(rows: list[dict[str, Any]], folder: Path) -> None:
    for row in rows[1::2]:
        Image.open(folder / row["path"]).save(folder / (row["path"] + ".png"))
        row["path"] += ".png"


def by_width(rows: list[dict[str, Any]], folder: Path) -> None:
    for row in rows[1::2]:
        Image.open(folder / row["path"]).resize((120, 90)).save(folder / row["path"], quality=75)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (by_quality, "codec_shortcut"),
        (by_format, "codec_shortcut"),
        (by_width, "size_shortcut"),
    ],
)
def test_a_shortcut_is_refused(plant: Callable[..., Path], change: Change, code: str) -> None:
    assert code in codes(lint_set(plant(change)))


def test_few_rows_are_not_called_clean(plant: Callable[..., Path]) -> None:
    def keep_few(rows: list[dict[str, Any]], folder: Path) -> None:
        del rows[6:]

    report = lint_set(plant(keep_few))
    assert report.outcome == "too_few"
    assert codes(report, "too_few") == {"codec_shortcut", "size_shortcut"}


def test_a_probe_on_noise_finds_nothing_and_on_the_label_everything() -> None:
    rng = np.random.default_rng(0)
    rows = [
        Row(f"{i}", resolved=Path(f"{i}"), label="fake" if i % 2 else "real", group=f"g{i}", line=i)
        for i in range(200)
    ]
    noise: dict[int, Any] = {
        i: {"a": float(rng.normal()), "b": "xy"[i % 3 % 2]} for i in range(200)
    }
    found = probe("codec", rows, noise)
    assert found["interval"][0] <= 0.55 and verdict(found) is None
    telling: dict[int, Any] = {i: noise[i] | {"c": float(i % 2)} for i in range(200)}
    found = probe("size", rows, telling)
    assert found["auc"] > 0.95 and found["tells"]["feature"] == "c"
    refusal = verdict(found)
    assert refusal is not None and refusal.severity == "refused"


def test_a_probe_is_tried_on_groups_it_was_not_fitted_on() -> None:
    # Every group has a value of its own: telling within the fit, useless outside of it.
    values = [f"v{i // 2}" for i in range(40)]
    fake = np.array([i // 2 % 2 == 1 for i in range(40)])
    scores = out_of_fold(values, fake, np.arange(40) // 2 % 5)
    assert np.ptp(scores) < 0.6


def test_few_groups_of_perfect_separation_need_more_than_a_handful() -> None:
    def rows(n: int) -> list[Row]:
        return [
            Row(f"{i}", resolved=Path(f"{i}"), label="fake" if i % 2 else "real", group=f"g{i}",
                line=i)
            for i in range(2 * n)
        ]  # fmt: skip

    few, more = (
        verdict(probe("codec", rows(n), {i: {"codec": "ab"[i % 2]} for i in range(2 * n)}))
        for n in (4, 12)
    )
    assert few is not None and few.severity == "too_few"
    assert more is not None and more.severity == "refused"


def test_matched_pairs_tell_with_fewer_groups() -> None:
    # Both of a pair are coded alike, in many ways: nothing is uncertain.
    rows = [
        Row(f"{i}", resolved=Path(f"{i}"), label="fake" if i % 2 else "real", group=f"g{i // 2}",
            line=i)
        for i in range(22)
    ]  # fmt: skip
    alike: dict[int, Any] = {i: {"codec": "abc"[i // 2 % 3]} for i in range(22)}
    assert verdict(probe("codec", rows, alike)) is None
    few = verdict(probe("codec", rows[:8], alike))
    assert few is not None and few.severity == "too_few"


def test_clips_are_looked_at_too(tmp_path: Path) -> None:
    rows = []
    for i, split in enumerate(("train", "test")):
        frames = [np.roll(picture(1), j, 1) for j in range(6)]
        write_video(tmp_path / f"{i}.mp4", frames, fps=6, crf=20 + 10 * i)
        rows.append({"path": f"{i}.mp4", "label": "real", "split": split})
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    report = lint_set(path)
    assert "near_duplicate" in codes(report)
    assert codes(report, "warning") == {"no_identities", "one_class"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"label": "real"}', '{"path": "a", "label": 1'])
def test_what_is_no_manifest_is_unreadable(tmp_path: Path, text: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(text)
    with pytest.raises(ManifestError):
        lint_set(path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build_app(), ["lint-set", *map(str, arguments)])


def test_the_command_names_rows_and_ends_with_the_documented_code(
    plant: Callable[..., Path], tmp_path: Path
) -> None:
    done = run(plant())
    assert done.exit_code == 0 and "48 rows, clean" in done.stdout
    done = run(plant(shared_identity))
    assert done.exit_code == 1
    assert "REFUSED identity_shared: person 'p3' is in splits 'test' and 'train'" in done.stdout
    assert "line 41: real-20.jpg" in done.stdout
    data = json.loads(run(plant(missing_file), "--format", "json").stdout)
    assert data["outcome"] == "refused"
    assert data["findings"][0]["rows"] == [{"line": 41, "path": "real-20.jpg"}]
    assert run(tmp_path / "gone.jsonl").exit_code == 4
    few = tmp_path / "few.jsonl"
    few.write_text(json.dumps({"path": "real-0.jpg", "label": "real"}))
    assert run(few).exit_code == 3
