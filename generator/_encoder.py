"""The raw encoder. Private: only :mod:`generator.mark` may feed it, and it marks every frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

CODECS = {"h264": "libx264", "h265": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
"""Picture codecs that an MP4 can hold, with the encoder used for each."""

_TICKS = Fraction(1, 90_000)
_COPYABLE = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac"})


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
    ) -> None:
        import av

        self._size = size
        # Without this flag the muxer drops every tag that it does not know, AIGC among them.
        flags = {"movflags": "use_metadata_tags+faststart"}
        self._out: Any = av.open(str(path), "w", format="mp4", options=flags)
        self._out.metadata.update(metadata)
        self._video = cast(Any, self._out.add_stream(CODECS[codec], rate=rate))
        self._video.width, self._video.height = (n + n % 2 for n in size)
        self._video.pix_fmt = "yuv420p"
        self._video.options = {"crf": str(crf)}
        if codec in ("h264", "h265"):
            self._video.options = {"crf": str(crf), "preset": preset}
        self._video.codec_context.time_base = _TICKS
        self._video.sample_aspect_ratio = aspect
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


class MaskEncoder:
    """Write masks without loss: FFV1 in Matroska, stream 0 the swap, stream 1 the occluder.

    Args:
        path: File to write.
        size: (width, height) of the masks, upright like the frames.
        rate: Nominal frames per second.
    """

    def __init__(self, path: Path, *, size: tuple[int, int], rate: Fraction) -> None:
        import av

        self._out: Any = av.open(str(path), "w", format="matroska")
        self._streams: list[Any] = []
        for title in ("swap", "occluder"):
            stream = cast(Any, self._out.add_stream("ffv1", rate=rate))
            stream.width, stream.height, stream.pix_fmt = *size, "gray"
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.metadata["title"] = title
            self._streams.append(stream)
        self._blank = np.zeros(size[::-1], np.uint8)
        self._last = -1

    def write(
        self,
        swap: NDArray[np.uint8] | None,
        occluder: NDArray[np.uint8] | None,
        pts: float,
    ) -> None:
        """Add one pair of (h, w) ``uint8`` masks; None is an empty mask."""
        import av

        self._last = max(self._last + 1, round(pts * 1000))
        for stream, mask in zip(self._streams, (swap, occluder), strict=True):
            plane = self._blank if mask is None else np.ascontiguousarray(mask)
            picture: Any = av.VideoFrame.from_ndarray(plane, format="gray")
            picture.pts, picture.time_base = self._last, Fraction(1, 1000)
            self._out.mux(stream.encode(picture))

    def close(self) -> None:
        """Finish the file."""
        for stream in self._streams:
            self._out.mux(stream.encode(None))
        self._out.close()

    def abort(self) -> None:
        """Close the file, finished or not."""
        self._out.close()
