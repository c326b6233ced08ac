"""C2PA manifests: what a file's signed history says, and how to write one. Never phones home.

Three facts are kept apart: whether the bytes are those that were signed (integrity), whether the
signer is one the user trusts, and whether the time stamp is. The library's own "Valid" means only
the first of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from forensics.errors import OutputError, UnreadableInputError, UsageError
from forensics.provenance.keys import SigningIdentity

Integrity = Literal["intact", "broken", "unsigned"]
Trust = Literal["trusted", "untrusted", "not_evaluated"]

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""Prefix of the IPTC digital source types."""

AI_SOURCE_TYPES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
    }
)
"""IPTC terms that say that a machine made the pictures, or part of them."""

IPTC_SOURCE_TYPES = AI_SOURCE_TYPES | {
    "algorithmicallyEnhanced",
    "composite",
    "compositeCapture",
    "computationalCapture",
    "dataDrivenMedia",
    "digitalArt",
    "digitalCapture",
    "digitalCreation",
    "humanEdits",
    "minorHumanEdits",
    "negativeFilm",
    "positiveFilm",
    "print",
    "screenCapture",
    "virtualRecording",
}
"""All terms that may be written; the C2PA library itself takes any text."""

MIME = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".avi": "video/avi",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
"""Containers that can carry a manifest, by the suffix of what is written."""

_SEARCHED = 4 << 20

_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}


@dataclass(frozen=True, slots=True)
class C2paFacts:
    """What the manifest store of one file says.

    Attributes:
        integrity: Whether the bytes are those that were signed.
        signer_trust: Whether the signer chains to a given anchor.
        timestamp_trust: The same of the time stamp; not evaluated when there is none.
        codes: Raw validation codes, failures first, sorted within each class.
        actions: Names of the active manifest's actions, in order.
        source_types: IPTC terms of the active manifest's actions, without the prefix.
        ingredients: Titles of the ingredients.
        signer: Common name of the signing certificate.
        issuer: Organisation that issued it, as the library gives it.
        signed_at: Time of the time stamp, ISO 8601, or empty.
        generator: Claim generator name.
        supported: False when the container cannot carry a manifest.
        error: Why the store could not be read, or empty.
    """

    integrity: Integrity
    signer_trust: Trust = field(kw_only=True, default="not_evaluated")
    timestamp_trust: Trust = field(kw_only=True, default="not_evaluated")
    codes: tuple[str, ...] = field(kw_only=True, default=())
    actions: tuple[str, ...] = field(kw_only=True, default=())
    source_types: tuple[str, ...] = field(kw_only=True, default=())
    ingredients: tuple[str, ...] = field(kw_only=True, default=())
    signer: str = field(kw_only=True, default="")
    issuer: str = field(kw_only=True, default="")
    signed_at: str = field(kw_only=True, default="")
    generator: str = field(kw_only=True, default="")
    supported: bool = field(kw_only=True, default=True)
    error: str = field(kw_only=True, default="")

    @property
    def declares_ai(self) -> bool:
        """Whether an action says that a machine made the pictures, or part of them."""
        return not AI_SOURCE_TYPES.isdisjoint(self.source_types)


def read_c2pa(path: Path | str, *, trust_anchors: str | None = None) -> C2paFacts:
    """Read and validate the manifest of one file, without any network access.

    Args:
        path: The file.
        trust_anchors: PEM certificates that the user trusts; None evaluates no trust.

    Raises:
        UnreadableInputError: The file cannot be opened.
    """
    import c2pa

    source = Path(path)
    settings: dict[str, Any] = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}
    }
    if trust_anchors:
        settings["trust"] = {"user_anchors": trust_anchors}
    try:
        with source.open("rb") as file:
            mime = _sniff(file.read(12))
            if mime is None:
                return C2paFacts("unsigned", supported=False)
            file.seek(0)
            with (
                c2pa.Context.from_dict(settings) as context,
                c2pa.Reader(mime, file, context=context) as reader,
            ):
                store = json.loads(reader.json())
    except OSError as error:
        raise UnreadableInputError(source, f"cannot be read: {error.strerror}") from error
    except c2pa.C2paError.ManifestNotFound:
        return C2paFacts("unsigned")
    except c2pa.C2paError.NotSupported:
        return C2paFacts("unsigned", supported=False)
    except c2pa.C2paError as error:
        if not _holds_store(source):
            return C2paFacts("unsigned", codes=("reader.error",))
        # A store that is there but cannot be parsed does not vouch for the bytes.
        return C2paFacts("broken", codes=("reader.error",), error=_one_line(error))
    return _facts(store, anchored=bool(trust_anchors))


def sign_c2pa(
    source: Path,
    target: Path,
    manifest: Mapping[str, Any],
    *,
    identity: SigningIdentity,
    ingredient: Path | None = None,
    ingredient_id: str = "source",
    tsa: str | None = None,
) -> None:
    """Write a signed copy of ``source``; signing has to be the last change to a file.

    Args:
        source: Finished file.
        target: Where the signed copy goes; replaced when it exists.
        manifest: Manifest definition as of the C2PA library; the first action has to be
            ``c2pa.created`` or ``c2pa.opened``.
        identity: Key and certificates.
        ingredient: The work that this one was made from; refer to it by ``ingredient_id``.
        ingredient_id: Its label in the manifest.
        tsa: Address of an RFC 3161 authority that stamps the signature; uses the network.

    Raises:
        UsageError: The container cannot carry a manifest, a source type is no IPTC term, or the
            library refuses the manifest or key.
        OutputError: The copy cannot be written.
    """
    import c2pa

    mime = MIME.get(target.suffix.lower())
    if mime is None:
        known = ", ".join(sorted(MIME))
        raise UsageError(f"{target}: a C2PA manifest needs one of {known}")
    for action in _actions(manifest):
        term = str(action.get("digitalSourceType", SOURCE_TYPES + "composite"))
        if not term.startswith(SOURCE_TYPES) or term[len(SOURCE_TYPES) :] not in IPTC_SOURCE_TYPES:
            raise UsageError(f"{term.rsplit('/', 1)[-1]!r} is no IPTC digital source type")
    draft = target.with_name(f".{target.stem}.{os.getpid()}.signing{target.suffix}")
    settings: dict[str, Any] = {"builder": {"thumbnail": {"enabled": False}}}
    try:
        info = c2pa.C2paSignerInfo(
            alg=c2pa.C2paSigningAlg.ES256,
            sign_cert=identity.chain_pem.encode(),
            private_key=identity.key_pem.encode(),
            ta_url=tsa.encode() if tsa is not None else None,
        )
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(dict(manifest), context) as builder,
        ):
            if ingredient is not None:
                entry = {"title": ingredient.name, "relationship": "parentOf"}
                entry["label"] = ingredient_id
                kind = MIME.get(ingredient.suffix.lower(), "application/octet-stream")
                with ingredient.open("rb") as file:
                    builder.add_ingredient(json.dumps(entry), kind, file)
            with source.open("rb") as plain, draft.open("w+b") as signed:
                builder.sign(signer, mime, plain, signed)
        draft.replace(target)
    except c2pa.C2paError as error:
        raise UsageError(f"{target}: cannot be signed: {_one_line(error)}") from error
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _holds_store(path: Path) -> bool:
    """Tell whether the bytes of a manifest store lie near the start or end, as writers put them."""
    try:
        with path.open("rb") as file:
            head = file.read(_SEARCHED)
            file.seek(max(0, path.stat().st_size - _SEARCHED))
            ends = (head, file.read(_SEARCHED))
    except OSError:
        return False
    return any(b"jumb" in part and b"c2pa" in part for part in ends)


def _sniff(head: bytes) -> str | None:
    """Tell the container from its first bytes: a name can lie, and often does."""
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head[:4] == b"RIFF":
        return {b"AVI ": "video/avi", b"WEBP": "image/webp"}.get(head[8:12])
    return next((mime for magic, mime in _MAGIC.items() if head.startswith(magic)), None)


def _facts(store: Mapping[str, Any], *, anchored: bool) -> C2paFacts:
    """Turn the library's report into facts."""
    results = store.get("validation_results") or {}
    active = results.get("activeManifest") or {}
    parts = [active, *(d.get("validationDeltas", {}) for d in results.get("ingredientDeltas", []))]
    by_class = {
        name: sorted({e["code"] for part in parts for e in part.get(name, [])})
        for name in ("failure", "informational", "success")
    }
    failures = {e["code"] for e in active.get("failure", [])}
    hard = {c for c in failures if not c.startswith(("signingCredential.", "timeStamp."))}
    invalid = store.get("validation_state") not in ("Valid", "Trusted")
    codes = tuple(c for name in by_class for c in by_class[name])
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    actions = list(_actions(manifest))
    signature = manifest.get("signature_info") or {}
    return C2paFacts(
        "broken" if hard or (invalid and not failures) else "intact",
        signer_trust=_trust(codes, "signingCredential.trusted", anchored=anchored, present=True),
        timestamp_trust=_trust(
            codes,
            "timeStamp.trusted",
            anchored=anchored,
            present=any(c.startswith("timeStamp.") for c in codes),
        ),
        codes=codes,
        actions=tuple(str(a.get("action", "")) for a in actions),
        source_types=tuple(
            str(a["digitalSourceType"]).rsplit("/", 1)[-1]
            for a in actions
            if a.get("digitalSourceType")
        ),
        ingredients=tuple(str(i.get("title", "")) for i in manifest.get("ingredients", [])),
        signer=str(signature.get("common_name") or ""),
        issuer=str(signature.get("issuer") or ""),
        signed_at=str(signature.get("time") or ""),
        generator=_generator(manifest),
    )


def _trust(codes: Sequence[str], good: str, *, anchored: bool, present: bool) -> Trust:
    if not (anchored and present):
        return "not_evaluated"
    return "trusted" if good in codes else "untrusted"


def _actions(manifest: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [
        action
        for assertion in manifest.get("assertions", [])
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in (assertion.get("data") or {}).get("actions", [])
    ]


def _generator(manifest: Mapping[str, Any]) -> str:
    info = manifest.get("claim_generator_info") or [{}]
    return str(info[0].get("name") or manifest.get("claim_generator") or "")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
