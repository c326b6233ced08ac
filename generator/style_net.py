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

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from forensics.errors import UsageError
from generator.style_features import Features

Hook = Callable[[int, dict[str, float]], None]


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


def train_style(
    source: NDArray[np.uint8],
    faces: NDArray[np.uint8],
    config: StyleConfig | None = None,
    *,
    features: Features | None = None,
    hook: Hook | None = None,
) -> tuple[StyleNet, dict[str, Any]]:
    """Train a network that repaints faces as the source person.

    Args:
        source: (m, s, s, 3) aligned photos of the source person, ``uint8``.
        faces: (n, s, s, 3) aligned faces of anybody.
        config: Settings.
        features: The judging network; made from the settings when None.
        hook: Called after each step with its number and losses.

    Returns:
        The network and the facts for its card.

    Raises:
        UsageError: No source photo, or faces of another size.
    """
    config = config or StyleConfig()
    shape = (config.size, config.size, 3)
    for name, pictures in (("source", source), ("faces", faces)):
        if not len(pictures) or pictures.shape[1:] != shape:
            raise UsageError(f"{name} must hold pictures of {shape}, got {pictures.shape}")
    torch.manual_seed(config.seed)
    judge = features if features is not None else Features(config.features)
    net = StyleNet(config.width, config.blocks)
    optimiser = torch.optim.Adam(net.parameters(), lr=config.rate)
    order = np.random.default_rng(config.seed)
    given = _tensor(faces)
    with torch.no_grad():
        mirrored = torch.cat([_tensor(source), _tensor(source).flip(3)])
        wanted = judge(mirrored)
    log: list[dict[str, float]] = []
    began = time.monotonic()
    for step in range(config.steps):
        batch = given[order.integers(len(given), size=config.batch)]
        batch = batch.flip(3) if order.random() < 0.5 else batch
        made = net(batch)
        seen = judge(made)
        with torch.no_grad():
            kept = judge(batch)[judge.spec.content]
        parts = {
            # Scaled by the features' own size, so the weights hold for any backbone.
            "content": config.content
            * functional.mse_loss(seen[judge.spec.content], kept)
            / kept.square().mean(),
            "style": config.style
            * torch.stack(
                [patch_loss(seen[s], wanted[s], config.reach) for s in judge.spec.style]
            ).mean(),
            "light": config.light * light_loss(made, batch),
            "smooth": config.smooth * total_variation(made),
        }
        loss = torch.stack(list(parts.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        values = {name: float(part.detach()) for name, part in parts.items()}
        log.append({"loss": float(loss.detach()), **values})
        if hook is not None:
            hook(step, log[-1])
        if time.monotonic() - began > config.budget:
            break
    facts = {
        "config": asdict(config),
        "steps": len(log),
        "seconds": round(time.monotonic() - began, 1),
        "first": log[0],
        "last": log[-1],
        "feature_network": judge.spec.name,
        "feature_sha256": judge.sha256,
        "feature_licence": judge.spec.licence,
    }
    return net.eval(), facts


def repaint(net: StyleNet, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Run the network on (n, s, s, 3) ``uint8`` faces."""
    with torch.inference_mode():
        made = net(_tensor(faces)).permute(0, 2, 3, 1).numpy()
    return np.asarray(made * 255 + 0.5, np.uint8)


def _tensor(faces: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(faces)).permute(0, 3, 1, 2).float() / 255.0
