"""Labelling: every mark reads back, nothing is overwritten or altered, sound and times are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from forensics.errors import OutputError, UnreadableInputError, UsageError
from forensics.media import SamplingPlan, open_clip, stream_frames, write_video
from forensics.media.rotation import set_rotation
from forensics.provenance.aigc import read_aigc
from forensics.provenance.burn_in import (
    CJK,
    VisibleLabel,
    choose_pen,
    find_pen,
    missing_glyphs,
    names_ai_synthesis,
)
from forensics.provenance.c2pa import SOURCE_TYPES, read_c2pa, sign_c2pa
from forensics.provenance.keys import signing_identity
from forensics.provenance.labelling import LabelPlan, label_file, readback
from forensics.provenance.labelling.packet import add_to_xmp
from forensics.provenance.labelling.segments import splice_jpeg, splice_png
from forensics.provenance.payload import Payload
from forensics.provenance.watermark import detect, embed
from forensics.provenance.xmp import make_xmp, read_xmp_field
from forensics.testing import draw_frames

Picture = NDArray[np.uint8]
META = LabelPlan(visible=False, watermark=False)


@pytest.fixture(autouse=True, scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORENSICS_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def frames() -> list[Picture]:
    return list(draw_frames(count=20, size=(320, 192), seed=4))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, frames: list[Picture]) -> Path:
    """Uneven times, sound, and a title."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata["title"] = "holiday"
        video: Any = out.add_stream("libx264", rate=25, options={"threads": "1"})
        video.width, video.height, video.pix_fmt = 320, 192, "yuv420p"
        video.codec_context.time_base = Fraction(1, 90_000)
        sound: Any = out.add_stream("aac", rate=16_000)
        sound.layout = "mono"
        for n, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = n * 3600 + 700 * (n % 3), Fraction(1, 90_000)
            out.mux(video.encode(picture))
        out.mux(video.encode())
        tone = (0.3 * np.sin(np.arange(12_288) / 8)).astype(np.float32)
        for start in range(0, len(tone), 1024):
            part = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "fltp", "mono")
            part.sample_rate, part.pts, part.time_base = 16_000, start, Fraction(1, 16_000)
            out.mux(sound.encode(part))
        out.mux(sound.encode())
    return path


@pytest.fixture
def photo(tmp_path: Path, frames: list[Picture]) -> Path:
    """A JPEG that lies on its side, with a camera's name and its own XMP."""
    path = tmp_path / "photo.jpg"
    image = Image.fromarray(frames[0])
    exif = image.getexif()
    exif[0x0112], exif[0x0110] = 6, "Camera 5"
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        b"<dc:creator>Ann</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    image.save(path, exif=exif, xmp=xmp, quality=92)
    return path


def pictures(path: Path) -> tuple[list[Picture], list[float]]:
    with stream_frames(open_clip(path), SamplingPlan(all=True)) as shown:
        pairs = [(frame.image, frame.pts) for frame in shown]
    return [p for p, _ in pairs], [t for _, t in pairs]


def sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(audio=0) if p.size]


def test_clip_gets_every_mark_and_keeps_sound_and_times(tmp_path: Path, clip: Path) -> None:
    before = clip.read_bytes()
    done = label_file(clip, tmp_path / "o.mp4", LabelPlan(producer="Svc-1", produce_id="42"))
    assert clip.read_bytes() == before
    assert done.sha256 == hashlib.sha256(done.path.read_bytes()).hexdigest()
    (label,) = read_aigc(done.path)
    assert label.problems == () and label.values["ContentProducer"] == "Svc-1"
    assert label.values["ContentPropagator"] == "Svc-1" and label.values["PropagateID"] == "42"
    facts = read_c2pa(done.path, trust_anchors=signing_identity().root_pem)
    assert (facts.integrity, facts.signer_trust) == ("intact", "trusted")
    assert facts.actions[0] == "c2pa.opened" and facts.declares_ai
    assert facts.ingredients == ("clip.mp4",)
    shown, times = pictures(done.path)
    assert detect(shown).payload == done.watermark
    assert times == pytest.approx(pictures(clip)[1], abs=1e-4)
    assert sound(done.path) == sound(clip)
    with av.open(str(done.path)) as container:
        assert container.metadata["title"] == "holiday"
    assert done.visible and all(VisibleLabel((320, 192)).likeness(p) > 0.8 for p in shown)
    assert [p.name for p in tmp_path.iterdir()] == ["o.mp4"]


def test_metadata_alone_leaves_every_packet_as_it_is(tmp_path: Path, clip: Path) -> None:
    done = label_file(clip, tmp_path / "o.mp4", META)
    assert (done.watermark, done.visible) == (None, None)
    for kind in ("video", "audio"):
        packets = []
        for path in (clip, done.path):
            with av.open(str(path)) as container:
                demuxed = container.demux(**{kind: 0})
                packets.append([(p.pts, p.dts, bytes(p)) for p in demuxed if p.size])
        assert packets[0] == packets[1]
    assert read_aigc(done.path)[0].label == "1" and read_c2pa(done.path).integrity == "intact"


@pytest.mark.parametrize("plan", [LabelPlan(), META], ids=["pixels", "metadata"])
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_is_kept(
    tmp_path: Path, frames: list[Picture], turn: int, plan: LabelPlan
) -> None:
    source = tmp_path / "s.mp4"
    write_video(source, frames[:6], fps=25)
    set_rotation(source, turn)
    done = label_file(source, tmp_path / "o.mp4", plan)
    old, new = open_clip(source), open_clip(done.path)
    assert (new.rotation, new.size) == (turn, old.size)
    (upright, _), (labelled, _) = pictures(source), pictures(done.path)
    assert np.abs(upright[0][-60:].astype(int) - labelled[0][-60:]).mean() < 5


def test_other_containers_and_missing_decode_times(tmp_path: Path, frames: list[Picture]) -> None:
    for suffix in (".mkv", ".avi"):
        source = tmp_path / f"s{suffix}"
        write_video(source, frames, fps=25, crf=30)
        for number, plan in enumerate((LabelPlan(), META)):
            done = label_file(source, tmp_path / f"o{suffix[1:]}{number}.mp4", plan)
            assert len(pictures(done.path)[0]) == len(frames)


def test_label_shows_for_two_seconds_and_then_ends(tmp_path: Path) -> None:
    source = tmp_path / "s.mp4"
    write_video(source, draw_frames(count=45, size=(320, 192)), fps=10)
    done = label_file(source, tmp_path / "o.mp4", LabelPlan(text="人工智能合成"))
    shown, times = pictures(done.path)
    label = VisibleLabel((320, 192), "人工智能合成")
    seen = [label.likeness(p) > readback.LIKENESS for p in shown]
    assert all(ok for ok, t in zip(seen, times, strict=True) if t <= 2.0)
    assert not any(seen[-10:])
    assert label.height >= 0.05 * 192


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_photo_gets_every_mark_and_keeps_its_metadata(
    tmp_path: Path, photo: Path, suffix: str
) -> None:
    done = label_file(photo, tmp_path / f"o{suffix}")
    (label,) = read_aigc(done.path)
    assert (label.site, label.label, label.problems) == ("xmp", "1", ())
    facts = read_c2pa(done.path)
    assert facts.integrity == "intact" and facts.declares_ai
    with Image.open(done.path) as image:
        assert image.size == (192, 320)  # upright now
        assert image.getexif().get(0x0112, 1) == 1 and image.getexif()[0x0110] == "Camera 5"
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
        pixels = np.asarray(image.convert("RGB"))
    assert read_xmp_field(packet, "creator") == "Ann"
    source_type = read_xmp_field(packet, "DigitalSourceType")
    assert source_type == SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
    assert detect([pixels]).payload == done.watermark


def test_photo_metadata_alone_leaves_every_pixel(tmp_path: Path, photo: Path) -> None:
    done = label_file(photo, tmp_path / "o.jpg", META)
    with Image.open(photo) as old, Image.open(done.path) as new:
        assert np.array_equal(np.asarray(old), np.asarray(new))
        assert new.getexif()[0x0112] == 6
        assert read_xmp_field(new.info["xmp"], "creator") == "Ann"
    with pytest.raises(UsageError, match="has to stay so"):
        label_file(photo, tmp_path / "o.png", META)


def test_alpha_is_kept_and_what_cannot_be_is_said(tmp_path: Path, frames: list[Picture]) -> None:
    alpha = np.linspace(0, 255, 192 * 320).astype(np.uint8).reshape(192, 320)
    Image.fromarray(np.dstack([frames[0], alpha])).save(tmp_path / "a.png")
    done = label_file(tmp_path / "a.png", tmp_path / "o.png")
    with Image.open(done.path) as image:
        assert np.array_equal(np.asarray(image)[..., 3], alpha)
    assert label_file(tmp_path / "a.png", tmp_path / "o.jpg").notes == (
        "transparency cannot be kept in a JPEG",
    )
    Image.fromarray(np.full((96, 96), 40_000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(UsageError, match="more than 8 bits"):
        label_file(tmp_path / "deep.png", tmp_path / "d.png")
    assert label_file(tmp_path / "deep.png", tmp_path / "d.png", META).aigc.label == "1"


@pytest.mark.parametrize("value", ["2", "3"])
def test_a_weaker_label_claims_no_more_than_it_says(tmp_path: Path, clip: Path, value: str) -> None:
    done = label_file(clip, tmp_path / "o.mp4", LabelPlan(value))
    assert done.watermark is None and any("no watermark" in note for note in done.notes)
    assert read_aigc(done.path)[0].label == value
    facts = read_c2pa(done.path)
    assert facts.integrity == "intact" and not facts.declares_ai
    assert done.visible is not None and ("may be" in done.visible) == (value == "2")


def test_a_labelled_file_is_refused_and_stays_as_it_is(tmp_path: Path, clip: Path) -> None:
    first = label_file(clip, tmp_path / "one.mp4", META)
    raw = first.path.read_bytes()
    with pytest.raises(UsageError, match="no mark is altered"):
        label_file(first.path, tmp_path / "two.mp4")
    assert first.path.read_bytes() == raw and not (tmp_path / "two.mp4").exists()


def test_nothing_is_overwritten(tmp_path: Path, clip: Path) -> None:
    for name in ("there.mp4", "link.mp4"):
        path = tmp_path / name
        if name.startswith("link"):
            path.symlink_to(tmp_path / "nowhere")
        else:
            path.write_bytes(b"mine")
        with pytest.raises(UsageError, match="nothing is overwritten"):
            label_file(clip, path)
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"
    with pytest.raises(UsageError, match="nothing is overwritten"):
        label_file(clip, clip)


def test_earlier_provenance_is_kept_and_a_broken_one_is_not_buried(
    tmp_path: Path, photo: Path
) -> None:
    signed = tmp_path / "signed.jpg"
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + "digitalCapture"}
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [created]}}
    manifest = {"claim_generator_info": [{"name": "camera"}], "assertions": [actions]}
    sign_c2pa(photo, signed, manifest, identity=signing_identity())
    done = label_file(signed, tmp_path / "o.jpg")
    import c2pa

    with done.path.open("rb") as file, c2pa.Reader("image/jpeg", file) as reader:
        store = json.loads(reader.json())
    names = [m["claim_generator_info"][0]["name"] for m in store["manifests"].values()]
    assert sorted(names) == ["camera", "deepfake-forensics"]
    raw = bytearray(signed.read_bytes())
    raw[-40] ^= 1
    signed.write_bytes(raw)
    with pytest.raises(UsageError, match="does not hold"):
        label_file(signed, tmp_path / "p.jpg")


def test_a_watermark_that_is_there_is_kept(tmp_path: Path, frames: list[Picture]) -> None:
    own, quiet = Payload("synthetic", id=77), LabelPlan(visible=False)
    write_video(tmp_path / "w.mp4", [embed(f, own) for f in frames], fps=25, crf=14)
    done = label_file(tmp_path / "w.mp4", tmp_path / "o.mp4", quiet)
    assert done.watermark == own and any("is kept" in note for note in done.notes)
    assert detect(pictures(done.path)[0]).payload == own
    # All of so short a clip would carry the text, right over the mark.
    with pytest.raises(UsageError, match="would destroy"):
        label_file(tmp_path / "w.mp4", tmp_path / "p.mp4")
    assert not (tmp_path / "p.mp4").exists()
    control = Payload("control", id=5)
    write_video(tmp_path / "c.mp4", [embed(f, control) for f in frames], fps=25, crf=14)
    with pytest.raises(UsageError, match="real clip of a training set"):
        label_file(tmp_path / "c.mp4", tmp_path / "p.mp4", quiet)


def test_output_that_does_not_read_back_is_never_published(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VisibleLabel, "draw", lambda self, frame: frame)
    monkeypatch.setattr(
        "forensics.provenance.labelling.moving.Watermarker", lambda payload: lambda rgb: rgb
    )
    with pytest.raises(OutputError, match=r"watermark cannot be read.*; its visible label"):
        label_file(clip, tmp_path / "o.mp4")
    assert list(tmp_path.iterdir()) == []


def test_bad_input_is_one_line(tmp_path: Path, clip: Path, photo: Path) -> None:
    (tmp_path / "text.mp4").write_text("no clip")
    for source, out, kind, cause in (
        (tmp_path / "none.mp4", "o.mp4", UnreadableInputError, "none.mp4: no such file"),
        (tmp_path / "text.mp4", "o.mp4", UnreadableInputError, "text.mp4"),
        (clip, "o.mkv", UsageError, r"one of \.m4v, \.mov, \.mp4"),
        (clip, "o.png", UsageError, "a labelled clip"),
        (photo, "o.mp4", UsageError, "a labelled picture"),
        (clip, "no/o.mp4", OutputError, "cannot be written"),
    ):
        with pytest.raises(kind, match=cause) as caught:
            label_file(source, tmp_path / out)
        assert "\n" not in str(caught.value)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(photo.read_bytes()[:300])
    with pytest.raises((UnreadableInputError, UsageError), match="cut"):
        label_file(cut, tmp_path / "o.jpg")
    Image.new("RGB", (20, 20)).save(tmp_path / "tiny.png")
    with pytest.raises(UsageError, match="too small"):
        label_file(tmp_path / "tiny.png", tmp_path / "o.png")


@pytest.mark.parametrize(
    "values",
    [
        {"label": "4"},
        {"producer": "two words"},
        {"producer": ""},
        {"produce_id": 'a"b'},
        {"source_type": "digitalCapture"},
        {"crf": 99},
    ],
)
def test_a_plan_that_the_standard_does_not_allow_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        LabelPlan(**values)


def test_a_missing_glyph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has glyphs"):
        choose_pen("AI\U00012000\U0001f9ff")
    latin = find_pen("AI")
    assert latin is not None and missing_glyphs(latin, "AI生成") == "生成"
    (tmp_path / "f.ttf").write_bytes(b"x")
    with pytest.raises(UnreadableInputError, match="no font"):
        choose_pen("AI", tmp_path / "f.ttf")
    for text in ("", "   ", "a\nb", "x" * 61):
        with pytest.raises(UsageError, match="one line"):
            choose_pen(text)


def test_chinese_is_drawn_as_letters_not_boxes() -> None:
    pen = find_pen(CJK)
    if pen is None:
        pytest.skip("no Chinese font here, and OpenCV is older than 5")
    shapes = {pen.mask(c, 32).tobytes() for c in "生成合人工智能疑似可为"}
    assert len(shapes) == 11


def test_what_the_standard_asks_of_the_text() -> None:
    good = ("AI生成", "人工智能合成", "疑似AI生成")
    assert all(names_ai_synthesis(text) for text in good)
    assert not any(names_ai_synthesis(t) for t in ("AI generated", "生成", "人工智能"))


def test_xmp_is_added_to_and_never_replaced() -> None:
    packet = make_xmp("{}", SOURCE_TYPES + "digitalArt", "made & kept")
    new = add_to_xmp(packet, '{"AIGC":{}}', SOURCE_TYPES + "compositeSynthetic")
    assert read_xmp_field(new, "DigitalSourceType") == SOURCE_TYPES + "digitalArt"
    assert new.count(b"DigitalSourceType>") == 2 and b"made &amp; kept" in new
    for bad in (b"<!DOCTYPE x>", b"<a", b"<a/>", b"<a>" + b" " * (1 << 20) + b"</a>"):
        with pytest.raises(ValueError, match="XMP"):
            add_to_xmp(bad, "{}", None)


def test_splicing_damaged_pictures_is_refused(photo: Path, tmp_path: Path) -> None:
    raw = photo.read_bytes()
    Image.new("RGB", (64, 64)).save(tmp_path / "p.png")
    png = (tmp_path / "p.png").read_bytes()
    for bad in (b"", b"\xff\xd8", raw[:30], raw[:2] + b"\0" + raw[2:]):
        with pytest.raises(ValueError):
            splice_jpeg(bad, b"x")
    for bad in (b"", png[:20], png[:-14], png[:8] + b"\xff" * 8):
        with pytest.raises(ValueError):
            splice_png(bad, b"x")
    with pytest.raises(ValueError, match="fit one segment"):
        splice_jpeg(raw, b"x" * 70_000)
    extended = b"\xff\xe1\x00\x30http://ns.adobe.com/xmp/extension/\0" + b"0" * 11
    with pytest.raises(ValueError, match="several segments"):
        splice_jpeg(raw[:2] + extended + raw[2:], b"x")
