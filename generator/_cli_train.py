"""The commands ``generator train`` and ``generator pretrain``."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics.cli._failures import INTERRUPTED, one_line
from forensics.errors import UsageError

if TYPE_CHECKING:
    from generator.train_config import Progress, TrainConfig

_STYLE_BATCH = 8
"""Faces of a style step, at most: the judging network costs more than the one it trains."""


def parse_duration(text: str) -> float:
    """Turn ``90``, ``90s``, ``30m`` or ``2h`` into seconds.

    Raises:
        UsageError: Not a duration above 0.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if seconds <= 0:
        raise UsageError(f"{text!r} is no duration; write for example 90s, 30m or 2h")
    return seconds


def train(
    people: Annotated[list[Path], typer.Argument(help="Face sets: A B (one for `plain`).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Checkpoint folder; may exist.")],
    method: Annotated[
        str, typer.Option(help="autoencoder, or style: the last set is the person painted.")
    ] = "autoencoder",
    model: Annotated[str, typer.Option(help="See: generator models list")] = "tiny",
    like: Annotated[
        str | None, typer.Option(help="Take the network's size from this other model.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Stop after this time, for example 30m.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Stop after so many steps.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same training.")] = 0,
    batch: Annotated[int, typer.Option(help="Pairs a person and step.")] = 16,
    lr: Annotated[float | None, typer.Option(help="Learning rate; else the model's own.")] = None,
    loss: Annotated[str, typer.Option(help="ssim-mse, or the historic mae.")] = "ssim-mse",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    consent_a: Annotated[Path | None, typer.Option(help="Consent record of A.")] = None,
    consent_b: Annotated[Path | None, typer.Option(help="Consent record of B.")] = None,
    from_encoder: Annotated[
        Path | None, typer.Option(help="Start from a pretrained encoder (see: pretrain).")
    ] = None,
    occluders: Annotated[
        Path | None,
        typer.Option(help="Photographed things (masks/, glasses/) that `masked` learns to keep."),
    ] = None,
    early_stop: Annotated[
        bool, typer.Option("--early-stop/--no-early-stop", help="Stop when nothing improves.")
    ] = True,
    small: Annotated[
        bool, typer.Option("--small", help="Keep only what a swap needs: 2 bytes a weight.")
    ] = False,
) -> None:
    """Train a network on two people. Interrupt at will: the same command goes on."""
    from generator.show import training_bar
    from generator.train_config import TrainConfig

    config = TrainConfig(
        model=model, like=like, batch=batch, seed=seed, lr=lr, loss=loss, precision=precision,
        steps=steps, budget=None if budget is None else parse_duration(budget),
        patience=10 if early_stop else sys.maxsize,
        occluders=None if occluders is None else str(occluders),
    )
    consent = [consent_a, consent_b][: len(people)]
    if method not in _TRAINED:
        raise UsageError(f"method {method!r} is not trained; one of: {', '.join(_TRAINED)}")
    with training_bar(config) as hook:
        progress = _TRAINED[method](
            people, out, config, consent=consent, encoder=from_encoder, small=small, hook=hook
        )
    _finished(progress, out)


def _autoencoder(
    people: list[Path], out: Path, config: TrainConfig, *, small: bool, **rest: Any
) -> Progress:
    from generator.train import train as run

    def warn(doubt: str) -> None:
        note(f"warning: {doubt}")

    return run(people, out, config, keep_state=not small, notice=warn, **rest)


def _style(
    people: list[Path],
    out: Path,
    config: TrainConfig,
    *,
    consent: list[Path | None],
    encoder: Path | None,
    small: bool,
    hook: Callable[[Progress], None],
) -> Progress:
    from generator.style_net import StyleConfig
    from generator.style_train import STATE, train_style_sets

    if encoder is not None:
        raise UsageError("--from-encoder is for --method autoencoder")
    usual = StyleConfig()
    own = StyleConfig(
        seed=config.seed,
        batch=min(config.batch, _STYLE_BATCH),
        rate=config.lr or usual.rate,
        steps=config.steps or sys.maxsize,
        budget=config.budget or (math.inf if config.steps else usual.budget),
    )
    progress = train_style_sets(people, out, own, consent=consent, hook=hook)
    if small and progress.stopped != "interrupted":
        (out / STATE).unlink(missing_ok=True)
    return progress


_TRAINED: dict[str, Callable[..., Progress]] = {"autoencoder": _autoencoder, "style": _style}


def pretrain(
    people: Annotated[list[Path], typer.Argument(help="Face sets, one a person.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Checkpoint folder.")],
    model: Annotated[str, typer.Option(help="The model that pairs will use.")] = "tiny",
    budget: Annotated[str | None, typer.Option(help="Stop after this time.")] = None,
    steps: Annotated[int | None, typer.Option(help="Stop after so many steps.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same training.")] = 0,
    batch: Annotated[int, typer.Option(help="Pairs a person and step.")] = 8,
    consent: Annotated[Path | None, typer.Option(help="A record that covers everybody.")] = None,
    portraits: Annotated[
        bool,
        typer.Option("--portraits", help="One set of many people: NAME_anything.jpg is NAME."),
    ] = False,
) -> None:
    """Train an encoder over many people, for: train A B --from-encoder OUT/encoder."""
    from generator.faceset import FaceSet, read_faceset
    from generator.pretrain import pretrain as run
    from generator.pretrain import split_people
    from generator.show import training_bar
    from generator.train_config import TrainConfig

    config = TrainConfig(
        model=model, batch=batch, seed=seed, steps=steps,
        budget=None if budget is None else parse_duration(budget), patience=sys.maxsize,
    )
    sets: list[Path | FaceSet] = list(people)
    if portraits:
        sets = [part for folder in people for part in split_people(read_faceset(folder))]
    with training_bar(config) as hook:
        progress = run(sets, out, config, consent=consent, hook=hook)
    _finished(progress, out)


def _finished(progress: Any, out: Path) -> None:
    typer.echo(f"{out}: step {progress.step}, {progress.stopped}")
    if progress.stopped == "interrupted":
        note("saved; the same command goes on from here")
        raise typer.Exit(INTERRUPTED)


def note(text: str) -> None:
    """Say one line beside the data."""
    typer.echo(one_line(text), err=True)
