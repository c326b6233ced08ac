"""What cameras and uploads do to a picture. One chain is drawn for a pair and applied to both.

The chain never depends on the label: a detector can learn nothing from it but to look past it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.faces.align import similarity, template
from forensics.faces.mesh import five_points
from forensics.training.blend import Image
from forensics.training.codec import h264_round_trip, mpeg4_round_trip


@dataclass(frozen=True, slots=True)
class Chain:
    """One drawn chain of capture and coding.

    Attributes:
        crop: (2, 3) affine matrix from portrait to output pixels.
        width: Side at which the face was filmed, pixels (even).
        size: Side of the result, pixels.
        light: (h, w) coarse gain field, or None.
        gain: Overall exposure gain.
        gamma: Tone exponent.
        tint: Gain of each colour channel.
        blur: Standard deviation of defocus, pixels at ``width``.
        motion: Length of motion blur in pixels at ``width`` and its direction in degrees.
        sharpen: Amount of unsharp masking.
        noise: Standard deviation of sensor noise, grey levels.
        seed: Of the noise.
        codecs: Steps like ``("jpeg", 80)`` or ``("h264", 28)``, in order.
        mirror: Flip left to right.
        gray: Drop the colours.
    """

    crop: NDArray[np.float64]
    width: int
    size: int
    light: NDArray[np.float32] | None
    gain: float
    gamma: float
    tint: tuple[float, float, float]
    blur: float
    motion: tuple[int, float]
    sharpen: float
    noise: float
    seed: int
    codecs: tuple[tuple[str, int], ...]
    mirror: bool
    gray: bool

    def apply(self, image: Image) -> Image:
        """Run the chain over one (n, n, 3) RGB picture."""
        w = self.width
        forward = self.crop.copy()
        forward[:2] *= w / self.size
        x = _warp(image, forward, w)
        if self.motion[0] > 1:
            x = np.asarray(cv2.filter2D(x, -1, _streak(*self.motion)), np.uint8)
        if self.blur > 0.2:
            x = np.asarray(cv2.GaussianBlur(x, (0, 0), self.blur), np.uint8)
        y = self._light(x.astype(np.float32))
        if self.noise > 0:
            grain = np.random.default_rng(self.seed).standard_normal((w, w, 3)).astype(np.float32)
            grain = 0.6 * grain + 0.8 * cv2.GaussianBlur(grain, (0, 0), 0.8)
            y += grain * np.float32(self.noise)
        x = np.clip(y, 0, 255).astype(np.uint8)
        if self.sharpen > 0:
            soft = cv2.GaussianBlur(x, (0, 0), 1.0)
            x = np.asarray(cv2.addWeighted(x, 1 + self.sharpen, soft, -self.sharpen, 0), np.uint8)
        for name, level in self.codecs:
            x = _CODECS[name](x, level)
        if w != self.size:
            how = cv2.INTER_AREA if w > self.size else cv2.INTER_LINEAR
            x = np.asarray(cv2.resize(x, (self.size, self.size), interpolation=how), np.uint8)
        return np.ascontiguousarray(x[:, ::-1]) if self.mirror else x

    def place(self, mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take a portrait-sized mask along to the result's grid, uncoded."""
        placed = cv2.warpAffine(mask, self.crop, (self.size, self.size), flags=cv2.INTER_LINEAR)
        out = np.asarray(placed, np.float32)
        return np.ascontiguousarray(out[:, ::-1]) if self.mirror else out

    def _light(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        y = np.clip(x / 255.0, 0, 1)
        if self.gray:
            y = np.repeat(y.mean(-1, keepdims=True), 3, axis=-1)
        if self.light is not None:
            field = cv2.resize(self.light, x.shape[1::-1], interpolation=cv2.INTER_CUBIC)
            y = y * field[..., None]
        y = np.power(np.clip(y * self.gain * np.array(self.tint, np.float32), 0, 1), self.gamma)
        return np.asarray(y * 255.0, np.float32)


def _warp(image: Image, forward: NDArray[np.float64], size: int) -> Image:
    shrink = float(np.hypot(forward[0, 0], forward[1, 0]))
    if shrink < 0.6:  # average before sampling, or fine detail aliases
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 / shrink), np.uint8)
    warped = cv2.warpAffine(
        image, forward, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)


def _streak(length: int, angle: float) -> NDArray[np.float32]:
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1.0
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), angle, 1.0)
    turned = cv2.warpAffine(kernel, turn, (length, length))
    return np.asarray(turned / max(float(turned.sum()), 1e-6), np.float32)


def jpeg_round_trip(image: Image, quality: int) -> Image:
    """Return (h, w, 3) RGB pictures as JPEG of this quality, 1..100, shows them."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def _h264(image: Image, crf: int) -> Image:
    moved = np.roll(image, 1, axis=1)  # a picture before it, so that a predicted frame is kept
    return h264_round_trip([moved, image], crf=crf)[-1]


def _mpeg4(image: Image, scale: int) -> Image:
    return mpeg4_round_trip([np.roll(image, 1, axis=1), image], scale=scale)[-1]


_CODECS = {"jpeg": jpeg_round_trip, "h264": _h264, "mpeg4": _mpeg4}


def draw_chain(
    mesh: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    size: int,
    margin: tuple[float, float] = (-0.16, 0.26),
    mild: bool = False,
) -> Chain:
    """Draw a chain for one pair.

    Args:
        mesh: (468, 2+) points of the portrait's face.
        rng: Source of chance.
        size: Side of the result in pixels.
        margin: Range of the room around the tight face square, see `forensics.faces.align`.
        mild: Good light, sharp and lightly coded only.

    Returns:
        The chain.
    """
    m = rng.uniform(*margin)
    goal = template(size, m)
    goal += rng.normal(0, 0.02 * size, 2)
    turn = np.radians(rng.normal(0, 5.0))
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    goal = (goal - size / 2) @ spin.T * rng.uniform(0.95, 1.05) + size / 2
    crop = similarity(five_points(np.asarray(mesh, np.float32)), goal)
    width = 2 * int(rng.uniform(110, 150) if mild else np.exp(rng.uniform(np.log(32), np.log(150))))
    rough = 0.0 if mild else 1.0
    dark = rough and rng.random() < 0.25
    codecs: list[tuple[str, int]] = []
    if rng.random() < 0.75:
        codecs.append(("h264", int(rng.integers(18, 26 if mild else 41))))
    if rng.random() < 0.6:
        codecs.append(("jpeg", int(rng.integers(80 if mild else 40, 100))))
    light = None
    if rough and rng.random() < 0.5:
        light = np.clip(1 + 0.35 * rng.standard_normal((3, 3)), 0.2, 1.8).astype(np.float32)
    return Chain(
        crop=crop,
        width=width,
        size=size,
        light=light,
        gain=float(rng.uniform(0.25, 0.6) if dark else rng.uniform(0.75, 1.15)),
        gamma=float(np.exp(rng.normal(0, 0.18))),
        tint=tuple(float(t) for t in np.exp(rng.normal(0, 0.07 if mild else 0.12, 3))),  # type: ignore[arg-type]
        blur=float(rough * rng.random() * max(rng.normal(0.3, 0.7), 0)),
        motion=(int(rng.integers(3, 10)), float(rng.uniform(0, 180)))
        if rough and rng.random() < 0.15 else (0, 0.0),
        sharpen=float(rng.uniform(0.2, 1.2)) if rng.random() < 0.15 * rough else 0.0,
        noise=float(abs(rng.normal(0, 5.0)) if rough and rng.random() < 0.5 else 0.0),
        seed=int(rng.integers(2**31)),
        codecs=tuple(codecs),
        mirror=bool(rng.random() < 0.5),
        gray=bool(rough and rng.random() < 0.03),
    )
