"""Ed25519 keys for signing reports: one PEM file for the owner, one to hand out."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import OutputError, UnreadableInputError, UsageError, printable
from forensics.models.cache import home
from forensics.report.custody.canonical import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

_MAX_BYTES = 64 * 1024


def default_key() -> Path:
    """Return where ``forensics keys new`` puts the key when no file is named."""
    return home() / "keys" / "report.pem"


def public_path(key: Path) -> Path:
    """Return where the public half of a private key file lies."""
    return key.with_name(f"{key.stem}.pub.pem")


def new_key(path: Path | str) -> tuple[Path, Path]:
    """Make a key pair.

    Args:
        path: File for the private key (PKCS#8 PEM, readable by the owner alone). The public key
            goes beside it, as ``NAME.pub.pem``.

    Returns:
        Both paths.

    Raises:
        UsageError: One of the files is there already; a key is never replaced.
        OutputError: They cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private, public = Path(path), public_path(Path(path))
    for place in (private, public):
        if place.exists():
            raise UsageError(f"{printable(place)}: is there already; a key is never replaced")
    key = Ed25519PrivateKey.generate()
    texts = {
        public: key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        private: key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    }
    try:
        private.parent.mkdir(parents=True, exist_ok=True)
        for place, text in texts.items():
            mode = 0o600 if place == private else 0o644
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
    except OSError as error:
        cause = error.strerror or str(error)
        raise OutputError(f"{printable(private)}: cannot make a key: {cause}") from error
    return private, public


def load_private(path: Path | str) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        UnreadableInputError: No PEM file with an unencrypted Ed25519 private key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    source = Path(path)
    try:
        key = load_pem_private_key(_read(source), password=None)
    except TypeError as error:
        raise UnreadableInputError(source, "the key is encrypted; give it in the clear") from error
    except ValueError as error:
        raise UnreadableInputError(source, "holds no private key in PEM form") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnreadableInputError(source, "is not an Ed25519 key; make one: forensics keys new")
    return key


def load_public(path: Path | str) -> Ed25519PublicKey:
    """Read a public key; a private key's file serves too.

    Raises:
        UnreadableInputError: No PEM file with an Ed25519 key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    source = Path(path)
    raw = _read(source)
    if b"PRIVATE KEY" in raw:
        return load_private(source).public_key()
    try:
        key = load_pem_public_key(raw)
    except ValueError as error:
        raise UnreadableInputError(source, "holds no public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UnreadableInputError(source, "is not an Ed25519 key")
    return key


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """Return the key as a JSON Web Key (RFC 8037)."""
    return {"crv": "Ed25519", "kty": "OKP", "x": encode(key.public_bytes_raw())}


def thumbprint(key: Ed25519PublicKey) -> str:
    """Return the key's name: the SHA-256 thumbprint of RFC 7638, base64url."""
    return encode(hashlib.sha256(canonical(public_jwk(key))).digest())


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of base64url text, of which each value has exactly one form.

    Raises:
        ValueError: Another alphabet, padding, or unused bits that are set.
    """
    data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not base64url in its only form")
    return data


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        cause = (error.strerror or "cannot be read").lower()
        raise UnreadableInputError(path, cause) from error
    if len(raw) > _MAX_BYTES:
        raise UnreadableInputError(path, "too large for a key")
    return raw
