"""Signing and reading manifests offline; keys made on first use."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from forensics.errors import UnreadableInputError, UsageError
from forensics.provenance.c2pa import SOURCE_TYPES, read_c2pa, sign_c2pa
from forensics.provenance.keys import (
    SigningIdentity,
    default_folder,
    load_identity,
    new_identity,
    signing_identity,
)

EDIT = {"action": "c2pa.edited", "digitalSourceType": SOURCE_TYPES + "compositeSynthetic"}


def manifest(*actions: dict[str, Any]) -> dict[str, Any]:
    return {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}],
    }


OPENED = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}}


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    return signing_identity(tmp_path_factory.mktemp("k") / "keys")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.effect_noise((64, 64), 40).convert("RGB").save(tmp_path / "p.png")
    return tmp_path / "p.png"


def test_three_facts_are_kept_apart(
    tmp_path: Path, picture: Path, identity: SigningIdentity
) -> None:
    out = tmp_path / "o.png"
    sign_c2pa(picture, out, manifest(OPENED, EDIT), identity=identity, ingredient=picture)
    blind = read_c2pa(out)
    assert (blind.integrity, blind.signer_trust) == ("intact", "not_evaluated")
    assert blind.timestamp_trust == "not_evaluated"
    assert "signingCredential.untrusted" in blind.codes
    assert read_c2pa(out, trust_anchors=identity.root_pem).signer_trust == "trusted"
    assert blind.declares_ai and blind.ingredients == ("p.png",)
    other = signing_identity(tmp_path / "other")
    assert read_c2pa(out, trust_anchors=other.root_pem).signer_trust == "untrusted"
    assert read_c2pa(out, trust_anchors=other.root_pem).integrity == "intact"


def test_any_changed_picture_byte_breaks_it(
    tmp_path: Path, picture: Path, identity: SigningIdentity
) -> None:
    out = tmp_path / "o.png"
    sign_c2pa(picture, out, manifest(OPENED, EDIT), identity=identity, ingredient=picture)
    raw = bytearray(out.read_bytes())
    raw[-200] ^= 1
    out.write_bytes(raw)
    facts = read_c2pa(out, trust_anchors=identity.root_pem)
    assert facts.integrity == "broken"
    assert "assertion.dataHash.mismatch" in facts.codes


def test_type_is_told_from_content(
    tmp_path: Path, picture: Path, identity: SigningIdentity
) -> None:
    out = tmp_path / "o.png"
    sign_c2pa(picture, out, manifest(OPENED, EDIT), identity=identity, ingredient=picture)
    assert read_c2pa(out.rename(tmp_path / "o.mp4")).integrity == "intact"


def test_absent_unsupported_and_missing(tmp_path: Path, picture: Path) -> None:
    assert read_c2pa(picture).integrity == "unsigned"
    (tmp_path / "a.mkv").write_bytes(b"x")
    assert not read_c2pa(tmp_path / "a.mkv").supported
    with pytest.raises(UnreadableInputError, match="none.png"):
        read_c2pa(tmp_path / "none.png")


def test_refused_signing_leaves_nothing(
    tmp_path: Path, picture: Path, identity: SigningIdentity
) -> None:
    with pytest.raises(UsageError, match=r"bad\.png"):
        sign_c2pa(picture, tmp_path / "bad.png", manifest(EDIT), identity=identity)
    with pytest.raises(UsageError, match=r"\.mkv"):
        sign_c2pa(picture, tmp_path / "bad.mkv", manifest(OPENED), identity=identity)
    with pytest.raises(UsageError, match="'madeUp'"):
        bad = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + "madeUp"}
        sign_c2pa(picture, tmp_path / "bad.png", manifest(bad), identity=identity)
    assert [p.name for p in tmp_path.iterdir()] == ["p.png"]


def test_key_is_made_once_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))
    first = signing_identity()
    assert signing_identity() == first
    folder = default_folder()
    assert {p.name for p in folder.iterdir()} == {
        "signing.key.pem", "signing.chain.pem", "root.pem",
    }  # fmt: skip
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in folder.iterdir())
    assert "PRIVATE" not in repr(first)
    with pytest.raises(UsageError, match="already"):
        new_identity(folder)
    loaded = load_identity(folder / "signing.key.pem", folder / "signing.chain.pem")
    assert loaded.key_pem == first.key_pem


def test_bad_pem_is_named(tmp_path: Path) -> None:
    (tmp_path / "k.pem").write_text("nothing")
    with pytest.raises(UnreadableInputError, match=r"k\.pem"):
        load_identity(tmp_path / "k.pem", tmp_path / "k.pem")
