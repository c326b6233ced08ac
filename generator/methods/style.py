"""The style route: a network trained to repaint any face as one person.

The network and its losses are in `generator.style_net`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import OutputError, UnreadableInputError, UsageError
from forensics.faces.quality import face_mask
from generator.consent import ConsentRecord
from generator.methods import register_method
from generator.methods._base import COVERAGE, FACE_SIZE, AlignedFace, Method, SwappedFace

if TYPE_CHECKING:
    from generator.style_net import StyleNet

_WEIGHTS, _CARD, _SCHEMA = "style.safetensors", "style.json", "style/1"
_EDGE = (FACE_SIZE - COVERAGE) // 2


@register_method
class StyleMethod(Method):
    """Repaint the target with a trained style network; the network is the source person."""

    name: ClassVar[str] = "style"
    summary: ClassVar[str] = "feed-forward style network trained on one person's photos"
    needs_source: ClassVar[bool] = False
    needs_model: ClassVar[bool] = True

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._net: StyleNet | None = None
        self._card: dict[str, Any] = {}

    def load(self) -> None:
        """Read the network that `save_style` wrote."""
        if self.model is None:
            raise UsageError("method 'style' needs a trained network: give --model FOLDER")
        self._net, self._card = load_style(self.model)

    def swap_face(self, target: AlignedFace) -> SwappedFace:
        """Repaint one face."""
        return self.swap_faces([target])[0]

    def swap_faces(self, targets: Sequence[AlignedFace]) -> list[SwappedFace]:
        """Repaint several faces in one pass."""
        from generator.style_net import repaint

        if self._net is None:
            raise UsageError("method 'style' was not loaded")
        size = int(self._card["config"]["size"])
        views = np.stack([face_view(target.crop, size) for target in targets])
        made = repaint(self._net, views)
        return [_placed(face, target) for face, target in zip(made, targets, strict=True)]

    def describe(self) -> dict[str, Any]:
        """Name the network, its weights, its judge and the consent it was trained under."""
        kept = ("weights_sha256", "consent_sha256", "feature_network", "steps")
        facts = {k: self._card[k] for k in kept if k in self._card}
        facts["model_sha256"] = facts.pop("weights_sha256", "")
        return {**super().describe(), "model": "style", **facts}


def face_view(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Cut what the network sees from a 256 px aligned face: (size, size, 3)."""
    inner = crop[_EDGE : _EDGE + COVERAGE, _EDGE : _EDGE + COVERAGE]
    return np.asarray(cv2.resize(inner, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def save_style(
    folder: Path, net: StyleNet, facts: dict[str, Any], *, consent: ConsentRecord
) -> None:
    """Write a trained network and its card; the card goes last and names the weights' digest.

    Args:
        folder: Made when missing.
        net: From `generator.style_train.train_style`.
        facts: From the same call.
        consent: Permission of the person that the network paints.

    Raises:
        OutputError: The folder cannot be written.
    """
    from safetensors.torch import save

    from generator._stamp import sha256_bytes

    blob = save({k: v.contiguous() for k, v in net.state_dict().items()})
    card = {
        "schema": _SCHEMA,
        **facts,
        "weights_sha256": sha256_bytes(blob),
        "consent_sha256": consent.sha256,
        "subject": consent.subject,
    }
    text = json.dumps(card, ensure_ascii=False, indent=1) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in ((_WEIGHTS, blob), (_CARD, text.encode())):
            part = folder / f".{name}.part"
            part.write_bytes(content)
            part.replace(folder / name)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error


def load_style(folder: Path) -> tuple[StyleNet, dict[str, Any]]:
    """Read what `save_style` wrote.

    Raises:
        UnreadableInputError: Missing, damaged, or of another kind.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from generator._stamp import sha256_bytes
    from generator.style_net import StyleNet

    try:
        card = json.loads((folder / _CARD).read_text("utf-8"))
        blob = (folder / _WEIGHTS).read_bytes()
    except (OSError, ValueError) as error:
        raise UnreadableInputError(folder, "holds no style network (style.json)") from error
    if not isinstance(card, dict) or card.get("schema") != _SCHEMA:
        raise UnreadableInputError(folder, "holds no style network of this version")
    if sha256_bytes(blob) != card.get("weights_sha256"):
        raise UnreadableInputError(folder, f"{_WEIGHTS} is damaged: its digest is another")
    try:
        net = StyleNet(card["config"]["width"], card["config"]["blocks"])
        net.load_state_dict(load(blob))
    except (SafetensorError, RuntimeError, KeyError, TypeError) as error:
        raise UnreadableInputError(folder, f"{_WEIGHTS} does not fit its card") from error
    return net.eval(), card


def _placed(face: NDArray[np.uint8], target: AlignedFace) -> SwappedFace:
    """Put a repainted view back into the crop it came from."""
    large = cv2.resize(face, (COVERAGE, COVERAGE), interpolation=cv2.INTER_CUBIC)
    whole = target.crop.copy()
    whole[_EDGE : _EDGE + COVERAGE, _EDGE : _EDGE + COVERAGE] = large
    mask = np.zeros((FACE_SIZE, FACE_SIZE), np.float32)
    inner = slice(_EDGE + 2, _EDGE + COVERAGE - 2)
    mask[inner, inner] = (face_mask(target.mesh, FACE_SIZE) > 0)[inner, inner]
    return SwappedFace(whole, mask=mask)
