"""Ten people of the shared clips, four checkpoints that join eight of them, and a set of both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from forensics.errors import UnreadableInputError
from generator.consent import new_consent
from generator.sets.spec import Encoding, MethodSpec, PersonSpec, SetSpec

_GRID = {
    "g1": "bbaf2n", "g2": "brbk7n", "g3": "id2_vcd_swwp2s", "g4": "lbax4n", "g5": "lbbc2a",
    "g6": "lrwp9a",
}  # fmt: skip
_ACTORS = {
    "a01": ("01__kitchen_pan",),
    "a07": ("07__talking_against_wall",),
    "a08": ("08__podium_speech_happy", "08__talking_against_wall"),
    "a13": ("13__talking_against_wall",),
}
_PAIRS = (("g1", "g3"), ("g2", "g5"), ("a07", "a01"), ("a08", "a13"))
LADDER = (
    Encoding(codec="h264", crf=23, height=720),
    Encoding(codec="h264", crf=33, height=480),
    Encoding(codec="h264", crf=28),
    Encoding(codec="h265", crf=28, height=720),
    Encoding(codec="vp9", crf=36, height=480),
    Encoding(codec="av1", crf=40, height=360),
)


def people_of(clips: Path, work: Path) -> tuple[PersonSpec, ...]:
    """Return the people of ``data/clips``, with consent records that name the sets' terms.

    Raises:
        UnreadableInputError: A clip is missing.
    """
    people = []
    for record, licence, source, folder, names in (
        ("grid", "CC BY 4.0", "GRID corpus (Cooke et al. 2006)", "grid",
         {name: (f"{stem}.mpg",) for name, stem in _GRID.items()}),
        ("actors", "FaceForensics++ terms: non-commercial research", "FaceForensics++ actors, c40",
         "ffpp_actors_c40",
         {name: tuple(f"{s}.mp4" for s in stems) for name, stems in _ACTORS.items()}),
    ):  # fmt: skip
        consent = work / f"{record}.toml"
        if not consent.exists():
            new_consent(
                consent, subject=source, basis="dataset-licence", scope="altered forms, research"
            )
        for name, files in names.items():
            paths = tuple(clips / folder / file for file in files)
            for path in paths:
                if not path.exists():
                    raise UnreadableInputError(path, "no such file")
            people.append(
                PersonSpec(
                    name=name, clips=paths, consent=consent, licence=licence, source=source
                )
            )
    return tuple(people)


def train_pairs(people: tuple[PersonSpec, ...], work: Path, budget: str) -> None:
    """Train what is missing: face sets, and a tiny network a pair, each for ``budget``.

    An encoder below ``work/enc/encoder`` (see ``generator pretrain``) is started from, if there.

    Raises:
        subprocess.CalledProcessError: A command failed.
    """
    by_name = {person.name: person for person in people}
    for name in (name for pair in _PAIRS for name in pair):
        faces = work / "faces" / name
        if not (faces / "index.json").exists():
            person = by_name[name]
            _generator("extract", *person.clips, "--consent", person.consent, "--frames", 100,
                       "--out", faces)  # fmt: skip
    encoder = work / "enc" / "encoder"
    start = ("--from-encoder", encoder) if encoder.exists() else ()
    for a, b in _PAIRS:
        if not (model_of(work, a, b) / "model.json").exists():
            _generator("train", work / "faces" / a, work / "faces" / b, *start, "--small",
                       "--budget", budget, "--out", model_of(work, a, b))  # fmt: skip


def model_of(work: Path, a: str, b: str) -> Path:
    """Return the folder of a pair's checkpoint."""
    return work / "m" / f"{a}-{b}"


def _generator(*words: object) -> None:
    command = [sys.executable, "-m", "generator.cli", *map(str, words)]
    subprocess.run(command, check=True)


def specification(
    people: tuple[PersonSpec, ...], work: Path, *, clips: int, seconds: float, seed: int
) -> SetSpec:
    """Return the set that the bar is about: all methods, all rungs, two splits."""
    networks = tuple(
        MethodSpec(
            name="autoencoder", weight=2.0, model=model_of(work, a, b), people=(("a", a), ("b", b))
        )
        for a, b in _PAIRS
        if (model_of(work, a, b) / "model.json").exists()
    )
    return SetSpec(
        name="bar",
        seed=seed,
        clips=clips,
        seconds=seconds,
        partial=0.2,
        occluded=0.25,
        splits=(("train", 0.5), ("test", 0.5)),
        people=people,
        methods=(*networks, MethodSpec(name="landmark"), MethodSpec(name="self-blend", weight=0.5)),
        encodings=LADDER,
    )
