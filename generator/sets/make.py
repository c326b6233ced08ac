"""Make a whole set: in parallel, interruptible, and going on where it stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from forensics.errors import ForensicsError, OutputError, UsageError, printable
from forensics.media import open_clip
from generator._stamp import canonical
from generator.consent import load_consent
from generator.files import write_json
from generator.sets.card import write_card
from generator.sets.item import content, make_pair
from generator.sets.manifest import write_manifests
from generator.sets.plan import Pair, draw_pairs
from generator.sets.spec import SetSpec

Hook = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SetResult:
    """What was made.

    Attributes:
        manifest: JSON Lines manifest.
        clips: Clips in it.
        left_out: Why pairs of the plan are missing, by pair number.
    """

    manifest: Path
    clips: int
    left_out: dict[int, str]


def make_set(
    spec: SetSpec, out: Path, *, workers: int = 2, hook: Hook | None = None
) -> SetResult:
    """Make a set, or go on with one.

    The same specification and inputs give the same manifest and the same pictures, however often
    the work was interrupted. Signatures differ, which is why the manifest holds digests of
    pictures and not of files.

    Args:
        spec: What is wanted.
        out: Folder of the set; may hold an unfinished set of the same specification.
        workers: Processes; 1 works in this one.
        hook: Called with (pairs done, pairs in all).

    Raises:
        UsageError: The folder holds something else, or the plan cannot be drawn.
        UnreadableInputError: A clip, model or consent record cannot be read.
        OutputError: The folder cannot be written, or a worker process died twice.
    """
    for person in spec.people:
        load_consent(person.consent)
    digest = hashlib.sha256(canonical(content(asdict(spec))).encode()).hexdigest()
    lengths = {p.name: [open_clip(clip).duration for clip in p.clips] for p in spec.people}
    pairs = draw_pairs(spec, lengths)
    journal = _claim(out, spec, digest)
    todo = [pair for pair in pairs if not _entry(journal, pair).exists()]
    done = len(pairs) - len(todo)
    if hook is not None:
        hook(done, len(pairs))
    for pair, entry in _made(spec, todo, out, workers):
        write_json(_entry(journal, pair), entry)
        done += 1
        if hook is not None:
            hook(done, len(pairs))
    rows: list[dict[str, Any]] = []
    left_out: dict[int, str] = {}
    for pair in pairs:
        entry = json.loads(_entry(journal, pair).read_text(encoding="utf-8"))
        rows += entry.get("rows", [])
        if "left_out" in entry:
            left_out[pair.number] = entry["left_out"]
    manifest = write_manifests(spec.name, rows, out)
    write_card(spec, rows, left_out, digest, out)
    return SetResult(manifest, len(rows), left_out)


def _entry(journal: Path, pair: Pair) -> Path:
    return journal / f"{pair.stem}.json"


def _claim(out: Path, spec: SetSpec, digest: str) -> Path:
    """Make the folder ours, or find that it is: one folder holds one set."""
    label = out / "set.json"
    try:
        if label.exists():
            known = json.loads(label.read_text(encoding="utf-8")).get("spec_sha256")
            if known != digest:
                raise UsageError(f"{printable(out)}: holds a set of another specification")
        elif out.exists() and any(out.iterdir()):
            raise UsageError(f"{printable(out)}: is not empty and holds no set")
        for name in ("real", "fake", ".journal"):
            (out / name).mkdir(parents=True, exist_ok=True)
        for leftover in out.glob(".pair-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if not label.exists():
            facts = {"name": spec.name, "seed": spec.seed, "spec_sha256": digest}
            write_json(label, facts)
    except json.JSONDecodeError as error:
        raise UsageError(f"{printable(label)}: is damaged ({error})") from error
    except OSError as error:
        raise OutputError(f"{printable(out)}: cannot be written: {error.strerror}") from error
    return out / ".journal"


def _attempt(spec: SetSpec, pair: Pair, out: Path) -> dict[str, Any]:
    """Make one pair; footage that cannot be used becomes an entry with the reason."""
    try:
        return {"rows": make_pair(spec, pair, out)}
    except OutputError:
        raise
    except ForensicsError as error:
        for folder in ("real", "fake"):
            for path in (out / folder).glob(f"{pair.stem}.*"):
                path.unlink()
        cause = getattr(error, "cause", None) or str(error)
        return {"left_out": f"{pair.target.name}, {pair.method.name}: {cause}"}


def _made(
    spec: SetSpec, pairs: list[Pair], out: Path, workers: int
) -> Iterator[tuple[Pair, dict[str, Any]]]:
    if workers == 1:
        for pair in pairs:
            yield pair, _attempt(spec, pair, out)
        return
    again: list[Pair] = []
    for tries in (pairs, again):
        yield from _in_processes(spec, tries, out, workers, again if tries is pairs else None)


def _in_processes(
    spec: SetSpec, pairs: list[Pair], out: Path, workers: int, again: list[Pair] | None
) -> Iterator[tuple[Pair, dict[str, Any]]]:
    """Yield finished pairs; those lost with a dying process go to ``again``, once."""
    if not pairs:
        return
    waiting = iter(pairs)
    running: dict[Future[dict[str, Any]], Pair] = {}
    with _pool(workers) as pool:
        try:
            # A short queue: an interruption then has little to wait for.
            for pair in waiting:
                running[pool.submit(_attempt, spec, pair, out)] = pair
                if len(running) >= 2 * workers:
                    break
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    entry = future.result()
                    yield running.pop(future), entry
                    following = next(waiting, None)
                    if following is not None:
                        running[pool.submit(_attempt, spec, following, out)] = following
        except BrokenProcessPool as error:
            if again is None:
                stems = ", ".join(pair.stem for pair in running.values())
                raise OutputError(
                    f"{printable(out)}: a worker process died twice (pairs {stems}); the same "
                    "command goes on"
                ) from error
            again += [*running.values(), *waiting]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_thread)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def _one_thread() -> None:
    """Workers share the cores between them; each one computes on one."""
    import signal

    import cv2
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops; what is begun is finished
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
