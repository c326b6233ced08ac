"""Do others read what we write, and do we read what others write?

    pip install pyexiv2 pymediainfo
    python -m benchmarks.provenance interop

Ours: labelled files, read by FFmpeg's tags, MediaInfo, Exiv2, Pillow's XMP and the C2PA library.
Others': files signed with the C2PA library alone, in the manner of its documentation, read by us
and by the library's own reader; both must say the same.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._results import Bar, show, show_bars, write_result
from benchmarks.provenance.material import clips, photos
from forensics.provenance.c2pa import SOURCE_TYPES, read_c2pa
from forensics.provenance.keys import SigningIdentity, signing_identity
from forensics.provenance.labelling import label_file

_MIME = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png"}
_NAMESPACE = ("http://www.tc260.org.cn/ns/AIGC/1.0/", "TC260")


@dataclass(frozen=True, slots=True)
class Check:
    """One reader on one file.

    Attributes:
        what: Whose file, which format.
        reader: Who read it.
        same: Whether what it read is what was written.
    """

    what: str
    reader: str = field(kw_only=True)
    same: bool = field(kw_only=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return 1 when a bar is missed."""
    argparse.ArgumentParser(prog="python -m benchmarks.provenance interop").parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = clips(folder, 3, None)
        sources = [*made, *photos(folder, made)]
        identity = signing_identity(folder / "keys")
        checks = [
            *(check for source in sources for check in ours(source, folder, identity)),
            *(check for source in sources for check in theirs(source, folder, identity)),
        ]
    return report(checks)


def ours(source: Path, folder: Path, identity: SigningIdentity) -> list[Check]:
    """Label one file and let the others read it."""
    done = label_file(source, folder / f"labelled-{source.name}", identity=identity)
    wanted = done.aigc.to_json()
    readers = _VIDEO_READERS if source.suffix == ".mp4" else _IMAGE_READERS
    found = [
        Check(f"our {source.suffix[1:]}", reader=name, same=read(done.path) == wanted)
        for name, read in readers.items()
    ]
    store = _library(done.path, identity.root_pem)
    assertions = store["manifests"][store["active_manifest"]]["assertions"]
    actions = next(a["data"]["actions"] for a in assertions if a["label"] == "c2pa.actions.v2")
    types = [a.get("digitalSourceType", "").rsplit("/", 1)[-1] for a in actions]
    good = (
        store["validation_state"] == "Trusted" and "compositeWithTrainedAlgorithmicMedia" in types
    )
    return [*found, Check(f"our {source.suffix[1:]}", reader="C2PA library, manifest", same=good)]


def theirs(source: Path, folder: Path, identity: SigningIdentity) -> list[Check]:
    """Sign with the library alone and compare what its reader and ours say."""
    import c2pa

    target = folder / f"theirs-{source.name}"
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + "digitalCreation"}
    manifest = {
        "claim_generator_info": [{"name": "example", "version": "1"}],
        "title": "An example",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
            {
                "label": "cawg.training-mining",
                "data": {"entries": {"cawg.ai_inference": {"use": "notAllowed"}}},
            },
        ],
    }
    info = c2pa.C2paSignerInfo(
        alg=c2pa.C2paSigningAlg.ES256,
        sign_cert=identity.chain_pem.encode(),
        private_key=identity.key_pem.encode(),
        ta_url=None,
    )
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest) as builder:
        builder.sign_file(str(source), str(target), signer)
    changed = folder / f"changed-{source.name}"
    raw = bytearray(target.read_bytes())
    raw[-300] ^= 1
    changed.write_bytes(raw)
    return [
        Check(
            f"their {source.suffix[1:]}{word}",
            reader=f"ours as the library, {'with' if anchors else 'no'} anchor",
            same=_agree(path, anchors),
        )
        for path, word in ((target, ""), (changed, ", one byte changed"))
        for anchors in (None, identity.root_pem)
    ]


def _agree(path: Path, anchors: str | None) -> bool:
    """Compare our facts with the library's report of the same file."""
    store = _library(path, anchors)
    mine = read_c2pa(path, trust_anchors=anchors)
    manifest = store["manifests"][store["active_manifest"]]
    active = store["validation_results"]["activeManifest"]
    codes = {e["code"] for kind in ("failure", "informational", "success") for e in active[kind]}
    state = {"Trusted": "intact", "Valid": "intact", "Invalid": "broken"}[store["validation_state"]]
    trusted = "trusted" if "signingCredential.trusted" in codes else "untrusted"
    return (
        mine.integrity == state
        and mine.signer_trust == (trusted if anchors else "not_evaluated")
        and mine.generator == manifest["claim_generator_info"][0]["name"] == "example"
        and mine.actions == ("c2pa.created",)
        and mine.source_types == ("digitalCreation",)
        and set(mine.codes) == codes
    )


def _library(path: Path, anchors: str | None) -> dict[str, Any]:
    import c2pa

    settings: dict[str, Any] = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}
    }
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    with (
        path.open("rb") as file,
        c2pa.Context.from_dict(settings) as context,
        c2pa.Reader(_MIME[path.suffix], file, context=context) as reader,
    ):
        found: dict[str, Any] = json.loads(reader.json())
        return found


def _ffmpeg(path: Path) -> str | None:
    import av

    with av.open(str(path)) as container:
        return container.metadata.get("AIGC")


def _mediainfo(path: Path) -> str | None:
    from pymediainfo import MediaInfo

    general = MediaInfo.parse(str(path)).general_tracks[0].to_data()
    return next((str(v) for k, v in general.items() if k.lower() == "aigc"), None)


def _exiv2(path: Path) -> str | None:
    import pyexiv2

    pyexiv2.registerNs(*_NAMESPACE)
    with pyexiv2.Image(str(path)) as image:
        found = image.read_xmp().get("Xmp.TC260.AIGC")
    return None if found is None else str(found)


def _pillow(path: Path) -> str | None:
    from PIL import Image

    with Image.open(path) as image:
        rdf = image.getxmp()["xmpmeta"]["RDF"]["Description"]
    return next(str(d["AIGC"]) for d in (rdf if isinstance(rdf, list) else [rdf]) if "AIGC" in d)


_VIDEO_READERS: dict[str, Callable[[Path], str | None]] = {
    "FFmpeg, container tag": _ffmpeg,
    "MediaInfo, container tag": _mediainfo,
}
_IMAGE_READERS: dict[str, Callable[[Path], str | None]] = {
    "Exiv2, XMP": _exiv2,
    "Pillow with defusedxml, XMP": _pillow,
}


def report(checks: Sequence[Check]) -> int:
    """Print the table, write the result, and return 1 when a bar is missed."""
    rows = []
    for key in dict.fromkeys((check.what, check.reader) for check in checks):
        same = [check.same for check in checks if (check.what, check.reader) == key]
        rows.append({"file": key[0], "reader": key[1], "same": sum(same), "n": len(same)})
    cells = [[f"{r['file']}: {r['reader']}", f"{r['same']}/{r['n']}"] for r in rows]
    show("Read as it was written", ["file: reader", "same"], cells)
    share = sum(check.same for check in checks) / len(checks)
    bar = Bar("files read alike", value=100 * share, limit=100, unit="%", at_most=False)
    print(write_result("provenance-interop", {"rows": rows, "bars": [bar.record()]}))
    return 0 if show_bars([bar]) else 1
