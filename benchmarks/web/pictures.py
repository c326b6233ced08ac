"""Take the pictures of docs/web.md: ``python -m benchmarks.web.pictures``.

The faces in them come out of packages: the astronaut's portrait (NASA) and the carphone clip.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from PIL import Image

from benchmarks.web.pages import browser, ready
from benchmarks.web.server import Server, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
_SEED = 1  # of the self-blend: one that the shipped weights call suspect


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture.

    Attributes:
        name: Of the file, without ``web-`` and suffix.
        place: Address behind the server's; ``{NAME}`` stands for the case of a clip.
        ready: Mark of the drawn view.
        look: Options of the browser.
        scroll: Element to scroll to the top, if any.
    """

    name: str
    place: str
    ready: str
    look: dict[str, Any] = field(default_factory=dict)
    scroll: str = ""


_DESK = {"viewport": {"width": 1200, "height": 900}}
_PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5}
_DARK = {"color_scheme": "dark"}
_ZH = {"locale": "zh-CN"}

SHOTS = (
    Shot("inbox", "#/inbox", "inbox", _DESK),
    Shot("inbox-phone", "#/inbox", "inbox", _PHONE | _DARK | _ZH),
    Shot("case", "#/case/{interview}", "case", _DESK),
    Shot("case-evidence", "#/case/{interview}", "case", _DESK, "section:has(#evidence-title)"),
    Shot("case-provenance", "#/case/{labelled}", "case", _DESK | _ZH,
         "section:has(#provenance-title)"),
    Shot("case-rules", "#/case/{labelled}", "case", _DESK, "#rules"),
    Shot("case-phone", "#/case/{interview}", "case", _PHONE),
    Shot("case-preview", "#/case/{old-camera}", "case", _DESK | _DARK),
    Shot("case-unreadable", "#/case/{page}", "case", _DESK),
    Shot("review", "#/case/{interview}/review", "case-review", _DESK),
    Shot("export", "#/case/{interview}/export", "case-export", _DESK | _ZH | _DARK),
    Shot("about", "#/about", "about", _DESK),
)  # fmt: skip


def material(folder: Path) -> list[Path]:
    """Make the files that are shown, in the order in which they come in."""
    from forensics.cli import _demo_clips as demo
    from forensics.models import model_path
    from forensics.provenance.labelling import LabelPlan, label_file
    from forensics.training.animate import animate_portrait
    from forensics.training.blend import self_blend_clip

    portrait = demo.read_portrait(model_path("astronaut"))
    folder.mkdir()
    animated = demo.make_animated(portrait, folder / "animated.mp4")
    first, second = itertools.tee(
        animate_portrait(portrait, seconds=demo.SECONDS, fps=demo.FPS, seed=demo.SEED)
    )
    meshes = (mesh for _, mesh in second)
    fake = self_blend_clip((image for image, _ in first), meshes, seed=_SEED)
    interview = demo._write(folder / "interview.mp4", fake, demo.BLENDED)
    shutil.copy(model_path("carphone"), folder / "carphone.mp4")
    shutil.copy(model_path("astronaut"), folder / "portrait.png")
    label_file(interview, folder / "labelled.mp4", LabelPlan(producer="DEMO-SERVICE"))
    (folder / "page.mp4").write_bytes(b"<!DOCTYPE html><script>alert(1)</script>")
    old = _old_camera(interview, folder / "old-camera.avi")
    return [animated, folder / "portrait.png", folder / "carphone.mp4", old,
            folder / "page.mp4", folder / "labelled.mp4", interview]  # fmt: skip


def _old_camera(source: Path, path: Path) -> Path:
    """Write MPEG-4 part 2 in an AVI, which browsers do not play."""
    with av.open(str(source)) as read, av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mpeg4", rate=25, options={"q": "3"})
        stream.width, stream.height, stream.pix_fmt = 512, 548, "yuv420p"
        stream.bit_rate = 3_000_000
        for frame in read.decode(video=0):
            plain = frame.reformat(512, 548)
            out.mux(stream.encode(plain))
        out.mux(stream.encode(None))
    return path


def take(started: Browser, server: Server, cases: dict[str, str], shot: Shot, out: Path) -> None:
    """Take one picture."""
    context = started.new_context(**({"locale": "en-GB"} | shot.look))
    page = context.new_page()
    page.goto(f"{server.url}/{shot.place.format(**cases)}")
    ready(page, shot.ready)
    page.wait_for_load_state("networkidle")
    if shot.ready == "case" and page.locator(".stage").count():
        page.locator(".stage video, .stage img").wait_for()
    if shot.scroll:
        page.locator(shot.scroll).evaluate("e => e.scrollIntoView({block: 'start'})")
        page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # the browser's own spinner over the clip has to go
    path = out / f"web-{shot.name}.png"
    page.screenshot(path=path)
    context.close()
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE)
    small.save(path, optimize=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take all pictures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder for the pictures")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="forensics-pictures-") as name:
        folder = Path(name)
        files = material(folder / "files")
        with serving(folder / "desk") as server, browser() as started:
            cases = {
                file.stem: server.scan(file, policy="cn,eu", level="full") for file in files
            }
            server.post(
                f"scans/{cases['interview']}/reviews", reviewer="Li Wei", opinion="confirm",
                note="The skin changes colour along the jaw at 0:03; the original shows no seam.",
            )  # fmt: skip
            for shot in SHOTS:
                take(started, server, cases, shot, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
