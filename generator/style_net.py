"""The style route to a swap: a feed-forward network that repaints any face as one person.

After Korshunova et al. (2017, "Fast Face-swap Using Convolutional Neural Networks"): the network
keeps the content of its input (pose, expression), and takes patches of the source person's
photos as its style. What is simpler here than in the paper:

- one encoder-decoder with residual blocks in place of the multi-scale tower;
- style patches are sought among the source photos within a small window around their own place,
  where the paper first chooses photos by landmarks;
- light is compared as the blurred luma of output and input, where the paper trains a siamese
  network on faces of known lighting;
- 64 px, and a feature network that need not be VGG (the model card says which).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class StyleConfig:
    """How a style network is made and trained.

    Attributes:
        size: Side of the faces, pixels.
        width: Channels at full size.
        blocks: Residual blocks at a quarter of the size.
        features: A key of `generator.style_features.SPECS`.
        content: Weight of the content loss.
        style: Weight of the patch style loss.
        light: Weight of the light loss.
        smooth: Weight of the total variation.
        reach: How far from its place a style patch may come from, feature pixels.
        photos: Most photos of the source that patches are sought in, evenly chosen.
        batch: Faces a step.
        rate: Learning rate of Adam.
        steps: Most steps.
        budget: Most seconds.
        seed: Fixes weights and order.
    """

    size: int = 64
    width: int = 24
    blocks: int = 4
    features: str = "efficientnet-lite0"
    content: float = 1.0
    style: float = 4.0
    light: float = 20.0
    smooth: float = 2.0
    reach: int = 2
    photos: int = 24
    batch: int = 8
    rate: float = 2e-3
    steps: int = 2000
    budget: float = 1800.0
    seed: int = 0


class StyleNet(nn.Module):
    """Repaint (n, 3, s, s) faces in 0..1; the output has the same form."""

    def __init__(self, width: int = 24, blocks: int = 4) -> None:
        super().__init__()
        self.down = nn.Sequential(
            _Block(3, width, stride=1),
            _Block(width, 2 * width, stride=2),
            _Block(2 * width, 4 * width, stride=2),
        )
        self.body = nn.ModuleList(_Block(4 * width, 4 * width, stride=1) for _ in range(blocks))
        self.up = nn.Sequential(
            nn.Conv2d(4 * width, 8 * width, 3, padding=1),
            nn.PixelShuffle(2),
            nn.LeakyReLU(0.1),
            nn.Conv2d(2 * width, 4 * width, 3, padding=1),
            nn.PixelShuffle(2),
            nn.LeakyReLU(0.1),
            nn.Conv2d(width, 3, 3, padding=1),
        )
        # Start as the identity: the loss then moves a face and does not first have to find one.
        for parameter in self.up[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, faces: Tensor) -> Tensor:
        """Repaint the faces."""
        x = self.down(faces)
        for block in self.body:
            x = x + block(x)
        logits = torch.logit(faces.clamp(0.02, 0.98)) + self.up(x)
        return torch.sigmoid(logits)


class _Block(nn.Sequential):
    def __init__(self, inside: int, outside: int, *, stride: int) -> None:
        super().__init__(
            nn.Conv2d(inside, outside, 3, stride, 1),
            nn.InstanceNorm2d(outside, affine=True),
            nn.LeakyReLU(0.1),
        )


def patch_loss(made: Tensor, source: Tensor, reach: int) -> Tensor:
    """Mean distance (1 - cosine) of each 3 x 3 feature patch to the nearest source patch.

    Args:
        made: (n, c, h, w) features of the output.
        source: (m, c, h, w) features of the source photos.
        reach: A patch is compared with source patches up to this far from its place.
    """
    ours = _patches(made)
    theirs = _patches(source)
    padded = functional.pad(theirs, (reach,) * 4, mode="replicate")
    height, width = made.shape[2:]
    best = torch.full((len(made), height, width), -1.0)
    for dy in range(2 * reach + 1):
        for dx in range(2 * reach + 1):
            near = padded[:, :, dy : dy + height, dx : dx + width]
            likeness = torch.einsum("nchw,mchw->nmhw", ours, near)
            best = torch.maximum(best, likeness.amax(dim=1))
    return (1.0 - best).mean()


def _patches(features: Tensor) -> Tensor:
    """Return unit vectors of 3 x 3 patches, (n, 9c, h, w)."""
    n, c, h, w = features.shape
    unfolded = functional.unfold(features, 3, padding=1).view(n, 9 * c, h, w)
    return functional.normalize(unfolded, dim=1)


def light_loss(made: Tensor, given: Tensor) -> Tensor:
    """Squared difference of the blurred luma: shading stays where it was."""
    weights = made.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    luma = [(x * weights).sum(dim=1, keepdim=True) for x in (made, given)]
    soft = [functional.avg_pool2d(x, 16, 8) for x in luma]
    return functional.mse_loss(soft[0], soft[1])


def total_variation(made: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels."""
    down = (made[:, :, 1:] - made[:, :, :-1]).square().mean()
    return down + (made[:, :, :, 1:] - made[:, :, :, :-1]).square().mean()


def repaint(net: StyleNet, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Run the network on (n, s, s, 3) ``uint8`` faces."""
    with torch.inference_mode():
        made = net(as_tensor(faces)).permute(0, 2, 3, 1).numpy()
    return np.asarray(made * 255 + 0.5, np.uint8)


def as_tensor(faces: NDArray[np.uint8]) -> Tensor:
    """Turn (n, h, w, 3) ``uint8`` faces into (n, 3, h, w) in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(faces)).permute(0, 3, 1, 2).float() / 255.0
