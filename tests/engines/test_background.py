"""The consumer beside the producer: order, errors, and an end."""

from __future__ import annotations

import pytest

from forensics.engines.background import Background


def test_items_are_consumed_in_order_before_the_exit() -> None:
    seen: list[int] = []
    with Background(seen.append) as work:
        for item in range(50):
            work.put(item)
    assert seen == list(range(50))


def test_an_error_of_the_consumer_reaches_the_producer() -> None:
    def fail(item: int) -> None:
        raise ValueError(f"cannot take {item}")

    with pytest.raises(ValueError, match="cannot take 0"), Background(fail) as work:
        for item in range(20):
            work.put(item)


def test_an_error_of_the_producer_is_not_hidden() -> None:
    with pytest.raises(KeyError), Background(lambda item: None) as work:
        work.put(1)
        raise KeyError("producer")
