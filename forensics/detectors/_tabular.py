"""Small scikit-learn models as JSON: standardised features, one hidden layer or none, one logit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ModelMissingError

Floats = NDArray[np.float64]

_REACH = 8.0  # standard deviations beyond which a feature says no more


@dataclass(frozen=True, slots=True)
class Tabular:
    """A fitted model.

    Attributes:
        mean: (k,) of the features in training.
        scale: (k,) standard deviations.
        layers: Weights (inputs, outputs) and biases (outputs,); ReLU between them, the last one
            gives the log-odds.
    """

    mean: Floats
    scale: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def logits(self, features: Floats) -> Floats:
        """Return (n,) log-odds of (n, k) features; a value that is not finite counts as usual."""
        x = (features - self.mean) / self.scale
        x = np.clip(np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0), -_REACH, _REACH)
        for number, (weights, biases) in enumerate(self.layers):
            x = x @ weights + biases
            if number < len(self.layers) - 1:
                x = np.maximum(x, 0.0)
        return np.asarray(x[:, 0], np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data, rounded to what single precision holds."""

        def rounded(values: Floats) -> Any:
            return np.float32(values).astype(float).round(7).tolist()

        return {
            "mean": rounded(self.mean),
            "scale": rounded(self.scale),
            "layers": [[rounded(w), rounded(b)] for w, b in self.layers],
        }


def parse_tabular(raw: dict[str, Any]) -> Tabular:
    """Read what `Tabular.to_json` wrote.

    Raises:
        KeyError, ValueError: It is something else.
    """
    layers = tuple((np.array(w, np.float64), np.array(b, np.float64)) for w, b in raw["layers"])
    model = Tabular(np.array(raw["mean"], np.float64), np.array(raw["scale"], np.float64), layers)
    width = len(model.mean)
    for weights, biases in layers:
        if weights.shape != (width, len(biases)):
            raise ValueError(f"layer of shape {weights.shape} after {width} values")
        width = len(biases)
    if width != 1 or len(model.scale) != len(model.mean):
        raise ValueError("must end in one value")
    return model


def digest(model: dict[str, Any]) -> str:
    """Return the sha256 of a model's canonical JSON."""
    text = json.dumps(model, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=8)
def load_tabular(name: str) -> tuple[Tabular, dict[str, Any]]:
    """Read the shipped model ``name`` and its card.

    Raises:
        ModelMissingError: The file is missing, altered or not a model.
    """
    path = files("forensics") / "weights" / f"{name}.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        model = raw.pop("model")
        if digest(model) != raw["sha256"]:
            raise ModelMissingError(f"weights {name!r}: values differ from the card; reinstall")
        return parse_tabular(model), raw
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelMissingError(f"weights {name!r}: no readable model; reinstall") from error
