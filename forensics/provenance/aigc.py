"""The implicit AIGC label of GB 45438-2025: a tolerant reader and a strict writer.

The label is a JSON text under a metadata name that holds ``AIGC``. Files in the wild carry it
wrapped or bare, encoded twice, with numbers for texts, or with fields missing: the reader reports
each of these as a problem and reads on. The writer makes only the form that the standard shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forensics.container.texts import Carried, read_carried
from forensics.errors import UnreadableInputError
from forensics.provenance.xmp import read_xmp_field

FIELDS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
"""The seven members, in the standard's order."""

LABELS = {"1": "is AI-generated", "2": "may be AI-generated", "3": "is suspected AI-generated"}
"""Values of ``Label``."""

_ALLOWED = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]*")
_MAX_TEXT = 64 * 1024
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif"})
_USER_COMMENT = 0x9286


@dataclass(frozen=True, slots=True)
class AigcLabel:
    """One label that keeps to the standard.

    Attributes:
        label: ``1`` (is), ``2`` (may be) or ``3`` (is suspected to be AI-generated).
        producer: Name or code of the service that made the content.
        produce_id: Its number for the content.
        propagator: Name or code of the service that spreads it; the producer at first writing.
        propagate_id: That service's number.
        reserved1: Integrity data of the producer, or empty.
        reserved2: Integrity data of the propagator, or empty.

    Raises:
        ValueError: A value is empty where it must not be, or holds a character outside those
            that the standard allows (no space, quote, backslash or non-ASCII).
    """

    label: str
    producer: str = field(kw_only=True)
    produce_id: str = field(kw_only=True)
    propagator: str = field(kw_only=True, default="")
    propagate_id: str = field(kw_only=True, default="")
    reserved1: str = field(kw_only=True, default="")
    reserved2: str = field(kw_only=True, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "propagator", self.propagator or self.producer)
        object.__setattr__(self, "propagate_id", self.propagate_id or self.produce_id)
        if self.label not in LABELS:
            raise ValueError(f"label must be one of {', '.join(LABELS)}, got {self.label!r}")
        for name, value in asdict(self).items():
            if not value and not name.startswith("reserved"):
                raise ValueError(f"AIGC {name} must not be empty")
            if not _ALLOWED.fullmatch(value):
                raise ValueError(f"AIGC {name} holds a character that is not allowed: {value!r}")

    def to_json(self) -> str:
        """Return the label as the JSON text that goes into the file."""
        inner = dict(
            zip(
                FIELDS,
                (
                    self.label,
                    self.producer,
                    self.produce_id,
                    self.reserved1,
                    self.propagator,
                    self.propagate_id,
                    self.reserved2,
                ),
                strict=True,
            )
        )
        return json.dumps({"AIGC": inner}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class AigcReading:
    """One label as it was found.

    Attributes:
        site: Where: a place in the container and a key such as ``moov/udta/meta:AIGC``, or
            ``xmp``, ``png-text:KEY``, ``exif``.
        values: The members that could be read, as text.
        problems: Codes of what does not keep to the standard; empty when nothing is wrong.
        raw: The text as found, cut to 4096 characters.
    """

    site: str
    values: Mapping[str, str] = field(kw_only=True, default_factory=dict)
    problems: tuple[str, ...] = field(kw_only=True, default=())
    raw: str = field(kw_only=True, default="")

    @property
    def label(self) -> str | None:
        """``1``, ``2`` or ``3``, or None when the value is none of these."""
        value = self.values.get("Label")
        return value if value in LABELS else None


def read_aigc(path: Path | str) -> tuple[AigcReading, ...]:
    """Find every AIGC label of a picture or clip, in every place that is known to carry one.

    Args:
        path: MP4 and its kin, Matroska, AVI, JPEG, PNG and WebP are read by our own bounded
            parsers; other kinds by the libraries that open them, in this process, which an
            audit does not do.

    Raises:
        UnreadableInputError: The file cannot be opened.
    """
    source = Path(path)
    carried = read_carried(source)
    if carried.kind != "unknown":
        return aigc_of(carried)
    find = _image_sites if source.suffix.lower() in _IMAGES else _container_sites
    return tuple(parse_aigc(text, site=site) for site, text in find(source))


def aigc_of(carried: Carried) -> tuple[AigcReading, ...]:
    """Return the labels among the texts of a file."""
    found = []
    for site, name, text in carried.tags:
        if name == "xmp":
            inner = read_xmp_field(text, "AIGC")
            if inner is not None:
                found.append(("xmp", inner))
        elif "AIGC" in name.upper():
            place = "png-text" if site in ("tEXt", "zTXt", "iTXt") else site
            found.append((f"{place}:{name}", text))
    if "AIGC" in carried.exif.comment:
        found.append(("exif", carried.exif.comment))
    return tuple(parse_aigc(text, site=site) for site, text in found)


def parse_aigc(text: str, *, site: str) -> AigcReading:
    """Read one label text, tolerating the known faults and naming each."""
    raw = text[:4096]
    if len(text) > _MAX_TEXT:
        return AigcReading(site, problems=("too_long",), raw=raw)
    problems: list[str] = []
    body = text.strip()
    if body.startswith("AIGC{"):
        problems.append("bare_prefix")
        body = body[4:]
    try:
        value: Any = json.loads(body)
        if isinstance(value, str):
            problems.append("encoded_twice")
            value = json.loads(value)
    except (ValueError, RecursionError):
        return AigcReading(site, problems=(*problems, "not_json"), raw=raw)
    if isinstance(value, Mapping) and "AIGC" in value:
        value = value["AIGC"]
        if isinstance(value, str):
            problems.append("encoded_twice")
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return AigcReading(site, problems=(*problems, "not_json"), raw=raw)
    else:
        problems.append("no_wrapper")
    if not isinstance(value, Mapping):
        return AigcReading(site, problems=(*problems, "not_an_object"), raw=raw)
    return AigcReading(
        site,
        values={k: v if isinstance(v, str) else json.dumps(v) for k, v in value.items()},
        problems=(*problems, *_member_problems(value)),
        raw=raw,
    )


def _member_problems(members: Mapping[str, Any]) -> Iterator[str]:
    if any(name not in members for name in FIELDS):
        yield "missing_members"
    if any(name not in FIELDS for name in members):
        yield "unknown_members"
    if any(not isinstance(value, str) for value in members.values()):
        yield "not_text"
    if str(members.get("Label")) not in LABELS:
        yield "label_value"
    if any(isinstance(v, str) and not _ALLOWED.fullmatch(v) for v in members.values()):
        yield "characters"


def _container_sites(path: Path) -> Iterator[tuple[str, str]]:
    import av

    try:
        with path.open("rb") as file, av.open(file, metadata_errors="replace") as container:
            tags = dict(container.metadata)
            for stream in container.streams:
                tags.update({f"stream{stream.index}:{k}": v for k, v in stream.metadata.items()})
    except OSError as error:
        raise UnreadableInputError(path, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, av.FFmpegError) as error:
        raise UnreadableInputError(path, f"not a media file ({error})") from error
    for key, text in tags.items():
        if "AIGC" in key.upper():
            yield f"container:{key}", str(text)


def _image_sites(path: Path) -> Iterator[tuple[str, str]]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            info = dict(image.info)
            comment = image.getexif().get_ifd(0x8769).get(_USER_COMMENT)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableInputError(path, f"cannot be read as a picture ({error})") from error
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    found = read_xmp_field(packet, "AIGC") if packet else None
    if found is not None:
        yield "xmp", found
    for key, text in info.items():
        if isinstance(key, str) and "AIGC" in key.upper() and isinstance(text, str):
            yield f"png-text:{key}", text
    if isinstance(comment, bytes):
        comment = comment.removeprefix(b"ASCII\0\0\0").decode("utf-8", "replace")
    if isinstance(comment, str) and "AIGC" in comment:
        yield "exif", comment
