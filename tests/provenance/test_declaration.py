"""One answer to what a file says of itself."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, PngImagePlugin

from forensics.provenance.aigc import AigcLabel
from forensics.provenance.declaration import read_declaration


def _png(path: Path, text: str | None) -> Path:
    info = PngImagePlugin.PngInfo()
    if text is not None:
        info.add_text("AIGC", text)
    Image.new("RGB", (16, 16), (90, 80, 70)).save(path, pnginfo=info)
    return path


def test_a_plain_file_declares_nothing(tmp_path: Path) -> None:
    path = _png(tmp_path / "a.png", None)
    assert read_declaration(path).status == "none"


def test_an_unsigned_label_is_a_declaration_without_integrity(tmp_path: Path) -> None:
    label = AigcLabel("1", producer="someone", produce_id="7").to_json()
    found = read_declaration(_png(tmp_path / "b.png", label))
    assert (found.status, found.integrity) == ("declared_synthetic", "unsigned")
    assert found.by == ("aigc png-text:AIGC",)


def test_a_label_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    assert read_declaration(_png(tmp_path / "c.png", "AIGC but no JSON")).status == "unreadable"

