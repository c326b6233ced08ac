"""The adapters by name."""

from __future__ import annotations

from forensics.errors import UsageError
from forensics.evaluation.adapters._base import Adapter
from forensics.evaluation.adapters.celeb_df import CELEB_DF
from forensics.evaluation.adapters.deepfakebench import DEEPFAKEBENCH
from forensics.evaluation.adapters.df40 import DF40
from forensics.evaluation.adapters.dfdc import DFDC, DFDC_PREVIEW
from forensics.evaluation.adapters.faceforensics import DFD, FFPP
from forensics.evaluation.adapters.ffiw import FFIW
from forensics.evaluation.adapters.jsonl import JSONL

_ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter
    for adapter in (FFPP, DFD, CELEB_DF, DFDC, DFDC_PREVIEW, DF40, FFIW, DEEPFAKEBENCH, JSONL)
}


def list_adapters() -> tuple[Adapter, ...]:
    """Return every adapter."""
    return tuple(_ADAPTERS.values())


def get_adapter(name: str) -> Adapter:
    """Return the adapter ``name``.

    Raises:
        UsageError: There is none of that name.
    """
    try:
        return _ADAPTERS[name]
    except KeyError:
        raise UsageError(
            f"no adapter {name!r}; there are {', '.join(_ADAPTERS)}"
        ) from None
