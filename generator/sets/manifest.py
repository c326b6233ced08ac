"""Describe a finished set: our manifest, DeepfakeBench's JSON, and Croissant metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forensics import __version__
from forensics.evaluation.adapters import Entry, deepfakebench_tree
from generator.files import write_json, write_text

MANIFEST = "manifest.jsonl"
DEEPFAKEBENCH = "deepfakebench.json"
CROISSANT = "croissant.json"

Row = Mapping[str, Any]

_URLS = {
    "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "public domain": "https://creativecommons.org/publicdomain/mark/1.0/",
}
_FIELDS = (
    ("path", "sc:Text", "Clip, relative to the manifest."),
    ("label", "sc:Text", "real or fake."),
    ("group", "sc:Text", "Footage that a fake and its original share."),
    ("split", "sc:Text", "Part of the set; no person occurs in two."),
    ("method", "sc:Text", "How a fake was made."),
    ("codec", "sc:Text", "Codec of the clip."),
    ("crf", "sc:Integer", "Constant rate factor of the clip."),
    ("frames", "sc:Integer", "Number of pictures."),
    ("frames_sha256", "sc:Text", "Digest of the decoded RGB pictures, in order."),
)


def write_manifests(name: str, rows: Sequence[Row], out: Path) -> Path:
    """Write the three descriptions and return the JSON Lines manifest.

    Raises:
        OutputError: A file cannot be written.
    """
    text = "".join(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n" for row in rows)
    manifest = out / MANIFEST
    write_text(manifest, text)
    write_json(out / DEEPFAKEBENCH, deepfakebench(name, rows))
    digest = hashlib.sha256(text.encode()).hexdigest()
    write_json(out / CROISSANT, croissant(name, rows, digest))
    return manifest


def deepfakebench(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the set in DeepfakeBench's layout: set, label, split, clip.

    Its loader looks for a level of compressions in FaceForensics++ alone. A clip stands for its
    pictures, which DeepfakeBench's own preprocessing cuts out; clips are keyed by their path, so
    that two never merge.
    """
    entries = [
        Entry(Path(row["path"]), label=row["label"], footage=(row["path"],), split=row["split"],
              method=row.get("method"))
        for row in rows
    ]  # fmt: skip
    masks = [row.get("mask") for row in rows]
    return deepfakebench_tree(name, entries, [row["path"] for row in rows], masks)


def croissant(name: str, rows: Sequence[Row], manifest_sha256: str) -> dict[str, Any]:
    """Return Croissant 1.0 metadata (ML Commons) of the set."""
    licences = sorted({str(row["licence"]) for row in rows})
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": (
            f"{len(rows)} short clips, half of them real and half with a replaced face, made by "
            f"deepfake-forensics {__version__}. Every clip is watermarked and signed; the fakes "
            "declare themselves AI-generated."
        ),
        "license": [_URLS.get(licence, licence) for licence in licences],
        "version": "1.0.0",
        "citeAs": f"{name}, made with deepfake-forensics {__version__}",
        "url": f"https://example.invalid/{name}",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "manifest",
                "name": "manifest",
                "contentUrl": MANIFEST,
                "encodingFormat": "application/jsonlines",
                "sha256": manifest_sha256,
            },
            {
                "@type": "cr:FileSet",
                "@id": "clips",
                "name": "clips",
                "encodingFormat": "video/mp4",
                "includes": "*/*.mp4",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"rows/{field}",
                        "name": field,
                        "description": what,
                        "dataType": kind,
                        "source": {
                            "fileObject": {"@id": "manifest"},
                            "extract": {"column": field},
                        },
                    }
                    for field, kind, what in _FIELDS
                ],
            }
        ],
    }


_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
