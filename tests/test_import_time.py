"""Starting must stay cheap. Counted in modules, because seconds depend on the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# numpy alone costs a tenth of a second; rich as much again.
LIGHT = {"torch", "cv2", "onnxruntime", "av", "PIL", "c2pa", "cryptography", "scipy"}
COMMAND_LINE = LIGHT | {"numpy", "rich"}


def _loaded_after(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("program", "banned"),
    [
        ("import forensics", LIGHT),
        ("import forensics; dir(forensics); forensics.Limits", LIGHT),
        ("import forensics.models", LIGHT),
        ("from forensics.cli.app import build_app; build_app()", COMMAND_LINE),
    ],
)
def test_start_loads_nothing_heavy(program: str, banned: set[str]) -> None:
    assert _loaded_after(program) & banned == set()


def test_every_public_name_is_listed_once() -> None:
    import forensics

    assert sorted(set(forensics.__all__) - {"__version__"}) == sorted(forensics._HOMES)
