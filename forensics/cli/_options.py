"""Options that mean the same in every command that scans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Frames = Annotated[
    int | None, typer.Option(help="Look at up to N pictures of each file (default 32).")
]
Every = Annotated[float | None, typer.Option(help="Look at one picture every S seconds.")]
All = Annotated[bool, typer.Option("--all", help="Look at every picture.")]
Anchors = Annotated[
    Path | None, typer.Option(help="Certificates (PEM) of C2PA signers that you trust.")
]
MaxBytes = Annotated[int | None, typer.Option(help="Largest file, bytes.")]
MaxPixels = Annotated[int | None, typer.Option(help="Largest picture, pixels.")]
MaxDuration = Annotated[float | None, typer.Option(help="Longest video, seconds.")]
Timeout = Annotated[float | None, typer.Option(help="Longest decoding of one file, seconds.")]
