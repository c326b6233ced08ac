"""Seal a report: media hashed again, content signed, time-stamped and entered in a log.

A sealed report is the plain report with one member more, ``custody``. The signature covers the
canonical form of everything but the members of ``custody`` in `UNSIGNED`; the time stamp
covers the signature, and a second signature the time stamp, some of whose bytes its own signature
leaves out; the log line holds the digest of all of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import ForensicsError, UsageError
from forensics.models.cache import file_sha256
from forensics.report.custody import jws
from forensics.report.custody.canonical import canonical, digest
from forensics.report.custody.keys import load_private, thumbprint
from forensics.report.custody.log import CustodyLog
from forensics.report.model import records_to_json, records_to_jsonl, report_to_dict

if TYPE_CHECKING:
    from forensics.types import Report

UNSIGNED = ("signature", "timestamp", "timestamp_signature")
"""Members of ``custody`` that the signature does not cover."""


class Sealer:
    """Seal reports one by one.

    Args:
        key: Private key file, or None for records that are logged but not signed.
        log: Log file, or None.
        tsa: Address of a time-stamping authority; the only thing here that uses the network.

    Raises:
        UsageError: A time stamp without a key, or nothing to do.
        UnreadableInputError: The key cannot be read.
        OutputError: The log cannot be followed.
    """

    def __init__(
        self,
        key: Path | str | None = None,
        *,
        log: Path | str | None = None,
        tsa: str | None = None,
    ) -> None:
        if tsa is not None and key is None:
            raise UsageError("--tsa stamps a signature, so it needs --sign KEY")
        self._key = None if key is None else load_private(key)
        self._log = None if log is None else CustodyLog(log, key=self._key)
        self._tsa = tsa
        if self._log is not None:
            self._log.head()  # fails before the work, not after it

    @property
    def signs(self) -> bool:
        """Whether reports are signed."""
        return self._key is not None

    def seal(self, report: Report) -> dict[str, Any]:
        """Return the sealed report as JSON-ready data, and log it.

        Raises:
            OutputError: The log cannot be written.
            TimestampError: The authority gave no time stamp.
            ForensicsError: The report has no canonical form.
        """
        return self.seal_record(report_to_dict(report), report.path)

    def seal_record(self, record: dict[str, Any], media: Path) -> dict[str, Any]:
        """Seal what `report_to_dict` returned, in place; ``media`` may lie elsewhere by now.

        Raises:
            OutputError: The log cannot be written.
            TimestampError: The authority gave no time stamp.
            ForensicsError: The report has no canonical form.
        """
        custody: dict[str, Any] = {
            "sealed_at": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
            "media": media_after(media, record["file"]["sha256"]),
        }
        record["custody"] = custody
        if self._key is not None:
            custody["key"] = thumbprint(self._key.public_key())
        if self._log is not None:
            head = self._log.head()
            custody["log_head"] = {"line": head.line, "hash": head.hash}
        try:
            if self._key is not None:
                custody["signature"] = jws.sign(signed_content(record), self._key)
            if self._key is not None and self._tsa is not None:
                from forensics.report.custody.timestamp import request

                stamp = request(self._tsa, custody["signature"].encode("ascii"))
                custody["timestamp"] = stamp
                custody["timestamp_signature"] = jws.sign(
                    stamp.encode("ascii"), self._key, typ=jws.STAMP_TYPE
                )
            if self._log is not None:
                self._log.append("report", _log_facts(record))
        except ValueError as error:
            raise ForensicsError(f"{media}: the report cannot be sealed: {error}") from error
        return record


def save_report(
    report: Report,
    path: Path | str,
    *,
    sign_with: Path | str | None = None,
    log: Path | str | None = None,
    tsa: str | None = None,
) -> None:
    """Write one report as JSON, sealed when asked.

    Args:
        report: What `forensics.scan` returned.
        path: File to write; replaced as a whole when it exists.
        sign_with: Private Ed25519 key file (``forensics keys new``).
        log: Log file to append to.
        tsa: Address of a time-stamping authority; uses the network.

    Raises:
        UsageError: A time stamp without a key.
        UnreadableInputError: The key cannot be read.
        OutputError: Report or log cannot be written.
        TimestampError: The authority gave no time stamp.
    """
    from forensics.report.write import write_text_atomic

    if sign_with is None and log is None and tsa is None:
        write_text_atomic(path, records_to_json([report_to_dict(report)]))
        return
    record = Sealer(sign_with, log=log, tsa=tsa).seal(report)
    write_text_atomic(path, records_to_json([record]))


def media_after(path: Path, before: str | None) -> dict[str, Any]:
    """Hash the media once more, now that it was examined.

    Returns:
        ``sha256_after`` and ``unchanged``; both None for what cannot be read any more, or for an
        input that never could.
    """
    try:
        after = file_sha256(path) if before is not None else None
    except (OSError, ValueError):
        after = None
    same = None if before is None else after == before
    return {"sha256_after": after, "unchanged": same}


def signed_content(record: Mapping[str, Any]) -> bytes:
    """Return the bytes that a report's signature covers.

    Raises:
        ValueError: There is no canonical form.
    """
    custody = {n: v for n, v in record["custody"].items() if n not in UNSIGNED}
    return canonical({**record, "custody": custody})


LAYOUTS: tuple[Callable[[Sequence[Mapping[str, Any]]], str], ...] = (
    records_to_json,
    records_to_jsonl,
)
"""Every form in which sealed reports are written; another form was made by someone else."""


def _log_facts(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": record["file"]["path"],
        "media_sha256": record["file"]["sha256"],
        "media_unchanged": record["custody"]["media"]["unchanged"],
        "verdict": record["verdict"]["label"],
        "record_sha256": digest(record),
    }
