"""Two networks of the literature, re-implemented at a size that a laptop trains in minutes.

``sbi``: an EfficientNet classifier on self-blends alone, after Shiohara & Yamasaki (CVPR 2022).
Theirs is EfficientNet-B4 at 380 px; this is Lite0 at 192 px from the same ImageNet weights as
ours. ``xception``: Xception (Chollet 2017) as a classifier of several methods, after Roessler et
al. (ICCV 2019), from random weights, since no package holds its ImageNet ones; at 128 px, so that
it sees enough pairs in its time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import timm
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from forensics.errors import UnreadableInputError
from forensics.training.model import BlendNet, load_imagenet


@dataclass(frozen=True, slots=True)
class Design:
    """A network and what it is trained on.

    Attributes:
        backbone: Name in timm.
        imagenet: Whether it starts from ImageNet weights.
        shares: Families of fakes and how often each is drawn; all of the project's when None.
        rate: Peak learning rate of AdamW.
        side: Of its input, pixels.
        bf16: Whether its products run in bfloat16 where the processor has it; the depthwise layers
            of EfficientNet are slower that way.
    """

    backbone: str
    imagenet: bool
    shares: Mapping[str, float] | None
    rate: float
    side: int
    bf16: bool


DESIGNS = {
    "sbi": Design("tf_efficientnet_lite0", True, {"self_blended": 1.0}, 5e-4, 192, False),
    "xception": Design("legacy_xception", False, None, 1e-3, 128, True),
}


class PeerNet(nn.Module):
    """A backbone with one logit."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.net: Any = timm.create_model(design.backbone, pretrained=False, num_classes=1)
        # timm draws the weights of one class from -1 to 1: the first losses would be 3, not .69.
        nn.init.zeros_(self.net.get_classifier().weight)

    def forward(self, x: Tensor) -> Tensor:
        """Take (n, 3, side, side) RGB 0..255, return (n,) logits."""
        return self.net(x / 127.5 - 1.0).squeeze(1)  # type: ignore[no-any-return]


def build(design: Design) -> PeerNet:
    """Build a network as it is before training."""
    net = PeerNet(design)
    if design.imagenet:
        ours = BlendNet()
        load_imagenet(ours)
        net.net.load_state_dict(ours.backbone.state_dict(), strict=False)
    return net


class NetworkScorer:
    """A trained network as a peer.

    Args:
        folder: Holds ``NAME.safetensors`` and ``NAME.json``.
        name: One of ``DESIGNS``.

    Raises:
        UnreadableInputError: Weights or card are missing, or are not those of this network.
    """

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / f"{name}.safetensors"
        self._net, self._side = PeerNet(DESIGNS[name]), DESIGNS[name].side
        try:
            card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            self._digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if card.get("sha256") != self._digest:
                raise UnreadableInputError(path, "its bytes differ from the card")
            self._net.load_state_dict(load_file(path))
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise UnreadableInputError(path, f"not these weights ({error})") from error
        self._net.eval()
        self._card = card

    @property
    def identity(self) -> Mapping[str, Any]:
        """What fixes the scores, and how they came about."""
        facts = {key: self._card[key] for key in ("cpu_minutes", "steps", "pairs_seen")}
        return {"peer": self._card["name"], "weights_sha256": self._digest, **facts}

    @torch.inference_mode()
    def logit(self, crop: NDArray[np.uint8]) -> float:
        """Score one crop."""
        if crop.shape[:2] != (self._side, self._side):
            size = (self._side, self._side)
            crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA))
        x = torch.from_numpy(np.ascontiguousarray(crop)).permute(2, 0, 1)[None].float()
        return float(self._net(x)[0])
