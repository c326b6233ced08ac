"""Encode pictures at given times as MP4 or MOV, with the sound of another clip beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

CODECS = {"h264": "libx264", "h265": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
"""Picture codecs that an MP4 can hold, with the encoder used for each."""

# x264's macroblock tree gives other pictures from run to run where AVX-512 is used, and a set has
# to be reproducible; x265 would write about itself to the terminal.
_EXTRA: dict[str, dict[str, str]] = {
    "h264": {"x264-params": "mbtree=0"}, "h265": {"x265-params": "log-level=none"},
    "vp9": {}, "av1": {},
}  # fmt: skip
_PRESETS = frozenset({"h264", "h265"})

_TICKS = Fraction(1, 90_000)
_COPYABLE = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac"})


@dataclass(frozen=True, slots=True)
class Colour:
    """How coded values stand for colours, as numbers of ISO/IEC 23091-2 (H.273).

    Attributes:
        matrix: Matrix coefficients.
        primaries: Colour primaries.
        transfer: Transfer characteristics.
        range: 1 for limited, 2 for full.
    """

    matrix: int
    primaries: int = field(kw_only=True)
    transfer: int = field(kw_only=True)
    range: int = field(kw_only=True)

    @property
    def high_dynamic_range(self) -> bool:
        """Whether 8 bits cannot hold it: PQ or HLG."""
        return self.transfer in (16, 18)


class VideoEncoder:
    """Encode frames at given times and copy the sound of another clip beside them.

    Args:
        path: MP4 or MOV file to write.
        size: (width, height) of the frames; odd sizes are padded by repeating the edge.
        codec: A key of `CODECS`.
        crf: Constant rate factor.
        preset: Encoder preset.
        rate: Nominal frames per second, a hint for the encoder.
        metadata: Container tags.
        audio_from: Clip whose first sound stream is copied, packet by packet; one that MP4 cannot
            hold is encoded as AAC.
        aspect: Width over height of one pixel, as coded.
        colour: How the coded values are to be read; None leaves it unsaid.
        audio_offset: Seconds added to the sound's times; None: so that the clip's first picture
            is at 0.
    """

    def __init__(
        self,
        path: Path,
        *,
        size: tuple[int, int],
        codec: str,
        crf: int,
        preset: str,
        rate: Fraction,
        metadata: Mapping[str, str],
        aspect: Fraction,
        audio_from: Path | None,
        audio_offset: float | None,
        colour: Colour | None = None,
    ) -> None:
        import av

        # SVT-AV1 knows no option for it; its errors still come through.
        os.environ.setdefault("SVT_LOG", "1")
        self._size = size
        # Without this flag the muxer drops every tag that it does not know, AIGC among them.
        flags = {"movflags": "use_metadata_tags+faststart"}
        self._out: Any = av.open(str(path), "w", format="mp4", options=flags)
        self._out.metadata.update(metadata)
        self._video = cast(Any, self._out.add_stream(CODECS[codec], rate=rate))
        self._video.width, self._video.height = (n + n % 2 for n in size)
        self._video.pix_fmt = "yuv420p"
        self._video.options = {"crf": str(crf)}
        self._video.options |= _EXTRA[codec] | ({"preset": preset} if codec in _PRESETS else {})
        self._video.codec_context.time_base = _TICKS
        self._video.sample_aspect_ratio = aspect
        self._colour = colour
        if colour is not None:
            context = self._video.codec_context
            context.colorspace, context.color_range = colour.matrix, colour.range
            context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        self._last = -1
        self._audio_in: Any = None
        self._audio: Iterator[Any] = iter(())
        self._next: Any = None
        if audio_from is not None:
            self._open_audio(audio_from, audio_offset)

    def write(self, frame: NDArray[np.uint8], pts: float) -> None:
        """Add one (h, w, 3) RGB frame shown from ``pts`` seconds on; times must ascend."""
        import av

        width, height = self._size
        pad = ((0, height % 2), (0, width % 2), (0, 0))
        if height % 2 or width % 2:
            frame = np.pad(frame, pad, mode="edge")
        picture: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        if self._colour is not None:
            to = {"dst_colorspace": self._colour.matrix, "dst_color_range": self._colour.range}
            picture = picture.reformat(format="yuv420p", **to)
        self._last = max(self._last + 1, round(pts / _TICKS))
        picture.pts, picture.time_base = self._last, _TICKS
        self._mux(self._video.encode(picture))

    def close(self) -> None:
        """Finish the file."""
        self._mux(self._video.encode(None))
        self._mux_audio(float("inf"))
        self.abort()

    def abort(self) -> None:
        """Close the files, finished or not."""
        self._out.close()
        if self._audio_in is not None:
            self._audio_in.close()

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            self._mux_audio(float(packet.dts * packet.time_base))
            self._out.mux(packet)

    def _mux_audio(self, until: float) -> None:
        """Write the sound up to ``until`` seconds: players want both streams side by side."""
        while True:
            if self._next is None:
                self._next = next(self._audio, None)
            if self._next is None or float(self._next.dts * self._next.time_base) > until:
                return
            self._out.mux(self._next)
            self._next = None

    def _open_audio(self, source: Path, offset: float | None) -> None:
        import av

        container: Any = av.open(str(source))
        self._audio_in = container
        if not container.streams.audio:
            return
        track = container.streams.audio[0]
        if offset is None:
            offset = -_start(container)
        if track.codec_context.name in _COPYABLE:
            self._audio = self._copied(container, track, offset)
        else:
            self._audio = self._recoded(container, track, offset)

    def _copied(self, container: Any, track: Any, offset: float) -> Iterator[Any]:
        target = self._out.add_stream_from_template(track)

        def packets() -> Iterator[Any]:
            for packet in container.demux(track):
                if packet.dts is None:
                    continue
                shift = round(offset / packet.time_base)
                packet.dts += shift
                packet.pts += shift
                packet.stream = target
                yield packet

        return packets()

    def _recoded(self, container: Any, track: Any, offset: float) -> Iterator[Any]:
        target = self._out.add_stream("aac", rate=track.codec_context.sample_rate)

        def packets() -> Iterator[Any]:
            for frame in container.decode(track):
                frame.pts += round(offset / frame.time_base)
                yield from target.encode(frame)
            yield from target.encode(None)

        return packets()


def pixel_aspect(path: Path | None) -> Fraction:
    """Return the width over height of one coded pixel of a clip; 1 where nothing says otherwise."""
    import av

    if path is None:
        return Fraction(1)
    with av.open(str(path)) as container:
        if not container.streams.video:
            return Fraction(1)
        return container.streams.video[0].sample_aspect_ratio or Fraction(1)


def _start(container: Any) -> float:
    """Return when the first picture is shown, seconds on the container's clock."""
    for stream in container.streams.video:
        if stream.start_time is not None:
            return float(stream.start_time * stream.time_base)
    return 0.0
