"""Checks on the arrays inside the data types."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def read_only(array: NDArray[Any], name: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Check ``array`` against ``shape`` (None: any size) and return a read-only view of it.

    Raises:
        ValueError: The shape differs; the message names the array.
    """
    if array.ndim != len(shape) or any(
        want is not None and want != got for want, got in zip(shape, array.shape, strict=True)
    ):
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    view = array.view()
    view.flags.writeable = False
    return view
