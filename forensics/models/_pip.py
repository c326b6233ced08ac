"""Find a way to run pip, also in an environment that was made without it (uv does that)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from forensics.errors import ModelMissingError

Command = tuple[str, ...]

_TIMEOUT_SECONDS = 900.0


def run(command: Command) -> tuple[int, str]:
    """Run a command without a shell or stdin.

    Returns:
        The exit code, and stdout and stderr together.
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, f"no answer within {_TIMEOUT_SECONDS:.0f} s"
    except OSError as error:
        return 127, str(error)
    return done.returncode, done.stdout


def _own_pip(scratch: Path) -> Command | None:
    """Use the pip of this environment."""
    command = (sys.executable, "-m", "pip")
    return command if run((*command, "--version"))[0] == 0 else None


def _fresh_pip(scratch: Path) -> Command | None:
    """Make a throw-away environment that the standard library gives its bundled pip."""
    folder = scratch / "pip"
    if run((sys.executable, "-m", "venv", str(folder)))[0] != 0:
        return None
    inside = Path("Scripts", "python.exe") if sys.platform == "win32" else Path("bin", "python")
    return (str(folder / inside), "-m", "pip")


def _uv_pip(scratch: Path) -> Command | None:
    """Let uv fetch pip for one run."""
    uv = shutil.which("uv")
    command = (uv or "uv", "tool", "run", "pip")
    return command if uv and run((*command, "--version"))[0] == 0 else None


_WAYS: tuple[Callable[[Path], Command | None], ...] = (_own_pip, _fresh_pip, _uv_pip)


def find_pip(scratch: Path) -> Command:
    """Return a command that runs pip.

    Args:
        scratch: An existing folder that outlives the command's use.

    Raises:
        ModelMissingError: There is no pip and none can be made.
    """
    for way in _WAYS:
        command = way(scratch)
        if command is not None:
            return command
    raise ModelMissingError(
        "cannot pull models: this Python has no pip, ensurepip cannot make one and uv is not "
        "installed; install pip (for example: python -m ensurepip) and run it again"
    )
