"""Invisible watermark: keyed quantisation-index modulation of low frequencies, voted over time.

Every picture is brought to one small square plane, whatever its size, so that scaling changes
nothing; the plane's cosine coefficients in a ring of low frequencies are moved to the nearest
point of a lattice whose offset holds the bit (QIM, Chen and Wornell 2001) and whose phase comes
from the key. Reading sums the phasors ``exp(2*pi*i*c/step)`` of each coefficient over the frames,
which needs no key; a key then only rotates the sums. Because a key's phases are uniform, a
reading with the wrong key, or of an unmarked clip whatever it shows, is a fair coin for each
position: the reported p-value is exact, not a model.

Survives scaling, recompression, brightness shifts of the whole picture and frame loss. Does not
survive cropping, rotation or mirroring.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.provenance.payload import (
    KIND_CODES,
    PAYLOAD_BITS,
    TAG_BITS,
    Kind,
    Payload,
    read_payload,
    tag_bits,
)

PUBLIC_KEY = b"deepfake-forensics/watermark/1"
"""Default key. It is no secret: anybody shall be able to find the mark."""

ALPHA = 2e-7
"""A mark counts as found at or below this p-value; a fifth of the promised 1e-6."""

STEP = 0.43
"""Lattice period, in grey levels of root-mean-square amplitude of one cosine."""

PLANE = 128
REPEATS = 5
COEFFICIENTS = PAYLOAD_BITS * REPEATS
_MIN_RADIUS = 3.0
_MIDDLE = 128.0


@dataclass(frozen=True, slots=True)
class WatermarkResult:
    """What a search for the mark found.

    Attributes:
        payload: The payload, or None when no mark was found or its checksum does not hold.
        kind: The kind that the tag says, or None when no mark was found.
        p_value: Probability that chance alone reads the tag this well, all hypotheses counted.
        bit_errors: Wrong raw readings of the known tag, out of ``known_bits``.
        known_bits: Number of raw tag readings.
        frames: Number of pictures read.
    """

    payload: Payload | None
    kind: Kind | None = field(kw_only=True)
    p_value: float = field(kw_only=True)
    bit_errors: int = field(kw_only=True)
    known_bits: int = field(kw_only=True)
    frames: int = field(kw_only=True)

    @property
    def found(self) -> bool:
        """Whether a mark is present at the documented false-alarm rate."""
        return self.kind is not None


class Watermarker:
    """Put one payload into any number of frames.

    Args:
        payload: What to say.
        key: Secret or public key.
        step: Lattice period; larger is more robust and more visible.

    Raises:
        ValueError: ``step`` is not positive.
    """

    def __init__(self, payload: Payload, *, key: bytes = PUBLIC_KEY, step: float = STEP) -> None:
        if not step > 0:
            raise ValueError(f"step must be positive, got {step}")
        slots, phases = carrier(key)
        self._step = step
        self._target = np.empty(COEFFICIENTS)
        self._target[slots] = phases + 0.5 * payload.bits.repeat(REPEATS)
        self._target *= step
        self._flat: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self._raised: NDArray[np.uint8] | None = None

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a marked copy of ``frame``, (h, w, 3) or (h, w) ``uint8``."""
        import cv2

        u, v = _ring()
        value = _coefficients(frame)
        error = value - self._target
        move = np.round(error / self._step) * self._step - error
        grid = np.zeros((PLANE, PLANE), np.float32)
        grid[u, v] = move * _gain()
        # The basis is orthonormal; times PLANE makes amplitudes root-mean-square grey levels.
        plane = cv2.idct(grid * PLANE)
        height, width = frame.shape[:2]
        delta = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
        # Three passes over bytes, into arrays kept from frame to frame, are several times faster
        # than one in float: fresh pages cost more than the sums.
        if self._raised is None or self._raised.shape != frame.shape:
            self._flat, self._raised = np.empty(delta.shape, np.uint8), np.empty_like(frame)
        flat = cv2.convertScaleAbs(delta, self._flat, 1.0, _MIDDLE)
        raised = cv2.cvtColor(flat, cv2.COLOR_GRAY2RGB, self._raised) if frame.ndim == 3 else flat
        marked = cv2.addWeighted(frame, 1.0, raised, 1.0, -_MIDDLE)
        return np.asarray(marked, np.uint8)


class WatermarkReader:
    """Collect frames, then look for a mark under any number of keys."""

    def __init__(self, *, step: float = STEP) -> None:
        self._step = step
        self._sum = np.zeros(COEFFICIENTS, np.complex128)
        self._frames = 0

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Take one more picture, (h, w, 3) RGB or (h, w) grey, of any size."""
        self._sum += np.exp(2j * np.pi / self._step * _coefficients(frame))
        self._frames += 1

    @property
    def phasors(self) -> NDArray[np.complex128]:
        """Sum of the phasors of each coefficient, (COEFFICIENTS,); needs no key."""
        return self._sum.copy()

    def result(self, key: bytes = PUBLIC_KEY) -> WatermarkResult:
        """Return what the pictures taken so far say under ``key``."""
        soft = soft_bits(self._sum, key)
        errors = {k: int(tag_errors(soft, k)) for k in KIND_CODES}
        kind = min(errors, key=lambda k: errors[k])
        known = TAG_BITS * REPEATS
        p_value = min(1.0, len(KIND_CODES) * binomial_tail(errors[kind], known))
        found = self._frames > 0 and p_value <= ALPHA
        payload = read_payload(kind, (soft.sum(axis=1) < 0).astype(np.uint8)) if found else None
        return WatermarkResult(
            payload,
            kind=kind if found else None,
            p_value=p_value if self._frames else 1.0,
            bit_errors=errors[kind],
            known_bits=known,
            frames=self._frames,
        )


def embed(
    frame: NDArray[np.uint8], payload: Payload, key: bytes = PUBLIC_KEY, *, step: float = STEP
) -> NDArray[np.uint8]:
    """Return a marked copy of one picture; see `Watermarker` for many."""
    return Watermarker(payload, key=key, step=step)(frame)


def detect(
    frames: Iterable[NDArray[np.uint8]], key: bytes = PUBLIC_KEY, *, step: float = STEP
) -> WatermarkResult:
    """Look for a mark in pictures of one clip (sizes may differ)."""
    reader = WatermarkReader(step=step)
    for frame in frames:
        reader.add(frame)
    return reader.result(key)


def soft_bits(phasors: NDArray[np.complex128], key: bytes) -> NDArray[np.float64]:
    """Return (64, REPEATS) readings; negative means one, the size is the confidence."""
    slots, phases = carrier(key)
    turned: NDArray[np.float64] = (phasors[slots] * np.exp(-2j * np.pi * phases)).real
    return turned.reshape(PAYLOAD_BITS, REPEATS)


def tag_errors(soft: NDArray[np.float64], kind: Kind) -> int:
    """Count the raw readings that contradict the tag of ``kind``."""
    read = soft[:TAG_BITS] < 0
    return int(np.count_nonzero(read != tag_bits(kind)[:, None].astype(bool)))


def binomial_tail(errors: int, n: int) -> float:
    """Return the probability of at most ``errors`` heads in ``n`` throws of a fair coin."""
    return float(sum(math.comb(n, k) for k in range(errors + 1)) / 2**n)


@lru_cache(maxsize=16)
def carrier(key: bytes) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Derive a key's coefficient order (COEFFICIENTS,) and lattice phases in [0, 1).

    SHAKE-256 is used rather than a numeric library's generator, whose streams may change between
    versions: marks must stay readable for years.
    """
    stream = hashlib.shake_256(b"qim" + key).digest(COEFFICIENTS * 8)
    words = np.frombuffer(stream, "<u4").reshape(2, COEFFICIENTS)
    slots = np.argsort(words[0], kind="stable")
    phases = words[1] / 2.0**32
    slots.flags.writeable = phases.flags.writeable = False
    return slots, phases


def _coefficients(frame: NDArray[Any]) -> NDArray[np.float64]:
    """Return the ring's cosine coefficients (COEFFICIENTS,) of the picture's luma."""
    import cv2

    luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if frame.ndim == 3 else frame
    height, width = luma.shape
    mode = cv2.INTER_AREA if min(height, width) >= PLANE else cv2.INTER_LINEAR
    grid = cv2.dct(cv2.resize(luma, (PLANE, PLANE), interpolation=mode).astype(np.float32))
    u, v = _ring()
    return np.asarray(grid[u, v] / PLANE, np.float64)


@lru_cache(maxsize=1)
def _ring() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of the COEFFICIENTS lowest frequencies outside the centre."""
    u, v = (a.ravel() for a in np.indices((PLANE, PLANE)))
    radius = np.hypot(u, v)
    radius[radius < _MIN_RADIUS] = np.inf
    chosen = np.argsort(radius, kind="stable")[:COEFFICIENTS]
    return u[chosen], v[chosen]


@lru_cache(maxsize=1)
def _gain() -> NDArray[np.float64]:
    """Return what makes up for the loss of enlarging (linear) and shrinking (area) the plane."""
    u, v = _ring()
    loss = np.sinc(u / (2 * PLANE)) ** 3 * np.sinc(v / (2 * PLANE)) ** 3
    return np.asarray(1.0 / loss, np.float64)
