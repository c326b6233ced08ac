"""How long Python takes to import the package and to answer ``--help``, each a whole process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

HEAVY = ("av", "cv2", "onnxruntime", "torch")
IMPORT = ("-c", "import forensics")
HELP = ("-c", "from forensics.cli.app import main; main()", "--help")


def start_times(arguments: Sequence[str], repeats: int) -> list[float]:
    """Return wall seconds of whole processes; the first, which fills the file cache, is left out.

    Raises:
        subprocess.CalledProcessError: The process failed.
    """
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def heavy_imports() -> list[str]:
    """Return which heavy modules ``import forensics`` loads; there should be none."""
    program = f"import forensics, sys; print(*sorted(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.split()
