"""Peak memory of one scan in a process of its own, its decoding process included.

``python -m benchmarks.speed.memory CLIP`` prints the peaks as JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
MB = 1e6


def _peak(pid: int | str) -> int:
    """Return the largest resident size that a process ever had, bytes.

    The kernel's own mark is used: what ``getrusage`` says of a child counts the parent's pages
    from before the child's program was loaded.
    """
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return 1024 * int(found.group(1)) if found else 0


def _children(pid: int | str) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in lists for child in path.read_text(encoding="ascii").split()]


def peak_of_scan(path: Path) -> dict[str, float]:
    """Scan in a new process and return its peaks in MB.

    Returns:
        ``self``, ``decoder`` and their ``sum``. Pages that both map count twice and the two peaks
        need not fall together, so the sum is an upper bound.

    Raises:
        subprocess.CalledProcessError: The scan failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.memory", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    peaks: dict[str, float] = json.loads(done.stdout)
    return peaks


def _main(path: str) -> None:
    import forensics

    report = forensics.scan(path)
    if report.error:
        raise SystemExit(report.error)
    own, decoder = _peak("self"), sum(map(_peak, _children("self")))
    print(json.dumps({"self": own / MB, "decoder": decoder / MB, "sum": (own + decoder) / MB}))


if __name__ == "__main__":
    _main(sys.argv[1])
