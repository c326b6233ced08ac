"""What one training of the `blend` detector does, as its card tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a run does; stored in the card.

    Attributes:
        seed: Of data, order and initialisation.
        pairs: Real-fake pairs a step.
        mild: Share of the pairs that are only lightly coded and well lit.
        rate: Peak learning rate of AdamW.
        decay: Weight decay.
        average: Decay of the exponential moving average of the weights.
        warm: Steps of linear warm-up.
        map_weight: Weight of the map loss.
        rank_weight: Weight of the within-pair ranking loss.
        covered: Share of the pairs with a thing before the face.
        treated: Share of the pairs that an app has changed.
        disturbed: Share of the pairs with a noisy sensor or an older codec.
        lit: Share of the pairs under lamps of several colours.
        filmed: Share of the pairs that are made from what looks like coded footage.
        defocused: Share of the pairs that are out of focus.
        mingled: Share of the faces that get part of another's shape and colours.
        taught: Weight of imitating the teachers, if there are any; labels have the rest.
        bfloat16: Multiply matrices in bfloat16, see `forensics.training.precision`.
    """

    seed: int = 0
    pairs: int = 16
    mild: float = 0.4
    rate: float = 4e-4
    decay: float = 0.02
    average: float = 0.998
    warm: int = 100
    map_weight: float = 0.6
    rank_weight: float = 0.3
    covered: float = 0.0
    treated: float = 0.0
    disturbed: float = 0.0
    lit: float = 0.0
    filmed: float = 0.0
    defocused: float = 0.0
    mingled: float = 0.0
    taught: float = 0.7
    bfloat16: bool = False
