"""A small deepfake decoder for training fakes: it repaints any face as a swapping network would.

``python -m forensics.training.painter --cache runs/blend/cache --out runs/painter.safetensors``

One encoder of strided convolutions, a narrow code, and one decoder of upscaling convolutions
(PixelShuffle, Shi et al. 2016), trained over all portraits of the training split. What it paints
has the softness, lost glasses and pixel grid of the real family, which a linear code lacks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from forensics.faces.align import similarity, template
from forensics.faces.mesh import five_points
from forensics.training.allocator import keep_memory
from forensics.training.blend import Image, shift_colour, shift_detail
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.pairs import widen
from forensics.training.portraits import Portrait, load_cache
from forensics.training.warp import move_pixels

SIDE = 96
_ROOM = 0.04  # around the tight face square, on every side
_BATCH = 16


class PaintNet(nn.Module):
    """Code a face square in few numbers and paint it again.

    Args:
        code: Numbers in the code.
    """

    def __init__(self, code: int = 160) -> None:
        super().__init__()
        widths = (3, 32, 64, 96, 128)
        downs: list[nn.Module] = []
        for inputs, outputs in zip(widths[:-1], widths[1:], strict=True):
            downs += [nn.Conv2d(inputs, outputs, 5, stride=2, padding=2), nn.LeakyReLU(0.1)]
        self.down = nn.Sequential(*downs)
        cells = (SIDE // 16) ** 2
        self.squeeze = nn.Linear(128 * cells, code)
        self.expand = nn.Linear(code, 128 * cells)
        ups: list[nn.Module] = []
        for inputs, outputs in ((128, 96), (96, 64), (64, 48), (48, 32)):
            ups += [nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.LeakyReLU(0.1)]
            ups += [nn.PixelShuffle(2)]
        self.up = nn.Sequential(*ups, nn.Conv2d(32, 3, 5, padding=2), nn.Sigmoid())

    def forward(self, faces: Tensor) -> Tensor:
        """Repaint (n, 3, 96, 96) faces, 0..1."""
        code = self.squeeze(self.down(faces).flatten(1))
        maps = self.expand(code).unflatten(1, (128, SIDE // 16, SIDE // 16))
        return cast(Tensor, self.up(maps))


def _cut(image: Image, mesh: NDArray[np.floating]) -> tuple[Image, NDArray[np.float64]]:
    forward = similarity(five_points(np.asarray(mesh, np.float32)), template(SIDE, _ROOM))
    crop = cv2.warpAffine(
        image, forward, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(crop, np.uint8), forward


def _wobble(face: Image, rng: np.random.Generator, pixels: float) -> Image:
    shifts = rng.standard_normal((4, 4, 2)).astype(np.float32) * np.float32(pixels)
    field = cv2.resize(shifts, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return move_pixels(face, np.asarray(field, np.float32))


class Painter:
    """Repaint faces with a trained network, or sometimes with eigenfaces.

    Args:
        path: Weights that `train` wrote.
        linear: Repaints the rest.
        share: How often the network paints, 0..1.
    """

    def __init__(self, path: Path, linear: Eigenfaces, *, share: float = 0.6) -> None:
        self._net = PaintNet()
        self._net.load_state_dict(load_file(path))
        self._net.eval()
        self._linear, self._share = linear, share

    @torch.no_grad()
    def repaint(
        self, image: Image, mesh: NDArray[np.floating], rng: np.random.Generator
    ) -> Image:
        """Repaint a face and put it back, unblended; see `Eigenfaces.repaint`."""
        if rng.random() >= self._share:
            return self._linear.repaint(image, mesh, rng)
        face, forward = _cut(image, mesh)
        # Decoders follow an expression roughly, and colours not quite.
        x = torch.from_numpy(_wobble(face, rng, float(rng.uniform(0, 1.5))))
        x = (x.permute(2, 0, 1)[None].float() / 255.0).contiguous()
        y = self._net(x)[0].permute(1, 2, 0).numpy() * 255.0
        # Networks trained on two people for days keep more than this one, trained on hundreds.
        keep = float(rng.uniform(0.0, 0.7))
        y = y * (1 - keep) + cv2.GaussianBlur(face, (0, 0), 0.8) * keep
        painted = np.clip(y, 0, 255).astype(np.uint8)
        if rng.random() < 0.3:  # what apps call super-resolution
            soft = cv2.GaussianBlur(painted, (0, 0), 1.0)
            amount = float(rng.uniform(0.3, 1.2))
            painted = np.asarray(cv2.addWeighted(painted, 1 + amount, soft, -amount, 0), np.uint8)
        how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[int(rng.integers(3))]
        back = cv2.warpAffine(
            painted, cv2.invertAffineTransform(forward), (image.shape[1], image.shape[0]),
            dst=image.copy(), flags=how, borderMode=cv2.BORDER_TRANSPARENT,
        )  # fmt: skip
        return np.asarray(back, np.uint8)


def draw_batch(portraits: Sequence[Portrait], seed: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Draw faces as the network gets them and as it should paint them, (n, 3, 96, 96) 0..1."""
    rng = np.random.default_rng(seed)
    given, wanted = [], []
    for _ in range(_BATCH):
        image, mesh = widen(portraits[int(rng.integers(len(portraits)))], rng)
        face, _ = _cut(shift_colour(image, rng, 1.5), mesh)
        gain = rng.uniform(0.35, 1.1)  # portraits are bright, films are not
        face = np.clip(face * gain, 0, 255).astype(np.uint8)
        face = np.ascontiguousarray(face[:, ::-1]) if rng.random() < 0.5 else face
        wanted.append(face)
        given.append(_wobble(shift_detail(face, rng) if rng.random() < 0.3 else face, rng, 1.5))
    both = [np.stack(faces).transpose(0, 3, 1, 2) for faces in (given, wanted)]
    one, two = (torch.from_numpy(np.ascontiguousarray(x)).float() / 255.0 for x in both)
    return one, two


def painting_loss(painted: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute error of the pixels and of their differences to the next ones."""
    loss = nn.functional.l1_loss(painted, wanted)
    for axis in (2, 3):
        loss = loss + nn.functional.l1_loss(painted.diff(dim=axis), wanted.diff(dim=axis))
    return loss


def train(
    portraits: Sequence[Portrait], out: Path, *, budget: float, seed: int = 0
) -> tuple[int, float]:
    """Train a painter and write it.

    Args:
        portraits: Of the training split only.
        out: Safetensors file to write.
        budget: Seconds.
        seed: Of weights and data.

    Returns:
        Steps done, and the running loss at the end.
    """
    torch.manual_seed(seed)
    net = PaintNet().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.99), fused=True)
    begun, step, running = time.monotonic(), 0, 0.0
    while (spent := time.monotonic() - begun) < budget or step == 0:
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 - 0.95 * spent / budget)
        given, wanted = draw_batch(portraits, (seed, step))
        with torch.autocast("cpu", torch.bfloat16):
            painted = net(given.contiguous(memory_format=torch.channels_last))
        loss = painting_loss(painted.float(), wanted)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        step += 1
        now = float(loss.detach())
        running = now if step == 1 else 0.98 * running + 0.02 * now
        if step % 100 == 0:
            print(f"step {step}  loss {running:.4f}  {(budget - spent) / 60:.1f} min left")
    partial = out.with_suffix(".partial")
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, partial)
    partial.replace(out)
    return step, running


def main(
    cache: Annotated[Path, typer.Option(help="The training's cache of portraits.")],
    out: Annotated[Path, typer.Option(help="Weights to write (.safetensors).")],
    minutes: Annotated[float, typer.Option(help="Time to train.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Of weights and data.")] = 0,
) -> None:
    """Train the painter of training fakes."""
    keep_memory()
    cv2.setNumThreads(1)
    steps, loss = train(load_cache(cache, ["train"]), out, budget=60 * minutes, seed=seed)
    print(f"wrote {out}: {steps} steps, loss {loss:.4f}")


if __name__ == "__main__":
    typer.run(main)
