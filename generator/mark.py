"""The only way out for generated pictures: everything written here is marked.

Order matters and is fixed: visible label and watermark in the pixels, then encoding, then the
AIGC label in the container, and the C2PA signature last, since it seals the bytes. The visible
label can be left out (training sets need that); the other marks have no switch.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OutputError, UsageError, printable
from forensics.media.rotation import set_rotation
from forensics.provenance.burn_in import SECONDS, VisibleLabel
from forensics.provenance.c2pa import sign_c2pa
from forensics.provenance.keys import SigningIdentity, signing_identity
from forensics.provenance.watermark import Watermarker
from generator._encoder import CODECS, MaskEncoder, VideoEncoder, pixel_aspect
from generator._stamp import INGREDIENT, PRODUCER, Stamp, make_stamp, sha256_file

SIDECAR_SCHEMA = "1.0"
_VIDEO = frozenset({".mp4", ".mov", ".m4v"})


def sidecar_path(output: Path) -> Path:
    """Return where the sidecar of ``output`` lies."""
    return output.with_name(f"{output.stem}.sidecar.json")


def masks_path(output: Path) -> Path:
    """Return where the lossless masks of a clip lie."""
    return output.with_name(f"{output.stem}.masks.mkv")


class MarkedWriter:
    """Write one generated clip with all its marks, its sidecar and its masks.

    Use it as a context manager: the three files appear together when the block ends well, and
    nothing is left behind when it does not.

    Args:
        path: Output, ``.mp4``, ``.mov`` or ``.m4v``.
        size: (width, height) of the upright frames in pixels.
        fps: Nominal frame rate; frames keep their own times.
        sidecar: JSON-ready facts of the swap: method, model and its hash, consent hash, label,
            hashes of the inputs.
        source: The work that is edited (the target clip): signed in as the C2PA ingredient;
            its pixel aspect is kept.
        audio_from: Clip whose sound is copied; often the same file.
        audio_offset: Seconds to add to the sound's times; None takes the frames' times to count
            from the first picture of ``audio_from``, as `forensics.media` does.
        rotation: Clockwise display rotation to keep; frames are given and marked upright.
        visible_label: Whether the first seconds say that the clip is AI-generated.
        codec: A key of `generator.mark.CODECS`.
        crf: Constant rate factor.
        preset: Encoder preset.
        identity: Signing key; the local one, made on first use, when None.

    Raises:
        UsageError: The suffix, codec, size or rate cannot be written.
        OutputError: The folder cannot be written.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        size: tuple[int, int],
        fps: float,
        sidecar: Mapping[str, Any],
        source: Path | None = None,
        audio_from: Path | None = None,
        audio_offset: float | None = None,
        rotation: int = 0,
        visible_label: bool = True,
        codec: str = "h264",
        crf: int = 18,
        preset: str = "veryfast",
        identity: SigningIdentity | None = None,
    ) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in _VIDEO:
            known = ", ".join(sorted(_VIDEO))
            raise UsageError(f"{printable(self.path)}: a marked clip has to be one of {known}")
        if codec not in CODECS:
            raise UsageError(f"codec {codec!r} is unknown; there are: {', '.join(CODECS)}")
        if min(size) < 16 or not fps > 0:
            raise UsageError(f"cannot write frames of size {size} at {fps} frames per second")
        self.size = (int(size[0]), int(size[1]))
        self._facts = dict(sidecar)
        self._stamp = make_stamp(self._facts, self.path.name)
        self._source = source
        self._rotation = rotation
        self._identity = identity if identity is not None else signing_identity()
        self._mark = Watermarker(self._stamp.payload)
        self._label = VisibleLabel(self.size) if visible_label else None
        self._first: float | None = None
        self._frames: list[dict[str, Any]] = []
        rate = Fraction(fps).limit_denominator(60_000)
        turned = self.size[::-1] if rotation in (90, 270) else self.size
        with _output_errors(self.path):
            self._folder = Path(tempfile.mkdtemp(prefix=".swap-", dir=self.path.parent))
        try:
            with _output_errors(self.path):
                self._masks = MaskEncoder(self._folder / "m.mkv", size=self.size, rate=rate)
                self._video = VideoEncoder(
                    self._folder / f"v{self.path.suffix}",
                    size=turned,
                    codec=codec,
                    crf=crf,
                    preset=preset,
                    rate=rate,
                    metadata={"AIGC": self._stamp.aigc},
                    aspect=pixel_aspect(source),
                    audio_from=audio_from,
                    audio_offset=audio_offset,
                )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def __enter__(self) -> MarkedWriter:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish when the block ended well; always remove what is unfinished."""
        try:
            if kind is None:
                with _output_errors(self.path):
                    self._finish()
            else:
                self._abort()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def write(
        self,
        rgb: NDArray[np.uint8],
        *,
        pts: float,
        swap_mask: NDArray[Any] | None = None,
        occluder_mask: NDArray[Any] | None = None,
        frame_info: Mapping[str, Any] | None = None,
    ) -> None:
        """Add one frame, marked.

        Args:
            rgb: (h, w, 3) ``uint8``, upright.
            pts: Seconds; ascending.
            swap_mask: (h, w) where pixels were replaced: ``bool``, ``uint8`` or 0..1 ``float``.
            occluder_mask: (h, w) where something covers the face, in the same forms.
            frame_info: JSON-ready facts of this frame (transform, label, reasons).

        Raises:
            ValueError: A wrong shape or type.
            OutputError: The disk is full or the encoder fails.
        """
        width, height = self.size
        if rgb.shape != (height, width, 3) or rgb.dtype != np.uint8:
            raise ValueError(
                f"frame must be {(height, width, 3)} uint8, got {rgb.shape} {rgb.dtype}"
            )
        masks = [_mask(m, (height, width)) for m in (swap_mask, occluder_mask)]
        self._first = pts if self._first is None else self._first
        if self._label is not None and pts < self._first + SECONDS:
            rgb = self._label.draw(rgb)
        marked = self._mark(np.ascontiguousarray(rgb))
        with _output_errors(self.path):
            # Coded pictures are turned back; the header's rotation makes players undo it.
            self._video.write(np.rot90(marked, k=self._rotation // 90), pts)
            self._masks.write(masks[0], masks[1], pts)
        self._frames.append({"pts": round(float(pts), 6), **dict(frame_info or {})})

    def _abort(self) -> None:
        for encoder in (self._video, self._masks):
            # Another error is on its way to the user; this one would hide it.
            with contextlib.suppress(Exception):
                encoder.abort()

    def _finish(self) -> None:
        if not self._frames:
            self._abort()
            raise OutputError(f"{printable(self.path)}: no frame was written")
        self._video.close()
        self._masks.close()
        plain = self._folder / f"v{self.path.suffix}"
        signed = self._folder / f"s{self.path.suffix}"
        set_rotation(plain, self._rotation)
        _sign(plain, signed, self._stamp, self.path.name, self._source, self._identity)
        facts = {
            **_common(self._facts, self._stamp, self.path, signed, self._source, self._label),
            "size": list(self.size),
            "rotation": self._rotation,
            "masks": {
                "path": masks_path(self.path).name,
                "sha256": sha256_file(self._folder / "m.mkv"),
                "streams": ["swap", "occluder"],
            },
            "frames": self._frames,
        }
        text = self._folder / "s.json"
        text.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        # The clip goes last: whoever sees it finds its sidecar and masks.
        (self._folder / "m.mkv").replace(masks_path(self.path))
        text.replace(sidecar_path(self.path))
        signed.replace(self.path)


def _common(
    facts: Mapping[str, Any],
    stamp: Stamp,
    path: Path,
    signed: Path,
    source: Path | None,
    label: VisibleLabel | None,
) -> dict[str, Any]:
    """Return the part of the sidecar that clips and pictures share."""
    return {
        "schema_version": SIDECAR_SCHEMA,
        "generator": PRODUCER,
        "path": path.name,
        "sha256": sha256_file(signed),
        "kind": stamp.payload.kind,
        **({"source_work_sha256": sha256_file(source)} if source is not None else {}),
        **facts,
        "marks": {
            "watermark_id": f"{stamp.payload.id:08x}",
            "aigc": json.loads(stamp.aigc)["AIGC"],
            "c2pa": "embedded",
            "visible_label": label.text if label is not None else None,
        },
    }


def _sign(
    plain: Path,
    signed: Path,
    stamp: Stamp,
    title: str,
    source: Path | None,
    identity: SigningIdentity,
) -> None:
    manifest = stamp.manifest(title, opened=source is not None)
    sign_c2pa(
        plain, signed, manifest, identity=identity, ingredient=source, ingredient_id=INGREDIENT
    )


def _mask(mask: NDArray[Any] | None, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
    if mask is None:
        return None
    if mask.shape != shape:
        raise ValueError(f"mask must be {shape}, got {mask.shape}")
    if mask.dtype == np.uint8:
        return mask
    return np.asarray(np.clip(mask.astype(np.float32) * 255 + 0.5, 0, 255), np.uint8)


@contextlib.contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    """Turn what the disk and the encoder say into one line that names the output."""
    import av

    try:
        yield
    except (OSError, av.FFmpegError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{printable(path)}: cannot be written: {cause}") from error
