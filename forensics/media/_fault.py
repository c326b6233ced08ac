"""What the decoding process says when it cannot go on."""

from __future__ import annotations


class MediaFault(Exception):
    """A clear reason why a file cannot be decoded, to be sent to the parent process.

    Args:
        cause: A few words for a person, without the file's name.
        kind: ``unreadable`` or ``over_limit``.
    """

    def __init__(self, cause: str, kind: str = "unreadable") -> None:
        self.cause = cause
        self.kind = kind
        super().__init__(cause)


class StoppedError(Exception):
    """The parent wants no more frames of this job."""
