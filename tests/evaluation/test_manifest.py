from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import ExitCode, UsageError
from forensics.evaluation.manifest import ManifestError, ManifestLimits, read_manifest


def write(folder: Path, *rows: Any) -> Path:
    path = folder / "set.jsonl"
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_reads_every_column_and_resolves_paths(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {
            "path": "a/x.png",
            "label": "fake",
            "group": "g",
            "identity": ["p", "q"],
            "split": "look",
            "source": "s",
            "method": "m",
            "mask": "a/m.png",
            "pts": [0, 1.5],
            "width": 129,
            "new": 1,
        },
        {"path": "b.png", "label": "real", "identity": "p", "group": 7},
    )
    manifest = read_manifest(path)
    first, second = manifest.rows
    assert first.resolved == tmp_path / "a/x.png"
    assert (first.path, first.label, first.group) == ("a/x.png", "fake", "g")
    assert (first.identity, first.pts, first.width) == (("p", "q"), (0.0, 1.5), 129.0)
    assert (first.split, first.source, first.method, first.mask) == ("look", "s", "m", "a/m.png")
    assert (second.identity, second.group, second.line) == (("p",), "7", 2)
    assert manifest.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_rows_that_share_a_folder_name_stay_apart(tmp_path: Path) -> None:
    # D2: FaceForensics++ names one folder 000_003 in every method's tree.
    path = write(
        tmp_path,
        {"path": "DF/000_003/1.png", "label": "fake"},
        {"path": "F2F/000_003/1.png", "label": "fake"},
    )
    assert [row.group for row in read_manifest(path).rows] == [
        "DF/000_003/1.png",
        "F2F/000_003/1.png",
    ]


def test_split_keeps_its_rows_and_counts_groups_that_leak(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"path": "a", "label": "real", "group": "g", "split": "look"},
        {"path": "b", "label": "fake", "group": "g", "split": "once"},
        {"path": "c", "label": "fake", "group": "h", "split": "look"},
    )
    manifest = read_manifest(path, split="look")
    assert [row.path for row in manifest.rows] == ["a", "c"]
    assert (manifest.total_rows, manifest.shared_groups) == (3, 1)
    with pytest.raises(UsageError, match="look, once"):
        read_manifest(path, split="lok")


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not a JSON object"),
        ({"label": "real"}, "path must be"),
        ({"path": "a\0", "label": "real"}, "path must be"),
        ({"path": "\ud800", "label": "real"}, "name a file"),
        ({"path": "a"}, "label must be"),
        ({"path": "a", "label": "REAL"}, "label must be"),
        ({"path": "a", "label": 1}, "label must be"),
        ({"path": "a", "label": ["real"]}, "label must be"),
        ({"path": "a", "label": "real", "group": ""}, "group must be"),
        ({"path": "a", "label": "real", "pts": 3}, "pts must be"),
        ({"path": "a", "label": "real", "pts": [-1]}, "pts must be"),
        (b'{"path": "a", "label": "real", "width": NaN}', "width must be"),
        ({"path": "a", "label": "real", "identity": [None]}, "identity must be"),
        ({"path": "ok.png", "label": "fake"}, "but real on line 1"),
        (b'{"path": "' + b"x" * 5000 + b'", "label": "real"}', "longer than 4096 bytes"),
    ],
)
def test_bad_line_is_named(tmp_path: Path, row: Any, cause: str) -> None:
    path = write(tmp_path, {"path": "ok.png", "label": "real"}, b"", row)
    limit = 200_000 if row == b"[" * 100_000 else 4096
    with pytest.raises(ManifestError, match=cause) as caught:
        read_manifest(path, limits=ManifestLimits(line=limit))
    assert caught.value.exit_code == ExitCode.UNREADABLE
    assert caught.value.line == 3
    message = str(caught.value)
    assert message.startswith(f"{path}: line 3: ")
    assert "\n" not in message and len(message) < len(str(path)) + 160


def test_unusable_files(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file"):
        read_manifest(tmp_path / "missing.jsonl")
    with pytest.raises(ManifestError, match="not a regular file"):
        read_manifest(tmp_path)
    with pytest.raises(ManifestError, match="no rows"):
        read_manifest(write(tmp_path, b"", b"  "))
    path = write(tmp_path, {"path": "a", "label": "real"}, {"path": "b", "label": "real"})
    with pytest.raises(ManifestError, match="more than 1 rows"):
        read_manifest(path, limits=ManifestLimits(rows=1))
    with pytest.raises(ManifestError, match="larger than 10 bytes"):
        read_manifest(path, limits=ManifestLimits(bytes=10))


def test_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "bom.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"path": "a", "label": "real"}\r\n')
    assert read_manifest(path).rows[0].path == "a"
