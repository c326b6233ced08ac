"""What a person sees while a long job runs. Everything goes to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.train_config import Progress, TrainConfig

_QUIET = 30.0  # seconds between two lines where nobody watches


@contextmanager
def training_bar(config: TrainConfig) -> Iterator[Callable[[Progress], None]]:
    """Show step, losses, validation and the time left; yields the hook for `train`."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    with Bars(
        TextColumn("step {task.fields[step]}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        task = bars.add_task("train", total=1.0, step=0, text="")
        smooth: dict[int, float] = {}
        last = time.monotonic()
        first: tuple[int, float] | None = None

        def hook(progress: Progress) -> None:
            nonlocal last, first
            first = first or (progress.step, progress.seconds)
            for person, loss in progress.losses[:2]:
                smooth[person] = smooth.get(person, loss) * 0.95 + loss * 0.05
            share, left = _share(config, progress, first)
            losses = "  ".join(f"{'AB'[p]} {x:.4f}" for p, x in smooth.items() if p < 2)
            text = f"loss {losses}  {left}{_quality(progress)}"
            bars.update(task, completed=share, step=progress.step, text=text)
            if not console.is_terminal and time.monotonic() - last > _QUIET:
                last = time.monotonic()
                print(f"step {progress.step}  {text}", file=sys.stderr, flush=True)

        yield hook


def _share(
    config: TrainConfig, progress: Progress, first: tuple[int, float]
) -> tuple[float, str]:
    """Share done of the nearer limit, and the time left as text."""
    pace = (progress.seconds - first[1]) / max(progress.step - first[0], 1)
    limits = []
    if config.steps is not None:
        limits.append((progress.step / config.steps, (config.steps - progress.step) * pace))
    if config.budget is not None:
        limits.append((progress.seconds / config.budget, config.budget - progress.seconds))
    if not limits:
        return 0.0, "until it stops improving"
    share, left = max(limits)
    minutes, seconds = divmod(int(max(left, 0.0)), 60)
    return min(share, 1.0), f"{minutes}:{seconds:02d} left"


def _quality(progress: Progress) -> str:
    if not progress.quality:
        return ""
    moved = progress.quality.get("moved")
    text = f"  rebuilt ssim {progress.quality['ssim']:.3f}"
    return text if moved is None else f"{text}  identity moved {moved:.0%}"


@contextmanager
def frame_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show frames done of frames in all; yields the hook for `swap`."""
    from rich.console import Console
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    with Bars(console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=None)

        def hook(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield hook
