"""Shipped weights: an ONNX file beside a JSON card that pins its bytes."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

import onnxruntime as ort

from forensics.errors import ModelMissingError


@lru_cache(maxsize=8)
def read_card(name: str) -> dict[str, Any]:
    """Return the card of the shipped weights ``name``.

    Raises:
        ModelMissingError: The installation lacks it.
    """
    path = files("forensics") / "weights" / f"{name}.json"
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelMissingError(f"weights {name!r}: no readable card; reinstall") from error
    return card


@lru_cache(maxsize=8)
def open_session(name: str) -> ort.InferenceSession:
    """Open the shipped ONNX weights after checking that their bytes are those of the card.

    Raises:
        ModelMissingError: The file is missing or differs from its card.
    """
    path = files("forensics") / "weights" / f"{name}.onnx"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelMissingError(f"weights {name!r}: no file; reinstall") from error
    if hashlib.sha256(data).hexdigest() != read_card(name)["sha256"]:
        raise ModelMissingError(f"weights {name!r}: bytes differ from the card; reinstall")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    # Scoring runs beside looking for faces and decoding: more threads would only wait for cores.
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
