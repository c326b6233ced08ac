"""Make short labelled clips of lawful faces, for fitting, for calibration and for the own test.

``python -m forensics.training.clips --cache runs/blend/cache --out runs/clips --split calibrate``

Each person is filmed in four scenes: plainly, after a hard but honest treatment (sharpened,
beautified, dark, ...), with a thing before the face, and through a poor channel (other contrast
and colours, lost blocks, a noisy sensor). Each scene gives a real clip (the animated
portrait, or real footage) and fake ones of the same frames, filmed and encoded alike. The fakes
are labelled in the manifest and in each file's metadata; they are for measuring, not for
publishing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from forensics.media import write_video
from forensics.training.allocator import keep_memory
from forensics.training.animate import Image, Mesh, animate_face
from forensics.training.blend import paste
from forensics.training.degrade import Chain, draw_chain
from forensics.training.disturbance import DISTURBANCES
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import MAKERS, Material
from forensics.training.footage import Stretch, read_stretches
from forensics.training.hard import TREATMENTS, Treatment
from forensics.training.motion import manipulate
from forensics.training.occluders import Thing, draw_thing, load_templates, part_of
from forensics.training.portraits import load_cache, split_of

_FPS = 25.0
_FRAMES = 12
_STRETCHES = 3  # of each recording
SCENES = ("plain", "hard", "covered", "disturbed")

Frames = list[tuple[Image, Mesh]]


class Version(NamedTuple):
    """One clip of a scene before it is filmed.

    Attributes:
        method: ``real`` or how the fake was made.
        pictures: Its frames.
        mask: What was manipulated in the middle frame, (n, n) 0..1, or None.
        facts: Further entries for the manifest.
    """

    method: str
    pictures: list[Image]
    mask: NDArray[np.float32] | None
    facts: dict[str, Any]


def _fake(
    frames: Frames, material: Material, rng: np.random.Generator, family: str, unsteady: float
) -> tuple[list[Image], list[NDArray[np.float32]]]:
    seed = int(rng.integers(2**31))
    made = list(manipulate(frames, family, material, seed=seed, unsteady=unsteady))
    return [image for image, _ in made], [mask for _, mask in made]


def _open_scene(
    frames: Frames, material: Material, rng: np.random.Generator, fakes: int
) -> list[Version]:
    """The person as filmed, and manipulated by different families."""
    versions = [Version("real", [image for image, _ in frames], None, {})]
    for family in rng.choice(list(MAKERS), size=fakes, replace=False):
        unsteady = float(rng.random() < 0.4) * float(rng.uniform(0.4, 1.0))
        pictures, masks = _fake(frames, material, rng, str(family), unsteady)
        middle = masks[len(masks) // 2]
        versions.append(Version(str(family), pictures, middle, {"unsteady": round(unsteady, 2)}))
    return versions


def _covered_scene(
    frames: Frames, material: Material, rng: np.random.Generator, thing: Thing
) -> list[Version]:
    """The person behind a thing: unswapped, swapped around the thing, and swapped over it."""
    put = [thing.put(image, mesh) for image, mesh in frames]
    facts = {"thing": thing.name}
    versions = [Version("real", [image for image, _ in put], None, facts)]
    family = str(rng.choice([name for name in MAKERS if name != "self_blended"]))
    pictures, masks = _fake(frames, material, rng, family, 0.0)
    around = [thing.put(p, mesh)[0] for p, (_, mesh) in zip(pictures, frames, strict=True)]
    middle = len(frames) // 2
    free = masks[middle] * (1 - put[middle][1])
    versions.append(Version("around", around, free, facts | {"family": family}))
    if rng.random() < 0.6:
        method = "painted_over"
        over = [
            paste(image, fake, mask)
            for (image, _), fake, mask in zip(put, pictures, masks, strict=True)
        ]
    else:
        method = "melted"
        seen = [(image, mesh) for (image, _), (_, mesh) in zip(put, frames, strict=True)]
        over, masks = _fake(seen, material, rng, "repainted", 0.0)
    failure = np.asarray(masks[middle] * put[middle][1], np.float32)
    versions.append(Version(method, over, failure, facts | {"family": family}))
    return versions


class Studio:
    """Films scenes and writes them down.

    Args:
        out: Folder for the clips.
        material: Donors and face coder.
        things: Templates of things to put before faces.
        part: ``train`` or ``test``: which drawn things to use.
        seed: Of every choice.
        fakes: Fakes of the plain scene.
        crf: Constant rate factor of every clip; drawn for each scene when None.
        mild: Good light and sharp pictures only.
    """

    def __init__(
        self, out: Path, material: Material, things: Sequence[Thing], part: str, *, seed: int,
        fakes: int, crf: int | None = None, mild: bool = False,
    ) -> None:
        self._out, self._material, self._things = out, material, things
        self._part, self._seed, self._fakes = part, seed, fakes
        self._crf, self._mild = crf, mild

    def rows(
        self, stem: str, frames: Frames, scenes: Sequence[tuple[int, str]], facts: dict[str, Any],
        fps: float,
    ) -> Iterator[dict[str, Any]]:
        """Film the numbered scenes of one person and yield a manifest row for each clip."""
        for number, scene in scenes:
            name = int.from_bytes(stem.encode()[-6:], "big")
            rng = np.random.default_rng((self._seed, name, number))
            size = 2 * int(rng.integers(110, 260))
            mild = bool(rng.random() < 0.5) or self._mild
            chain = draw_chain(frames[0][1], rng, size=size, margin=(0.32, 0.4), mild=mild)
            width = min(max(chain.width, int(0.6 * size)) // 2 * 2, size)
            chain = replace(chain, width=width, mirror=False, codecs=())
            drawn = int(rng.integers(18, 44))
            crf = drawn if self._crf is None else self._crf
            extra: dict[str, Any] = {"scene": scene, "width": width, "crf": crf}
            if scene == "hard":
                kind = str(rng.choice(list(TREATMENTS)))
                extra["treatment"] = kind
            channel: Treatment | None = None
            if scene == "disturbed":
                kind = str(rng.choice(list(DISTURBANCES)))
                extra["treatment"] = kind
                chain, channel = DISTURBANCES[kind](chain, frames[0][1], rng)
            if scene == "covered":
                thing = draw_thing(rng, self._things, self._part)
                versions = _covered_scene(frames, self._material, rng, thing)
            else:
                fakes = self._fakes if scene == "plain" else 1
                versions = _open_scene(frames, self._material, rng, fakes)
            state = rng.bit_generator.state
            for version in versions:
                rng.bit_generator.state = state  # the same treatment for every version
                treat = TREATMENTS[extra["treatment"]](rng) if scene == "hard" else channel
                pictures = iter(version.pictures)
                if treat is not None:
                    pictures = (
                        treat(p, mesh) for p, (_, mesh) in zip(pictures, frames, strict=True)
                    )
                yield self._write(f"{stem}_{number}{scene}", version, pictures, chain, crf, fps) | (
                    facts | extra | version.facts
                )

    def _write(
        self, stem: str, version: Version, pictures: Iterator[Image], chain: Chain, crf: int,
        fps: float,
    ) -> dict[str, Any]:
        label = "real" if version.method == "real" else "fake"
        path = self._out / f"{stem}_{version.method}.mp4"
        comment = f"made for measuring; {'animated portrait' if label == 'real' else 'fake'}"
        filmed = (
            replace(chain, seed=chain.seed + index).apply(picture)
            for index, picture in enumerate(pictures)
        )
        write_video(path, filmed, fps=fps, crf=crf, metadata={"comment": comment})
        row: dict[str, Any] = {"path": path.name, "label": label, "method": version.method}
        if version.mask is not None:
            mask = path.with_name(f"{path.stem}_mask.png")
            cv2.imwrite(str(mask), (chain.place(version.mask) * 255).astype(np.uint8))
            row |= {"mask": mask.name, "pts": [round(len(version.pictures) // 2 / fps, 4)]}
        return row


def make_clips(
    cache: Path,
    out: Path,
    *,
    splits: tuple[str, ...],
    seed: int,
    footage: Sequence[Path] = (),
    occluders: Path | None = None,
    people: int | None = None,
    scenes: Sequence[str] = SCENES,
    fakes: int = 2,
    crf: int | None = None,
    mild: bool = False,
    most: int | None = None,
    take: int = 0,
) -> Path:
    """Make the clips of some splits and return the manifest's path.

    Scenes of people that are in the manifest already are left alone, so that an interrupted run
    goes on; what is made depends on the arguments alone.

    Args:
        cache: Portrait cache of the training run.
        out: Folder to write into.
        splits: Which people.
        seed: Of every choice.
        footage: Recordings with one person each, used when that person is in ``splits``.
        occluders: Folder with templates of masks and glasses.
        people: At most so many portraits.
        scenes: Which of `SCENES` to film.
        fakes: Fakes of each plain scene.
        crf: Constant rate factor of every clip; drawn for each scene when None.
        mild: Good light and sharp pictures only.
        most: Stop after so many further people.
        take: A further take films the same people's portraits again, with other chances.

    Raises:
        FileNotFoundError: No portrait cache.
    """
    out.mkdir(parents=True, exist_ok=True)
    manifest = out / "manifest.jsonl"
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
    done = {(row["scene_of"], row["scene"]) for row in map(json.loads, lines)}

    def missing(name: str) -> list[tuple[int, str]]:
        return [item for item in enumerate(scenes) if (name, item[1]) not in done]

    coder = Eigenfaces(load_cache(cache, ["train"]))
    portraits = load_cache(cache, splits)
    part = part_of(splits)
    studio = Studio(
        out, Material(portraits, coder), load_templates(occluders, part), part, seed=seed,
        fakes=fakes, crf=crf, mild=mild,
    )
    step = max(1, len(portraits) // people) if people else 1
    again = f".{take}" if take else ""
    left = [p for p in portraits[::step][:people] if missing(p.name + again)][:most]
    with manifest.open("a", encoding="utf-8") as file:
        for portrait in track(left, description="portraits"):
            name = portrait.name + again
            moving = np.random.default_rng((seed, len(name), *name.encode()[-4:]))
            frames = list(
                animate_face(
                    np.asarray(portrait.image), portrait.mesh, seconds=_FRAMES / _FPS, fps=_FPS,
                    seed=int(moving.integers(2**31)),
                )
            )
            facts = _facts(name, portrait.identity, portrait.licence)
            stem = name.replace("/", "_")
            rows = list(studio.rows(stem, frames, missing(name), facts, _FPS))
            file.writelines(json.dumps(row) + "\n" for row in rows)
        for stretch, number in _stretches(footage if most is None and not take else (), splits):
            name = f"{stretch.identity}_{number}"
            if not missing(name):
                continue
            facts = _facts(name, stretch.identity, stretch.licence)
            stem = name.replace("/", "_")
            rows = list(studio.rows(stem, stretch.frames, missing(name), facts, stretch.fps))
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return manifest


def _facts(name: str, identity: str, licence: str) -> dict[str, Any]:
    return {
        "group": identity, "identity": identity, "split": split_of(identity), "source": licence,
        "scene_of": name,
    }


def _stretches(
    footage: Sequence[Path], splits: Sequence[str]
) -> Iterator[tuple[Stretch, int]]:
    chosen = [path for path in footage if split_of(f"grid/{path.stem}") in splits]
    for path in track(chosen, description="footage"):
        stretches = read_stretches([path], count=_STRETCHES, length=_FRAMES)
        for number, stretch in enumerate(stretches):
            yield stretch, number


def main(
    cache: Annotated[Path, typer.Option(help="Portrait cache of the training run.")],
    out: Annotated[Path, typer.Option(help="Folder for the clips.")],
    split: Annotated[str, typer.Option(help="Splits, comma-separated.")] = "calibrate",
    seed: Annotated[int, typer.Option(help="Seed of every choice.")] = 0,
    footage: Annotated[Path | None, typer.Option(help="Folder with recordings.")] = None,
    occluders: Annotated[Path | None, typer.Option(help="Folder with masks/, glasses/.")] = None,
    people: Annotated[int | None, typer.Option(help="At most so many portraits.")] = None,
    scenes: Annotated[str, typer.Option(help="Scenes, comma-separated.")] = ",".join(SCENES),
    fakes: Annotated[int, typer.Option(help="Fakes of each plain scene.")] = 2,
    crf: Annotated[int | None, typer.Option(help="Rate factor; drawn when not given.")] = None,
    mild: Annotated[bool, typer.Option("--mild", help="Good light, sharp pictures.")] = False,
    most: Annotated[int | None, typer.Option(help="Stop after so many further people.")] = None,
    take: Annotated[int, typer.Option(help="Film the same portraits again, by number.")] = 0,
) -> None:
    """Make labelled clips of lawful faces."""
    keep_memory()
    cv2.setNumThreads(1)
    recordings = sorted(p for p in footage.iterdir() if p.is_file()) if footage else []
    print(
        make_clips(
            cache, out, splits=tuple(split.split(",")), seed=seed, footage=recordings,
            occluders=occluders, people=people, scenes=scenes.split(","), fakes=fakes,
            crf=crf, mild=mild, most=most, take=take,
        )
    )


if __name__ == "__main__":
    typer.run(main)
