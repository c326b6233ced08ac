"""What the server is told at its start: the single source of its defaults."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from forensics.engines.options import ScanOptions
from forensics.errors import UsageError

GIB = 1024**3
SecondReader = Literal["never", "suspect", "always"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Settings of one server.

    Attributes:
        data: Folder for uploads, pictures, reports, key and log; made when missing.
        db: SQLAlchemy URL of the store; a SQLite file inside ``data`` when None.
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose.
        token: Bearer token; None only where ``host`` is a loopback address.
        options: How files are scanned.
        workers: Scans that run at the same time, each in a process of its own.
        queue: Scans that may wait; more are refused.
        max_upload: Largest upload, bytes.
        upload_timeout: Longest upload, seconds.
        upload_stall: Longest pause within an upload, seconds.
        scan_timeout: Longest scan of one file, seconds; its process is then killed.
        retention_days: Cases older than this are deleted; None keeps them.
        second_reader: When a second person has to review a case: ``never``, ``suspect`` (the
            scan says suspect or a reader confirms), or ``always``.
        key: Private key that signs; one is made inside ``data`` when None.
        reads, writes: Requests a second that one address may make, with room for a burst of ten
            seconds.
    """

    data: Path
    db: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    options: ScanOptions = field(default_factory=ScanOptions)
    workers: int = 1
    queue: int = 200
    max_upload: int = 4 * GIB
    upload_timeout: float = 1800.0
    upload_stall: float = 30.0
    scan_timeout: float = 900.0
    retention_days: float | None = 30.0
    second_reader: SecondReader = "suspect"
    key: Path | None = None
    reads: float = 100.0
    writes: float = 10.0

    def __post_init__(self) -> None:
        """Check what would make the server unsafe or useless.

        Raises:
            UsageError: A value is not allowed; the message names its flag.
        """
        if not self.loopback and not self.token:
            raise UsageError(
                f"--host {self.host} can be reached from other machines, so it needs --token-file "
                "(or FORENSICS_TOKEN)"
            )
        if self.token is not None and (len(self.token) < 16 or not self.token.isascii()):
            raise UsageError("the token must have at least 16 ASCII characters")
        above = ("workers", "queue", "max_upload", "upload_timeout", "upload_stall",
                 "scan_timeout", "reads", "writes")  # fmt: skip
        for name in above:
            if not getattr(self, name) > 0:
                raise UsageError(f"--{name.replace('_', '-')} must be above 0")
        if self.retention_days is not None and not self.retention_days > 0:
            raise UsageError("--retention-days must be above 0")
        if self.second_reader not in ("never", "suspect", "always"):
            raise UsageError("--second-reader must be never, suspect or always")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def cases(self) -> Path:
        """Folder that holds one folder a case."""
        return self.data / "cases"

    @property
    def log(self) -> Path:
        """The custody log."""
        return self.data / "custody.jsonl"

    @property
    def database(self) -> str:
        """URL of the store."""
        return self.db or f"sqlite:///{(self.data / 'cases.sqlite').absolute()}"
