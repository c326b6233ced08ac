"""The command ``forensics serve``."""

from __future__ import annotations

import contextlib
import os
import socket
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from forensics.errors import OutputError, UnreadableInputError, UsageError


class SecondReader(str, Enum):
    """When one reviewer is not enough."""

    never = "never"
    suspect = "suspect"
    always = "always"


def register(app: typer.Typer) -> None:
    """Add the command ``serve`` to ``app``."""
    app.command("serve")(serve_command)


def serve_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    data: Annotated[
        Path, typer.Option(help="Folder for uploads, reports, key and log.")
    ] = Path("forensics-desk"),
    db: Annotated[
        str | None, typer.Option(help="SQLAlchemy URL. Default: a SQLite file in --data.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the bearer token. FORENSICS_TOKEN serves too."),
    ] = None,
    sign: Annotated[
        Path | None, typer.Option(help="Private key that signs. Default: one made in --data.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Scans at the same time.", min=1)] = 1,
    frames: Annotated[int, typer.Option(help="Pictures to look at in each clip.", min=1)] = 32,
    queue: Annotated[int, typer.Option(help="Scans that may wait.", min=1)] = 200,
    max_upload: Annotated[int, typer.Option(help="Largest upload, bytes.", min=1)] = 4 << 30,
    max_duration: Annotated[
        float, typer.Option(help="Longest clip, seconds.")
    ] = 6 * 3600.0,
    upload_timeout: Annotated[float, typer.Option(help="Longest upload, seconds.")] = 1800.0,
    scan_timeout: Annotated[float, typer.Option(help="Longest scan, seconds.")] = 900.0,
    retention_days: Annotated[
        float, typer.Option(help="Delete cases after so many days; 0 keeps them.")
    ] = 30.0,
    second_reader: Annotated[
        SecondReader, typer.Option(help="When a second person has to review a case.")
    ] = SecondReader.suspect,
) -> None:
    """Open the reviewer's desk: a web page and a JSON API on this machine.

    It listens on 127.0.0.1 alone, unless a token is set. Needs the extra 'serve'.
    """
    try:
        import uvicorn

        from forensics.web.app import create_app
    except ImportError as error:
        raise UsageError(
            f"serve needs packages that are not installed ({error.name}); run: "
            "pip install 'deepfake-forensics[serve]'"
        ) from error
    from forensics.engines import ScanOptions
    from forensics.media import Limits
    from forensics.web.settings import ServeSettings

    try:
        limits = Limits(max_duration=max_duration, max_bytes=max(max_upload, 1))
    except ValueError as error:
        raise UsageError(f"--max-duration: {error}") from None
    settings = ServeSettings(
        data=data,
        db=db,
        host=host,
        port=port,
        token=_token(token_file),
        options=ScanOptions(frames=frames, limits=limits),
        workers=workers,
        queue=queue,
        max_upload=max_upload,
        upload_timeout=upload_timeout,
        scan_timeout=scan_timeout,
        retention_days=retention_days or None,
        second_reader=second_reader.value,
        key=sign,
    )
    from forensics import models

    if missing := [name for name in models.missing() if name not in ("carphone", "astronaut")]:
        raise UsageError(f"missing: {', '.join(missing)}; run: forensics models pull")
    name = "127.0.0.1" if settings.host == "localhost" else settings.host
    door = _listen(name, port)
    app = create_app(settings)
    config = uvicorn.Config(
        app, ws="none", log_level="warning", access_log=False, server_header=False,
        date_header=False, timeout_keep_alive=15, limit_concurrency=500,
        h11_max_incomplete_event_size=32768, timeout_graceful_shutdown=5,
    )  # fmt: skip
    address = f"http://{_shown(name)}:{door.getsockname()[1]}/"
    typer.echo(f"the desk is open at {address} (Ctrl-C ends it)", err=True)
    with door, contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, before anything else is made.

    Raises:
        OutputError: The address cannot be used, or another program listens there.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        number = error.errno or 0
        cause = os.strerror(number).lower() if number > 0 else str(error)
        raise OutputError(f"cannot listen on {_shown(host)}:{port}: {cause}") from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _token(file: Path | None) -> str | None:
    """Return the token from the file or the environment."""
    if file is None:
        return os.environ.get("FORENSICS_TOKEN") or None
    try:
        with file.open("rb") as stream:
            text = stream.read(4096).decode("ascii").strip()
    except OSError as error:
        raise UnreadableInputError(file, (error.strerror or "cannot be read").lower()) from error
    except UnicodeDecodeError:
        raise UnreadableInputError(file, "holds no ASCII token") from None
    if not text:
        raise UsageError(f"{file}: is empty; a token is needed")
    return text
