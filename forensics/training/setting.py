"""What else happens to a training pair: things before the face, filters of apps, poor cameras.

Whatever is drawn befalls the real picture and its fake alike, so that it tells nothing about the
label; a detector learns that an edge of a cup, a filter or a noisy sensor is no manipulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forensics.training.blend import Image, Mask, paste
from forensics.training.degrade import Chain
from forensics.training.disturbance import add_noise, defocus, draw_blocks, draw_tone
from forensics.training.hard import TREATMENTS
from forensics.training.lamps import draw_lamps
from forensics.training.occluders import Thing, draw_thing

_SWAPPED_OVER = 0.35
"""Share of the covered pairs whose fake face was painted over the thing instead of behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How often each kind of setting is drawn.

    Attributes:
        things: Templates of things, see `forensics.training.occluders.load_templates`.
        part: Whose drawings: ``train``, ``calibrate`` or ``test``.
        covered: Share of the pairs with a thing before the face, 0..1.
        treated: Share that an app has changed (sharpened, beautified, made up, ...), and share
            whose contrast and colours are others, 0..1.
        disturbed: Share filmed with a noisy sensor or coded with an older codec, and share with
            small blocks of one colour over it, as lost packets and stickers leave them, 0..1.
        lit: Share under lamps of several colours, 0..1.
        defocused: Share out of focus, 0..1.
    """

    things: Sequence[Thing] = ()
    part: str = "train"
    covered: float = 0.0
    treated: float = 0.0
    disturbed: float = 0.0
    lit: float = 0.0
    defocused: float = 0.0

    def dress(
        self, real: Image, fake: Image, mask: Mask, mesh: NDArray[np.float32],
        rng: np.random.Generator,
    ) -> tuple[Image, Image, Mask]:
        """Return the pair and its mask with what is before the face and what an app did.

        Args:
            real: (n, n, 3) RGB picture.
            fake: The same with a manipulated face.
            mask: (n, n) share that was pasted, 0..1.
            mesh: (468, 3) points in pixels.
            rng: Source of chance.
        """
        if rng.random() < self.covered:
            thing = draw_thing(rng, self.things, self.part)
            before = real
            real, opacity = thing.put(before, mesh)
            if rng.random() < _SWAPPED_OVER:
                fake = paste(real, fake, mask)
            else:
                fake = thing.put(fake, mesh)[0]
                mask = np.asarray(mask * (1 - opacity), np.float32)
        if self.lit and rng.random() < self.lit:
            lamps = draw_lamps(mesh, rng)
            real, fake = lamps(real), lamps(fake)
        if rng.random() < self.disturbed:
            lost = draw_blocks(mesh, rng)
            real, fake = lost.cover(real), lost.cover(fake)
            mask = lost.cut(mask)
        if rng.random() < self.treated:
            draw = _ALL[int(rng.integers(len(_ALL)))]
            state = int(rng.integers(2**31))
            real, fake = (draw(np.random.default_rng(state))(x, mesh) for x in (real, fake))
        if rng.random() < self.treated:
            tone = draw_tone(rng)
            real, fake = tone(real), tone(fake)
        return real, fake, mask

    def disturb(self, chain: Chain, rng: np.random.Generator) -> Chain:
        """Return the chain, sometimes out of focus, with much more noise or an older codec."""
        if self.defocused and rng.random() < self.defocused:
            chain = defocus(chain, rng)
        if rng.random() >= self.disturbed:
            return chain
        if rng.random() < 0.6:
            return add_noise(chain, rng)
        return replace(chain, codecs=(*chain.codecs, ("mpeg4", int(rng.integers(2, 13)))))


_ALL = tuple(TREATMENTS.values())
