"""Whatever leaves the generator carries watermark, AIGC label and a valid signature."""

from __future__ import annotations

import hashlib
import inspect
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import generator.mark
import generator.mark_image
from forensics.errors import OutputError, UsageError
from forensics.provenance.aigc import read_aigc
from forensics.provenance.burn_in import SECONDS, SHARE, VisibleLabel, label_text
from forensics.provenance.c2pa import read_c2pa
from forensics.provenance.keys import signing_identity
from forensics.provenance.watermark import WatermarkReader, detect
from generator.mark import MarkedWriter, masks_path, sidecar_path
from generator.mark_image import mask_path, write_marked_image, write_marked_preview

Frames = list[NDArray[np.uint8]]
FACTS = {"method": "landmark", "label": "swap", "consent_sha256": "ab" * 32}


def write(path: Path, frames: Frames, *, rate: float = 25.0, **options: object) -> None:
    height, width = frames[0].shape[:2]
    with MarkedWriter(path, size=(width, height), fps=rate, sidecar=FACTS, **options) as out:  # type: ignore[arg-type]
        for i, frame in enumerate(frames):
            mask = np.zeros((height, width), bool)
            mask[:10, : i + 1] = True
            out.write(frame, pts=i / rate, swap_mask=mask, frame_info={"n": i})


def decoded(path: Path) -> tuple[Frames, list[float]]:
    with av.open(str(path)) as clip:
        shown = list(clip.decode(video=0))
        return [f.to_ndarray(format="rgb24") for f in shown], [float(f.time) for f in shown]


def assert_marked(path: Path, pictures: Frames) -> None:
    found = detect(pictures)
    assert found.payload is not None and found.kind == "synthetic"
    (label,) = read_aigc(path)
    assert label.label == "1" and label.problems == ()
    facts = read_c2pa(path, trust_anchors=signing_identity().root_pem)
    assert facts.integrity == "intact" and facts.signer_trust == "trusted"
    assert "compositeWithTrainedAlgorithmicMedia" in facts.source_types
    sidecar = json.loads(sidecar_path(path).read_text())
    assert sidecar["marks"]["watermark_id"] == f"{found.payload.id:08x}"
    assert sidecar["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_clip_carries_every_mark_and_the_targets_sound(
    tmp_path: Path, frames: Frames, target: Path
) -> None:
    path = tmp_path / "swap.mp4"
    write(path, frames, source=target, audio_from=target)
    shown, times = decoded(path)
    assert_marked(path, shown)
    assert times == pytest.approx([i / 25 for i in range(len(frames))], abs=1e-4)
    assert read_c2pa(path).ingredients == ("target.mp4",)
    assert read_c2pa(path).actions == ("c2pa.opened", "c2pa.edited")

    def sound(clip: Path) -> list[bytes]:
        with av.open(str(clip)) as container:
            return [bytes(p) for p in container.demux(audio=0) if p.size]

    assert sound(path) == sound(target)
    sidecar = json.loads(sidecar_path(path).read_text())
    assert sidecar["consent_sha256"] == FACTS["consent_sha256"]
    assert [f["n"] for f in sidecar["frames"]] == list(range(len(frames)))
    assert sidecar["source_work_sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert {p.name for p in tmp_path.iterdir()} == {
        "home", "swap.mp4", "swap.sidecar.json", "swap.masks.mkv",
    }  # fmt: skip


def test_masks_are_lossless(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "swap.mp4"
    write(path, frames[:4])
    with av.open(str(masks_path(path))) as clip:
        assert len(clip.streams.video) == 2
        planes = [f.to_ndarray() for f in clip.decode(video=0)]
    for i, plane in enumerate(planes):
        assert plane.sum() == 255 * 10 * (i + 1)
    assert len(planes) == 4


def test_uneven_times_and_odd_sizes_are_kept(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "swap.mp4"
    times = [0.0, 0.04, 0.10, 0.113, 0.5, 0.9]
    with MarkedWriter(path, size=(319, 179), fps=25, sidecar=FACTS) as out:
        for frame, pts in zip(frames, times, strict=False):
            out.write(frame[:179, :319], pts=pts)
    shown, seen = decoded(path)
    assert seen == pytest.approx(times, abs=1e-4)
    assert_marked(path, shown)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_kept_and_the_mark_is_upright(
    tmp_path: Path, frames: Frames, rotation: int
) -> None:
    path = tmp_path / "swap.mp4"
    write(path, frames[:4], rotation=rotation)
    with av.open(str(path)) as clip:
        first = next(clip.decode(video=0))
    assert first.rotation % 360 == -rotation % 360
    upright = np.rot90(first.to_ndarray(format="rgb24"), k=-rotation // 90)
    assert upright.shape == frames[0].shape
    assert_marked(path, [np.ascontiguousarray(upright)])


def test_pixel_aspect_of_the_target_is_kept(tmp_path: Path, frames: Frames) -> None:
    wide = tmp_path / "wide.mp4"
    with av.open(str(wide), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.sample_aspect_ratio = Fraction(16, 15)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(frames[0], format="rgb24")))
        out.mux(stream.encode())
    write(tmp_path / "swap.mp4", frames[:3], source=wide)
    with av.open(str(tmp_path / "swap.mp4")) as clip:
        assert clip.streams.video[0].sample_aspect_ratio == Fraction(16, 15)


def test_one_flipped_byte_breaks_the_signature(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "swap.mp4"
    write(path, frames[:4])
    raw = bytearray(path.read_bytes())
    at = raw.index(b"mdat") + 400
    raw[at] ^= 1
    path.write_bytes(raw)
    facts = read_c2pa(path)
    assert facts.integrity == "broken" and "assertion.bmffHash.mismatch" in facts.codes


def test_edited_label_breaks_the_signature(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "swap.mp4"
    write(path, frames[:4])
    raw = path.read_bytes()
    assert b'"Label":"1"' in raw
    path.write_bytes(raw.replace(b'"Label":"1"', b'"Label":"3"'))
    assert read_aigc(path)[0].label == "3"
    assert read_c2pa(path).integrity == "broken"


def test_nothing_is_left_when_the_block_fails(tmp_path: Path, frames: Frames) -> None:
    with (
        pytest.raises(RuntimeError, match="stop"),
        MarkedWriter(tmp_path / "s.mp4", size=(320, 180), fps=25, sidecar=FACTS) as out,
    ):
        out.write(frames[0], pts=0.0)
        raise RuntimeError("stop")
    with (
        pytest.raises(OutputError, match="no frame"),
        MarkedWriter(tmp_path / "s.mp4", size=(320, 180), fps=25, sidecar=FACTS),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


def test_refusals_name_the_cause(tmp_path: Path) -> None:
    common = {"size": (320, 180), "fps": 25.0, "sidecar": FACTS}
    with pytest.raises(UsageError, match=r"s\.mkv.*\.mp4"):
        MarkedWriter(tmp_path / "s.mkv", **common)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'h266'"):
        MarkedWriter(tmp_path / "s.mp4", codec="h266", **common)  # type: ignore[arg-type]
    with pytest.raises(OutputError, match=r"s\.mp4"):
        MarkedWriter(tmp_path / "no" / "s.mp4", **common)  # type: ignore[arg-type]


def test_visible_label_only_at_the_start_and_tall_enough(frames: Frames) -> None:
    label = VisibleLabel((320, 180))
    drawn = label.draw(frames[0])
    rows = np.flatnonzero((drawn == 255).all(axis=2).any(axis=1))
    assert rows[-1] - rows[0] + 1 >= 0.05 * 180
    assert SHARE >= 0.05 and SECONDS >= 2.0
    assert "AI generated" in label_text()
    assert np.array_equal(drawn[90:], frames[0][90:])


def test_label_switch_changes_only_the_visible_label(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "swap.mp4"
    write(path, frames[:4], visible_label=False)
    shown, _ = decoded(path)
    assert_marked(path, shown)
    assert np.mean(np.abs(shown[0].astype(int) - frames[0])) < 6
    assert json.loads(sidecar_path(path).read_text())["marks"]["visible_label"] is None


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_photo_carries_every_mark(tmp_path: Path, frames: Frames, suffix: str) -> None:
    source = tmp_path / "source.png"
    Image.fromarray(frames[1]).save(source)
    path = tmp_path / f"swap{suffix}"
    mask = np.zeros(frames[0].shape[:2], np.float32)
    mask[5:9] = 1.0
    write_marked_image(path, frames[0], sidecar=FACTS, source=source, swap_mask=mask)
    assert_marked(path, [np.asarray(Image.open(path).convert("RGB"))])
    assert np.asarray(Image.open(mask_path(path))).sum() == 255 * 4 * 320


def test_preview_carries_caption_mark_and_metadata(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "preview.png"
    write_marked_preview(path, frames[0], caption="A, A->B")
    with Image.open(path) as image:
        assert "AI-generated" in image.info["Description"]
        pixels = np.asarray(image)
    assert pixels.shape[0] > frames[0].shape[0]
    assert detect([pixels]).found
    assert read_aigc(path)[0].label == "1"


def test_no_public_name_takes_a_switch_for_the_hidden_marks() -> None:
    forbidden = ("watermark", "c2pa", "sign", "aigc", "mark", "label_off", "raw", "kind")
    for module in (generator.mark, generator.mark_image):
        for name, item in vars(module).items():
            if name.startswith("_") or getattr(item, "__module__", "") != module.__name__:
                continue
            for parameter in inspect.signature(item).parameters:
                assert parameter == "visible_label" or not any(
                    word == parameter or parameter.startswith(word + "_") for word in forbidden
                ), f"{module.__name__}.{name}({parameter})"
    # The environment is not asked either.
    for module in (generator.mark, generator.mark_image, generator._stamp):
        assert "environ" not in inspect.getsource(module)


def test_reader_sees_marks_of_every_frame(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "swap.mp4"
    write(path, frames)
    for picture in decoded(path)[0]:
        reader = WatermarkReader()
        reader.add(picture)
        assert reader.result().found
