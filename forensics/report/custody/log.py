"""A log in which no line can be changed, moved or taken out: each holds its predecessor's hash.

One canonical JSON object a line. ``hash`` is the SHA-256 of the line's other members, ``prev``
that of the line before; a signed line also holds a JWS over all but ``hash`` and ``signature``.
Nothing is ever removed: what a crash left half written stays, and the next line names its hash.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from forensics.errors import OutputError, UnreadableInputError, printable
from forensics.report.custody import jws
from forensics.report.custody.canonical import canonical, digest, loads

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

GENESIS = "0" * 64
MAX_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The last line: its number, from 0 (-1 for none), and its hash."""

    line: int = -1
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class LogState:
    """What a walk through a log found.

    Attributes:
        head: The last line that is as it was written.
        problem: What is wrong with the first bad line, or empty.
        signed: Lines that a key has signed.
        unproven: Lines that are unsigned, or whose signer was not named.
        found: Positions of the lines that hold a wanted record.
        passed: Whether the line of a wanted head was met with its hash.
    """

    head: Head
    problem: str = field(kw_only=True, default="")
    signed: int = field(kw_only=True, default=0)
    unproven: int = field(kw_only=True, default=0)
    found: Mapping[str, int] = field(kw_only=True, default_factory=dict)
    passed: frozenset[Head] = field(kw_only=True, default=frozenset())


class CustodyLog:
    """A log file; made at the first line.

    Args:
        path: The file.
        key: Signs every line when given.
    """

    def __init__(self, path: Path | str, *, key: Ed25519PrivateKey | None = None) -> None:
        self.path = Path(path)
        self._key = key

    def head(self) -> Head:
        """Return the last line's number and hash.

        Raises:
            OutputError: The file cannot be read, or its last line is not as it was written.
        """
        try:
            with self.path.open("rb") as file:
                return _tail(file, self.path)[0]
        except FileNotFoundError:
            return Head()
        except OSError as error:
            raise _cannot(self.path, error) from error

    def append(self, event: str, facts: Mapping[str, Any]) -> Head:
        """Add one line, safely against other processes and against a crash.

        Args:
            event: What happened.
            facts: JSON-ready members.

        Returns:
            The new head.

        Raises:
            OutputError: It cannot be written, or the last line is not as it was written.
        """
        try:
            with self.path.open("ab+") as file, _alone(file):
                head, torn = _tail(file, self.path)
                lines = b""
                if torn and (whole := _read_line(torn + b"\n")[0]) is not None:
                    head, lines = Head(whole["line"], str(whole["hash"])), b"\n"
                elif torn:
                    lost = {"bytes": len(torn), "torn": hashlib.sha256(torn).hexdigest()}
                    head, line = self._line(head, "recovered", lost)
                    lines = b"\n" + line
                head, line = self._line(head, event, facts)
                # One call, so that a reader never meets half a line while no one crashes.
                file.write(lines + line)
                file.flush()
                os.fsync(file.fileno())
                return head
        except OSError as error:
            raise _cannot(self.path, error) from error

    def _line(self, head: Head, event: str, facts: Mapping[str, Any]) -> tuple[Head, bytes]:
        now = dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds")
        line = {**facts, "event": event, "line": head.line + 1, "prev": head.hash, "time": now}
        if self._key is not None:
            line["signature"] = jws.sign(canonical(line), self._key, typ=jws.LOG_TYPE)
        line["hash"] = digest(line)
        text = canonical(line)
        if len(text) >= MAX_LINE:
            raise OutputError(f"{printable(self.path)}: a line would exceed {MAX_LINE} bytes")
        return Head(head.line + 1, str(line["hash"])), text + b"\n"


def check_log(
    path: Path | str,
    *,
    key: Ed25519PublicKey | None = None,
    records: Collection[str] = (),
    heads: Collection[Head] = (),
) -> LogState:
    """Walk through a log in constant memory and stop at the first line that does not hold.

    Args:
        path: The file.
        key: Key that the lines should be signed with, if any is known.
        records: Record hashes to look for.
        heads: Earlier heads that the log should still contain.

    Raises:
        UnreadableInputError: The file cannot be read.
    """
    source = Path(path)
    head, signed, unproven, torn = Head(), 0, 0, b""
    found: dict[str, int] = {}
    passed = {Head()} & set(heads)
    try:
        with source.open("rb") as file:
            problem = ""
            while not problem and (raw := file.readline(MAX_LINE + 1)):
                line, problem = _read_line(raw)
                if line is None and not torn and raw.endswith(b"\n"):
                    torn, problem = raw[:-1], ""  # the next line may account for it
                    continue
                problem = problem or _out_of_order(line or {}, head, torn)
                if problem or line is None:
                    break
                torn = b""
                ok, proven = _signature(line, key)
                if not ok:
                    problem = "its signature does not hold"
                    break
                signed += proven
                unproven += not proven
                head = Head(head.line + 1, str(line["hash"]))
                if head in heads:
                    passed.add(head)
                if line.get("record_sha256") in records:
                    found[str(line["record_sha256"])] = head.line
            if torn and not problem:
                problem = "it cannot be read"
    except OSError as error:
        cause = (error.strerror or "cannot be read").lower()
        raise UnreadableInputError(source, cause) from error
    return LogState(
        head,
        problem=f"line {head.line + 1}: {problem}" if problem else "",
        signed=signed,
        unproven=unproven,
        found=found,
        passed=frozenset(passed),
    )


def _read_line(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    """Return the line's content, or None and what is wrong with its form."""
    if not raw.endswith(b"\n"):
        return None, "it is cut off" if len(raw) <= MAX_LINE else "it is too long"
    try:
        line = loads(raw)
        if isinstance(line, dict) and canonical(line) == raw[:-1]:
            body = {name: value for name, value in line.items() if name != "hash"}
            if digest(body) == line.get("hash"):
                return line, ""
    except ValueError:
        pass
    return None, "it is not as it was written"


def _out_of_order(line: Mapping[str, Any], head: Head, torn: bytes) -> str:
    if line.get("line") != head.line + 1 or line.get("prev") != head.hash:
        return "it does not follow the line before"
    lost = hashlib.sha256(torn).hexdigest() if torn else None
    if line.get("torn") != lost:
        return "what stands before it is not accounted for"
    return ""


def _signature(line: Mapping[str, Any], key: Ed25519PublicKey | None) -> tuple[bool, bool]:
    """Return whether the signature holds, and whether it is the named key's."""
    if "signature" not in line:
        return True, False
    body = {n: v for n, v in line.items() if n not in ("hash", "signature")}
    seen = jws.check(canonical(body), line["signature"], key=None, typ=jws.LOG_TYPE)
    if key is None or not seen.valid:
        return seen.valid, False
    return True, jws.check(canonical(body), line["signature"], key=key, typ=jws.LOG_TYPE).valid


def _tail(file: BinaryIO, path: Path) -> tuple[Head, bytes]:
    """Return the head and the bytes of a line that was never finished.

    Raises:
        OutputError: The last whole line is not as it was written.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 2 * MAX_LINE - 2))
    raw = file.read()
    end = raw.rfind(b"\n") + 1
    torn = raw[end:]
    if end == 0:
        if size > MAX_LINE:
            raise OutputError(f"{printable(path)}: is no custody log; nothing was written to it")
        return Head(), torn
    last = raw[raw.rfind(b"\n", 0, end - 1) + 1 : end]
    line, problem = _read_line(last)
    if line is None or not isinstance(line.get("line"), int):
        detail = problem or "it has no number"
        raise OutputError(f"{printable(path)}: its last line cannot be followed: {detail}")
    return Head(line["line"], str(line["hash"])), torn


@contextlib.contextmanager
def _alone(file: BinaryIO) -> Iterator[None]:
    """Keep other processes from writing meanwhile, where the system offers file locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _cannot(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{printable(path)}: cannot keep the log: {error.strerror or error}")
