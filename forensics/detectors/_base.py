"""What a detector is: parameters stored at construction, weights read in `load`, one method."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from forensics.types import Evidence, FaceCrops

Input = Literal["file", "container", "packets", "frames", "face_crops", "track"]


class Detector:
    """Base of every detector. Subclasses are added with `register_detector`.

    A detector measures; it concludes nothing. Its evidence carries, in ``artifacts``:
    ``pts`` (n,) seconds, ``logits`` (n,) log-odds-like scores, higher is more likely manipulated,
    and optionally ``region`` (n, h, w) 0..1 on the crop's grid.

    Attributes:
        name: Registered name, set by the registry.
        input: What `score` takes.
        version: Changes whenever the scores change.
        cost: 0 (free) to 3 (heavy); cheaper detectors run first.
        sign: What it looks for, in plain words that end the sentence "there is ...".
    """

    name: ClassVar[str] = ""
    input: ClassVar[Input] = "face_crops"
    version: ClassVar[str] = "0"
    cost: ClassVar[int] = 2
    sign: ClassVar[str] = ""

    def load(self) -> None:
        """Read weights. Called once before the first `score`; does nothing by default.

        Raises:
            ModelMissingError: A weights file is missing or altered.
        """

    def score(self, crops: FaceCrops) -> list[Evidence]:
        """Measure the crops of one track.

        Args:
            crops: Crops that passed the quality gate; may be a part of the track. A detector whose
                ``input`` is ``track`` gets all bursts of a track at once, one after the other,
                each of `forensics.media.plan.BURST` directly following pictures that are cut out
                by one matrix, and gives a logit a burst, at the time of its first picture.

        Returns:
            Evidence about this track; an empty list for no crops.
        """
        raise NotImplementedError(f"{type(self).__name__} has no score method")

    def score_still(self, crops: FaceCrops) -> list[Evidence]:
        """Measure the crop of a face in a still picture, which has no others to be averaged with.

        A detector may take a closer look than it takes at each picture of a video; by default it
        does not.
        """
        return self.score(crops)

    def card(self) -> dict[str, Any]:
        """Return facts about the weights (licence, data, error rate), empty when there are none."""
        return {}

    def weights(self) -> dict[str, str]:
        """Return the SHA-256 of every weights file that it reads, by the file's name."""
        digest = self.card().get("sha256")
        return {self.name: str(digest)} if digest else {}


def weights_of(detectors: Iterable[Detector]) -> dict[str, str]:
    """Return the SHA-256 of every weights file that these detectors read, by the file's name."""
    return {name: digest for each in detectors for name, digest in each.weights().items()}
