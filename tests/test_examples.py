"""Every example runs as its own text says, on a public sample."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.testing import make_clip

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"

# Examples that other tests run, by the file that does it.
ELSEWHERE = {
    "third_party_detector.py": "tests/detectors/test_check_detector.py",
    "third_party_scorer.py": "tests/benchmarks/test_accuracy_parts.py",
    "swap_two_people.sh": "tests/generator",
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, head: NDArray[np.uint8]) -> Path:
    """A short clip of one face."""
    return make_clip(tmp_path_factory.mktemp("examples") / "clip.mp4", [head], count=12)


@pytest.mark.parametrize(
    ("name", "says"),
    [("scan_a_clip.py", r"suspect|inconclusive|no_evidence"), ("stages.py", r"h264 \(640, 360\)")],
)
def test_example_runs(name: str, says: str, clip: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), str(clip)],
        capture_output=True, text=True, timeout=300, cwd=ROOT, env=_environment(),
    )
    assert done.returncode == 0, done.stderr
    assert re.search(says, done.stdout), done.stdout


def test_every_example_is_run_by_some_test() -> None:
    here = {"scan_a_clip.py", "stages.py"}
    found = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".sh"}}
    assert found == here | set(ELSEWHERE)
    assert all((ROOT / place).exists() for place in ELSEWHERE.values())


def test_readme_python_runs(clip: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        code = block.replace('"clip.mp4"', repr(str(clip)))
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=ROOT,
            env=_environment(),
        )
        assert done.returncode == 0, done.stderr


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}
