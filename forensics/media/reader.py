"""Open a file and stream its pictures; decoding happens in a process that can be killed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import (
    DecodeTimeoutError,
    OverLimitError,
    UnreadableInputError,
    WorkerCrashedError,
)
from forensics.media._child import POOL, Child, ChildDiedError, ChildSilentError, Message
from forensics.media.limits import Limits
from forensics.media.plan import SamplingPlan
from forensics.types import Clip, Frame

_AHEAD_BYTES = 12 << 20
_AHEAD_FRAMES = 8
_CHUNK = 1 << 20
_STOP_GRACE = 2.0
_LIMITS = Limits()
_PLAN = SamplingPlan()
_FAULTS = {"unreadable": UnreadableInputError, "over_limit": OverLimitError}
_CAUSES = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.ENAMETOOLONG: "no such file (name too long)",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ELOOP: "too many symbolic links",
}


def warm_up() -> None:
    """Start the decoding process now, so that the first file does not wait for it."""
    POOL.release(POOL.acquire())


def open_clip(path: Path | str, *, limits: Limits = _LIMITS) -> Clip:
    """Read the facts of a media file: its type is told from its content, never from its name.

    Args:
        path: The file.
        limits: Caps on bytes, pixels, duration and time.

    Returns:
        The facts, with the SHA-256 of the whole file. ``duration`` is what the header claims
        and 0.0 where it claims nothing.

    Raises:
        UnreadableInputError: Missing, a folder, empty, not permitted, not a media file,
            truncated without its index, without pictures.
        OverLimitError: Over a cap.
        DecodeTimeoutError: Its header could not be read in time.
        WorkerCrashedError: Reading its header ended the decoding process.
    """
    path = Path(path)
    size = _regular_size(path)
    if size > limits.max_bytes:
        raise OverLimitError(path, f"has {size} bytes, over the limit of {limits.max_bytes}")
    with _Job("probe", path, limits) as job:
        digest = _sha256(path)
        facts = job.answer()[0]["facts"]
    facts["size"] = tuple(facts["size"])
    return Clip(path, sha256=digest, bytes=size, **facts)


def stream_frames(
    clip: Clip, plan: SamplingPlan = _PLAN, *, limits: Limits = _LIMITS
) -> FrameStream:
    """Stream the pictures that ``plan`` asks for, upright, in RGB and in time order.

    Times count from the first picture of the stream. Pixels are taken as stored: a pixel aspect
    ratio other than 1 is not resampled away, as that would blur traces.

    Args:
        clip: From `open_clip`.
        plan: Which pictures to take.
        limits: Caps, as in `open_clip`.

    Returns:
        An iterator that is also a context manager; a few frames are decoded ahead, so memory
        stays bounded for any length.

    Raises:
        UnreadableInputError: While iterating: nothing could be decoded, or a cap was exceeded
            (`OverLimitError`), or the decoder hung (`DecodeTimeoutError`) or crashed
            (`WorkerCrashedError`). Frames yielded before that remain valid.
    """
    return FrameStream(clip, plan, limits)


class FrameStream(Iterator[Frame]):
    """Pictures of one clip, to be iterated once. Made by `stream_frames`.

    Attributes:
        warnings: What was odd about the file (ends early, damaged packets, broken time stamps);
            complete once iteration has ended.
    """

    def __init__(self, clip: Clip, plan: SamplingPlan, limits: Limits) -> None:
        self.warnings: tuple[str, ...] = ()
        frame_bytes = 3 * clip.size[0] * clip.size[1]
        window = max(1, min(_AHEAD_FRAMES, _AHEAD_BYTES // frame_bytes))
        self._request = {"plan": asdict(plan), "window": window}
        self._path, self._limits = clip.path, limits
        self._job: _Job | None = None
        self._done = False

    def __enter__(self) -> FrameStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_job", None) is not None:
            self.close()

    def __next__(self) -> Frame:
        if self._done:
            raise StopIteration
        if self._job is None:
            _regular_size(self._path)
            self._job = _Job("stream", self._path, self._limits, **self._request)
        try:
            header, payload = self._job.answer()
        except UnreadableInputError:
            self.close()
            raise
        if header["event"] == "end":
            self.warnings = tuple(header["warnings"])
            self.close()
            raise StopIteration
        self._job.more()
        image = np.frombuffer(payload, dtype=np.uint8).reshape(header["shape"])
        return Frame(
            image, pts=header["pts"], shot=header["shot"], burst=header["burst"],
            extra=header["extra"],
        )

    @property
    def worker_pid(self) -> int | None:
        """Process id of the decoding process while it works for this stream, else None."""
        return None if self._job is None else self._job.pid

    def close(self) -> None:
        """Stop decoding; later iteration yields nothing. Safe to call twice."""
        self._done = True
        job, self._job = self._job, None
        if job is not None:
            job.close()


class _Job:
    """One request to a child, its time account and the translation of its failures."""

    def __init__(self, do: str, path: Path, limits: Limits, **values: Any) -> None:
        self._path, self._limits = path, limits
        self._waited = 0.0
        self._ended = False
        self._request = {"path": os.fspath(path.absolute()), "limits": asdict(limits), **values}
        self._do = do
        self._child = POOL.acquire()
        self._fresh = False
        try:
            self._begin()
        except ChildDiedError:
            self._restart()

    def _begin(self) -> None:
        self._id = self._child.begin(self._do, 3 * self._limits.max_pixels, **self._request)

    def _restart(self) -> None:
        """Go on with a new child: the used one may have suffered from an earlier file."""
        self._child.kill()
        self._child = Child()
        self._fresh = True
        self._begin()

    def __enter__(self) -> _Job:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the child at work."""
        return self._child.pid

    def answer(self) -> Message:
        """Return the next message that is not mere progress.

        Raises:
            UnreadableInputError: The child reports a fault, died or is late.
        """
        while True:
            message = self._next()
            event = message[0]["event"]
            self._ended = event in ("end", "error")
            if event == "error":
                fault = _FAULTS.get(message[0]["kind"], UnreadableInputError)
                raise fault(self._path, message[0]["cause"])
            if event != "progress":
                return message

    def more(self) -> None:
        """Let the child send one more frame."""
        self._child.tell("more", self._id)

    def close(self) -> None:
        """Stop the job if it runs, and give the child back or end it."""
        child = self._child
        if not self._ended and child.alive:
            child.tell("stop", self._id)
            end = time.monotonic() + _STOP_GRACE
            try:
                while not self._ended:
                    header, _ = child.answer(self._id, max(0.0, end - time.monotonic()))
                    self._ended = header["event"] in ("end", "error")
            except (ChildDiedError, ChildSilentError):
                child.kill()
        self._ended = True
        if child.alive:
            POOL.release(child)
        else:
            child.kill()

    def _next(self) -> Message:
        left = self._limits.timeout - self._waited
        patience = min(self._limits.stall, left)
        start = time.monotonic()
        try:
            message = self._child.answer(self._id, max(0.0, patience))
            self._fresh = True
            return message
        except ChildSilentError:
            self._child.kill()
            cause = (
                f"decoding took over {self._limits.timeout:g} s and was stopped"
                if left <= self._limits.stall
                else f"the decoder hung for {self._limits.stall:g} s and was stopped"
            )
            raise DecodeTimeoutError(self._path, cause) from None
        except ChildDiedError as error:
            if not self._fresh:
                self._restart()
                return self._next()
            raise WorkerCrashedError(self._path, str(error)) from None
        finally:
            self._waited += time.monotonic() - start


def _regular_size(path: Path) -> int:
    """Return the file's size after checking that it can be read.

    Raises:
        UnreadableInputError: It cannot.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableInputError(path, "is a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableInputError(path, "is not a regular file")
        with path.open("rb"):
            pass
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        raise UnreadableInputError(path, "no such file (impossible name)") from error
    if status.st_size == 0:
        raise UnreadableInputError(path, "the file is empty")
    return status.st_size


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest()


def _unreadable(path: Path, error: OSError) -> UnreadableInputError:
    cause = _CAUSES.get(error.errno or 0) or (error.strerror or "cannot be read").lower()
    return UnreadableInputError(path, cause)
