"""Keep freed memory in the process while training on a CPU."""

from __future__ import annotations

import ctypes
import sys

_MMAP_MAX, _TRIM_THRESHOLD, _TOP_PAD = -4, -1, -2  # glibc's malloc.h


def keep_memory() -> bool:
    """Tell glibc not to give large blocks back to the system between steps.

    Every step allocates the same tensors anew; returned blocks come back as fresh pages that the
    kernel must clear, which took half of the machine's time. Call it before large allocations.

    Returns:
        Whether the C library took the settings (it does on glibc only).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        libc = ctypes.CDLL("libc.so.6")
        settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28))
        return all(libc.mallopt(name, value) == 1 for name, value in settings)
    except (OSError, AttributeError):
        return False
