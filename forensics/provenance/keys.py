"""The signing key: a local authority and one leaf certificate, made on first use.

The authority's private key is thrown away once the leaf is signed, so a stolen cache cannot issue
further certificates. Nobody else trusts this authority: give its root to those who shall.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import OutputError, UnreadableInputError, UsageError
from forensics.models.cache import home

_KEY, _CHAIN, _ROOT = "signing.key.pem", "signing.chain.pem", "root.pem"
_DAYS = 5 * 365
_MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """A key with its certificates.

    Attributes:
        key_pem: Private key, PKCS#8 PEM.
        chain_pem: Leaf first, then the authorities.
        root_pem: The authority to be trusted, or empty when unknown.
    """

    key_pem: str = field(repr=False)
    chain_pem: str = field(kw_only=True, repr=False)
    root_pem: str = field(kw_only=True, default="", repr=False)


def default_folder() -> Path:
    """Return where the local signing key lives."""
    return home() / "keys"


def signing_identity(folder: Path | None = None) -> SigningIdentity:
    """Return the local signing identity; make it on first use.

    Args:
        folder: Where it lives; the per-user folder when None.

    Raises:
        OutputError: It cannot be made.
        UnreadableInputError: It is there but cannot be read.
    """
    place = folder if folder is not None else default_folder()
    if not (place / _KEY).exists():
        new_identity(place)
    return SigningIdentity(
        _read(place / _KEY), chain_pem=_read(place / _CHAIN), root_pem=_read(place / _ROOT)
    )


def load_identity(key: Path, chain: Path) -> SigningIdentity:
    """Read the user's own key and certificate chain (PEM).

    Raises:
        UnreadableInputError: A file cannot be read or is no PEM.
    """
    return SigningIdentity(_read(key), chain_pem=_read(chain))


def new_identity(folder: Path, *, name: str = "deepfake-forensics local key") -> None:
    """Make an authority and a leaf (ECDSA P-256) in ``folder``, private files readable by the
    owner alone.

    Raises:
        UsageError: The folder holds a key already.
        OutputError: It cannot be written.
    """
    if (folder / _KEY).exists():
        raise UsageError(f"{folder}: holds a signing key already; move it away first")
    files = _make(name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".keys-", dir=folder.parent))
        try:
            for file, text in files.items():
                handle = os.open(draft / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w", encoding="ascii") as out:
                    out.write(text)
            _publish(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot make a signing key: {error.strerror}") from error


def _publish(draft: Path, folder: Path) -> None:
    """Move the new files into place as one; a process that was faster keeps its own."""
    try:
        draft.rename(folder)
    except OSError:
        if (folder / _KEY).exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        # The key goes last: its presence means that the rest is there.
        for file in (_ROOT, _CHAIN, _KEY):
            (draft / file).replace(folder / file)


def _make(name: str) -> dict[str, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    usage = {
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "encipher_only": False,
        "decipher_only": False,
    }

    def titled(common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "deepfake-forensics"),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    root_key = ec.generate_private_key(ec.SECP256R1())
    leaf_key = ec.generate_private_key(ec.SECP256R1())

    def draft(subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(titled(subject))
            .issuer_name(titled(f"{name} authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            # A little back-dating: clocks of verifiers differ.
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=_DAYS))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
                critical=False,
            )
        )

    root = (
        draft(f"{name} authority", root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **usage),
            critical=True,
        )
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        draft(name, leaf_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, **usage),
            critical=True,
        )
        # The purpose that C2PA validators accept without further settings.
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    root_pem, leaf_pem = (c.public_bytes(pem).decode("ascii") for c in (root, leaf))
    key_pem = leaf_key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")
    return {_KEY: key_pem, _CHAIN: leaf_pem + root_pem, _ROOT: root_pem}


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableInputError(path, f"cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES or b"-----BEGIN " not in raw:
        raise UnreadableInputError(path, "not a PEM file")
    return raw.decode("ascii", "replace")
