"""The error tree. Every class carries the documented exit code and a machine-readable reason.

Exit codes (also in README and ``forensics --help``): 0 nothing found or done, 1 suspect or a
target not met, 2 usage, 3 inconclusive, 4 unreadable input, 10 internal error.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """Process exit codes that scripts may rely on."""

    OK = 0
    SUSPECT = 1
    NONCOMPLIANT = 1
    USAGE = 2
    INCONCLUSIVE = 3
    UNREADABLE = 4
    INTERNAL = 10


class ForensicsError(Exception):
    """Base of every expected failure: one line for a person, a reason for a program.

    Args:
        message: One clear line that names the file and the cause.
    """

    exit_code: ExitCode = ExitCode.INTERNAL
    reason: str = "internal"


class UsageError(ForensicsError):
    """The request itself cannot be carried out (bad option, unknown name)."""

    exit_code = ExitCode.USAGE
    reason = "usage"


class ModelMissingError(UsageError):
    """A model file is not in the cache, or its bytes are not the registered ones."""

    reason = "model_missing"


class OutputError(UsageError):
    """A result could not be written (disk full, permission, existing file)."""

    exit_code = ExitCode.USAGE
    reason = "output"


class UnreadableInputError(ForensicsError):
    """An input file cannot be examined; the scan records it and goes on.

    Args:
        path: The file concerned.
        cause: What is wrong with it, in a few words.
    """

    exit_code = ExitCode.UNREADABLE
    reason = "unreadable"

    def __init__(self, path: Path | str, cause: str) -> None:
        self.path = Path(path)
        self.cause = cause
        super().__init__(f"{printable(path)}: {cause}")


class OverLimitError(UnreadableInputError):
    """An input exceeds a cap on bytes, pixels, duration or depth."""

    reason = "over_limit"


class DecodeTimeoutError(UnreadableInputError):
    """Decoding took longer than the time cap and was stopped."""

    reason = "timeout"


class WorkerCrashedError(UnreadableInputError):
    """The decoding process died (a crash inside a codec)."""

    reason = "worker_crashed"


def printable(path: Path | str) -> str:
    """Return ``path`` with control and undecodable characters escaped, safe for a terminal."""
    text = str(path)
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode()
                   for c in text)
