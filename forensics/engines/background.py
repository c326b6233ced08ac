"""Run one consumer beside the producer, with a short queue between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

_QUEUE = 4  # items that may wait: keeps memory bounded when the consumer is the slower side


class Background(Generic[T]):
    """Call ``consume`` on items in a thread of its own, in order.

    Finding faces and scoring them both release the interpreter's lock in native code, so a second
    core can score while the first one looks for faces. Leaving the context waits for the rest.

    Args:
        consume: Called with one item at a time; what it raises comes out of `put` or the exit.
    """

    def __init__(self, consume: Callable[[T], None]) -> None:
        self._consume = consume
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="forensics-score")
        self._waiting: deque[Future[None]] = deque()

    def put(self, item: T) -> None:
        """Hand over an item; waits while the queue is full."""
        while len(self._waiting) >= _QUEUE or (self._waiting and self._waiting[0].done()):
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._consume, item))

    def finish(self) -> None:
        """Wait until every item was consumed."""
        while self._waiting:
            self._waiting.popleft().result()

    def __enter__(self) -> Background[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish, or drop what waits when the producer failed."""
        try:
            if kind is None:
                self.finish()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
