"""The registry of swapping methods. A module dropped into this package registers itself."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from forensics.errors import UsageError
from generator.methods._base import (
    COVERAGE,
    FACE_MARGIN,
    FACE_SIZE,
    AlignedFace,
    Label,
    Method,
    SwappedFace,
)

__all__ = [
    "COVERAGE",
    "FACE_MARGIN",
    "FACE_SIZE",
    "AlignedFace",
    "Label",
    "Method",
    "SwappedFace",
    "create_method",
    "get_method",
    "list_methods",
    "register_method",
]

_METHODS: dict[str, type[Method]] = {}
_M = TypeVar("_M", bound=type[Method])


def register_method(cls: _M) -> _M:
    """Class decorator: make a :class:`Method` known under its ``name``.

    Raises:
        ValueError: Another class has that name already.
    """
    taken = _METHODS.get(cls.name)
    if taken is not None and taken.__qualname__ != cls.__qualname__:
        raise ValueError(f"method {cls.name!r} is registered twice: {taken!r} and {cls!r}")
    _METHODS[cls.name] = cls
    return cls


def _import_all() -> None:
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")


def list_methods() -> list[str]:
    """Return the names of all methods, sorted."""
    _import_all()
    return sorted(_METHODS)


def get_method(name: str) -> type[Method]:
    """Return the class called ``name``.

    Raises:
        UsageError: No such method; the message lists those there are.
    """
    _import_all()
    try:
        return _METHODS[name]
    except KeyError:
        known = ", ".join(sorted(_METHODS))
        raise UsageError(f"no method {name!r}; there are: {known}") from None


def create_method(
    name: str,
    *,
    model: Path | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Method:
    """Construct and load the method called ``name``.

    Raises:
        UsageError: Unknown name, or the method needs a model and none is given.
    """
    cls = get_method(name)
    if cls.needs_model and model is None:
        raise UsageError(f"method {name!r} needs a trained model: give --model FOLDER")
    method = cls(model=model, seed=seed, options=options)
    method.load()
    return method
