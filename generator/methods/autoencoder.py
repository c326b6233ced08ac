"""A trained network as a method: paint the target's expression as another person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import UsageError
from forensics.faces.quality import face_mask
from generator.methods import register_method
from generator.methods._base import COVERAGE, FACE_SIZE, AlignedFace, Method, SwappedFace

if TYPE_CHECKING:
    from generator.checkpoint import Card
    from generator.models._network import Swapper


@register_method
class Autoencoder(Method):
    """Encode the target with the shared encoder, paint it with the other person's decoder.

    Options:
        person: Whom to paint, ``a`` or ``b`` (the default).
    """

    name = "autoencoder"
    summary = "a trained network: shared encoder, the source person's decoder"
    needs_source = False  # the decoder is the source person
    needs_model = True
    default_person = "b"

    def __init__(
        self,
        *,
        model: Path | None = None,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model=model, seed=seed, options=options)
        self.options.setdefault("person", self.default_person)
        self._network: Swapper | None = None
        self._card: Card | None = None

    def load(self) -> None:
        """Read the checkpoint. Raises `UnreadableInputError` when it is damaged."""
        from generator.checkpoint import load_swapper

        if self.model is None:
            raise UsageError(f"method {self.name!r} needs a trained model: give --model FOLDER")
        self._network, self._card = load_swapper(self.model)
        letters = "ab"[: len(self._card.people)]
        if self.options["person"] not in list(letters):
            raise UsageError(
                f"{self.model}: can paint {' or '.join(letters)}, not {self.options['person']!r}"
            )

    @property
    def sees_occluders(self) -> bool:
        """Whether the network has a mask branch."""
        return self._card is not None and self._card.config.mask

    def swap_face(self, target: AlignedFace) -> SwappedFace:
        """Paint one face."""
        return self.swap_faces([target])[0]

    def swap_faces(self, targets: Sequence[AlignedFace]) -> list[SwappedFace]:
        """Paint several faces in one pass."""
        import torch

        from generator.train_data import network_view

        assert self._network is not None, "load() comes first"
        size = self._network.config.size
        views = np.stack([network_view(t.crop, size) for t in targets])
        faces = torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255.0
        with torch.inference_mode():
            painted = self._network(faces, "ab".index(self.options["person"]))
        pictures = painted.permute(0, 2, 3, 1).contiguous().numpy()
        return [_placed(p, t) for p, t in zip(pictures, targets, strict=True)]

    def describe(self) -> dict[str, Any]:
        """Name the network, its weights and the consent it was trained under."""
        if self._card is None:
            return super().describe()
        return {
            **super().describe(),
            "model": self._card.name,
            "model_steps": self._card.training.get("step"),
            "model_sha256": self._card.sha256["weights"],
            "source_sha256": self._source().get("sources_sha256", []),
            "consent_sha256": " ".join(p["consent_sha256"] for p in self._card.people),
        }

    def _source(self) -> dict[str, Any]:
        assert self._card is not None
        return self._card.people["ab".index(self.options["person"])]


@register_method
class Reconstruct(Autoencoder):
    """Paint the target as itself: the traces of a decoder without a swap.

    Options:
        person: Who the target is, ``a`` (the default) or ``b``.
    """

    name = "reconstruct"
    summary = "the same person through the network: decoder traces, no swap"
    label = "reconstruct"
    default_person = "a"


def _placed(picture: NDArray[np.float32], target: AlignedFace) -> SwappedFace:
    """Put a (size, size, 3 or 4) picture back into the 256 px crop that it was seen in."""
    size = len(picture)
    scale = COVERAGE / size
    corner = (FACE_SIZE - COVERAGE) / 2 + (scale - 1) / 2  # pixel centres, not corners
    matrix = np.array([[scale, 0, corner], [0, scale, corner]])
    large = cv2.warpAffine(
        picture,
        matrix,
        (FACE_SIZE, FACE_SIZE),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    mask = (face_mask(target.mesh, FACE_SIZE) > 0).astype(np.float32)
    edge = (FACE_SIZE - COVERAGE) // 2 + 2
    inside = np.zeros_like(mask)
    inside[edge:-edge, edge:-edge] = 1.0  # nothing was painted outside the covered square
    mask *= inside
    visible: NDArray[np.float32] | None = None
    if picture.shape[2] == 4:
        visible = np.asarray(np.clip(large[..., 3], 0.0, 1.0), np.float32)
    face = (np.clip(large[..., :3], 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return SwappedFace(face, mask=mask, visible=visible)
