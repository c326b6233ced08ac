"""The training loop: two people, one encoder, and the loss of each.

Read `generator.models._network` first, then `fit` below. Everything else in this file is there so
that a training can be stopped at any moment and go on as if nothing had happened.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.errors import UnreadableInputError, UsageError
from generator.checkpoint import Card, load_tensors, read_card, save_checkpoint
from generator.faceset import FaceSet, read_faceset
from generator.files import write_file
from generator.identity_axis import IdentityAxis
from generator.losses import LOSSES, ssim_map
from generator.models import create_model
from generator.models._network import Swapper
from generator.preview import write_loss_plot, write_preview
from generator.train_config import Best, Hook, Progress, TrainConfig
from generator.train_data import Batch, FacePool, prefetch
from generator.train_setup import (
    check_different,
    check_people,
    describe_person,
    doubts,
    hold_out,
    settled,
    spread,
    templates_of,
)

EMA_EVERY = 5
"""Steps between two updates of the averaged weights; each one reads every weight once."""
MASK_WEIGHT = 4.0
"""Weight of the masks' squared error beside the faces' loss: most of a mask is easy background."""


class Training:
    """A network, its optimiser, its faces and its place in time.

    Args:
        facesets: One a person, in the order A, B.
        config: Settings.
        people: Card entries: name, consent hash, clip hashes.
        resume: Checkpoint folder to go on from.
        encoder: Weights of a pretrained encoder, or None.
    """

    def __init__(
        self,
        facesets: Sequence[FaceSet],
        config: TrainConfig,
        people: Sequence[dict[str, Any]],
        *,
        overrides: dict[str, Any] | None = None,
        encoder: dict[str, Tensor] | None = None,
    ) -> None:
        self.config, self.people = config, list(people)
        self.model = create_model(
            config.model, seed=config.seed, like=config.like, **(overrides or {})
        )
        if encoder is not None:
            _adopt(self.model, encoder)
        self.model.to(memory_format=torch.channels_last)
        self.average = _copy_of(self.model)
        self.weights: list[Tensor] = list(self.model.parameters())
        self.averaged: list[Tensor] = list(self.average.parameters())
        net = self.model.config
        self.optimiser = torch.optim.Adam(
            self.weights, lr=config.lr or net.lr, betas=config.betas, fused=True
        )
        self.bf16 = config.precision == "bf16" or (config.precision == "auto" and fast_bf16())
        split = [hold_out(s) for s in facesets]
        self.templates = templates_of(config, net.mask)
        self.pools = [
            FacePool(train, net.size, occlude=net.mask, templates=self.templates)
            for train, _ in split
        ]
        self.held_out = [FacePool(held, net.size) for _, held in split]
        self.progress = Progress()
        self.best = Best()
        self.log: list[tuple[int, int, float]] = []  # step, person, loss
        self.looks: list[dict[str, float]] = []

    def step(self, batches: dict[int, Batch]) -> None:
        """Do one step on one batch of each person."""
        loss_of, people = LOSSES[self.config.loss], list(batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            rebuilt = self.model.step([_tensor(b.inputs) for b in batches.values()], people)
        losses = []
        for picture, batch in zip(rebuilt, batches.values(), strict=True):
            picture = picture.float()  # 16 bits are too coarse for the variances of SSIM
            loss = loss_of(picture[:, :3], _tensor(batch.targets), _tensor(batch.weights))
            if self.model.config.mask:
                # One row of masks for every branch (see `Swapper.step`), and one truth.
                loss = loss + MASK_WEIGHT * ((picture[:, 3:] - _tensor(batch.masks)) ** 2).mean()
            losses.append(loss)
        torch.autograd.backward(torch.stack(losses).sum())
        torch.nn.utils.clip_grad_norm_(self.weights, self.config.clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)

        progress = self.progress
        progress.losses = [(p, float(x.detach())) for p, x in zip(people, losses, strict=True)]
        self.log += [(progress.step, p, x) for p, x in progress.losses]
        progress.step += 1
        if progress.step % EMA_EVERY == 0:
            # A young average follows fast, an old one slowly.
            decay = min(self.config.ema, (1 + progress.step) / (10 + progress.step)) ** EMA_EVERY
            with torch.no_grad():
                torch._foreach_lerp_(self.averaged, self.weights, 1.0 - decay)

    def swap(self, faces: NDArray[np.float32], person: int) -> NDArray[np.float32]:
        """Paint (n, h, w, 3) faces as ``person`` with the averaged weights."""
        with torch.no_grad():
            painted = self.average(_tensor(faces), person)[:, :3]
        return np.asarray(painted.permute(0, 2, 3, 1).contiguous(), np.float32)

    def validate(self) -> dict[str, float]:
        """Look at held-out faces: how well they are rebuilt, how far a swap moves."""
        views = [pool.views(range(pool.count)) for pool in self.held_out[:2]]
        scores = []
        for person, faces in enumerate(views):
            rebuilt = self.swap(faces, person)
            scores.append(float(ssim_map(_tensor(rebuilt), _tensor(faces)).mean()))
        quality = {"step": float(self.progress.step), "ssim": float(np.mean(scores))}
        if len(views) == 2:
            own = [pool.views(spread(pool.count, 64)) for pool in self.pools[:2]]
            axis = IdentityAxis(own[0], own[1])
            to_b, to_a = axis.place(self.swap(views[0], 1)), axis.place(self.swap(views[1], 0))
            quality["moved"] = (to_b + 1.0 - to_a) / 2.0
        return quality

    def save(self, folder: Path, *, final: bool = False) -> Card:
        """Write checkpoint, losses, loss plot and preview. ``final`` leaves the optimiser out."""
        write_file(folder / "losses.csv", lambda part: part.write_text(self._csv()))
        write_loss_plot(folder / "loss.png", self._curves())
        self._preview(folder / "preview.png")
        training = {
            **asdict(self.config),
            "lr": self.optimiser.param_groups[0]["lr"],
            "precision": "bf16" if self.bf16 else "fp32",
            "templates": sorted(t.name for t in self.templates),
            "step": self.progress.step,
            "seconds": round(self.progress.seconds, 3),
            "best": asdict(self.best),
            "looks": self.looks,
            "stopped": self.progress.stopped,
        }
        card = Card(self.config.model, self.model.config, tuple(self.people), training)
        state = None if final else self._state()
        return save_checkpoint(folder, card, dict(self.average.state_dict()), state)

    def _state(self) -> dict[str, Tensor]:
        state = {f"weights.{k}": v for k, v in self.model.state_dict().items()}
        state |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for i, moments in self.optimiser.state_dict()["state"].items():
            state |= {f"adam.{i}.{k}": v for k, v in moments.items()}
        # No step draws from it today; kept so that a layer which does (dropout) stays exact.
        state["rng"] = torch.get_rng_state()
        return state

    def resume(self, folder: Path, card: Card, files: dict[str, str]) -> None:
        """Take over the state of a checkpoint, to the last bit.

        Raises:
            UnreadableInputError: Corrupt, without optimiser state, or of other people.
        """
        if [p["faces_sha256"] for p in card.people] != [p["faces_sha256"] for p in self.people]:
            raise UsageError(f"{folder}: was trained on other faces; give another --out")
        state = load_tensors(folder, card, files, "state")

        def part(prefix: str) -> dict[str, Tensor]:
            return {
                k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)
            }

        try:
            self.model.load_state_dict(part("weights."))
            self.average.load_state_dict(part("average."))
            moments: dict[int, dict[str, Tensor]] = {}
            for key, value in part("adam.").items():
                number, name = key.split(".")
                i = int(number)
                if value.ndim:
                    # The fused Adam walks through memory: a moment has to lie as its weight does.
                    value = torch.empty_like(self.weights[i]).copy_(value)
                moments.setdefault(i, {})[name] = value
            groups = self.optimiser.state_dict()["param_groups"]
            self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
            torch.set_rng_state(state["rng"])
            self.progress.step = int(card.training["step"])
            self.progress.seconds = float(card.training["seconds"])
            self.best = Best(**card.training["best"])
            self.looks = list(card.training["looks"])
            self.log = _read_log(folder / "losses.csv", self.progress.step)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            cause = str(error).splitlines()[0]
            raise UnreadableInputError(folder, f"corrupt checkpoint ({cause})") from error

    def _csv(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["step", "person", "loss"])
        writer.writerows((s, p, repr(x)) for s, p, x in self.log)
        return text.getvalue()

    def _curves(self) -> list[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
        log = np.array(self.log, np.float64).reshape(-1, 3)
        curves = []
        for person in range(min(2, len(self.pools))):
            own = log[log[:, 1] == person]
            width = max(1, len(own) // 300)
            smooth = own[: len(own) // width * width].reshape(-1, width, 3).mean(1)
            curves.append((f"loss {'AB'[person]}", smooth[:, 0], smooth[:, 2]))
        return curves

    def _preview(self, path: Path) -> None:
        columns = []
        views = [pool.views(spread(pool.count, 6)) for pool in self.held_out[:2]]
        for own, faces in enumerate(views):
            columns.append(("AB"[own], faces))
            for other in (own, 1 - own) if len(views) == 2 else (own,):
                columns.append((f"{'AB'[own]}->{'AB'[other]}", self.swap(faces, other)))
        rows = max(len(faces) for _, faces in columns)
        columns = [(name, faces[np.arange(rows) % len(faces)]) for name, faces in columns]
        write_preview(path, columns, note=f"step {self.progress.step}")


def fit(training: Training, folder: Path, hook: Hook | None = None) -> Progress:
    """Run until a limit, an early stop, or Ctrl-C; the last state is always saved."""
    config, progress = training.config, training.progress
    batches = prefetch(
        training.pools, config.seed, progress.step, config.batch, config.most_people
    )
    before, started = progress.seconds, time.monotonic()
    saved = started
    try:
        while not (stop := _limit(config, progress)):
            training.step(next(batches))
            now = time.monotonic()
            progress.seconds = before + now - started
            if progress.step % config.validate_every == 0:
                progress.quality = training.validate()
                training.looks.append(progress.quality)
                waited = training.best.flat(progress.quality)
                if waited >= config.patience and progress.step >= config.min_steps:
                    stop = "no progress any more"
            if hook is not None:
                hook(progress)
            if stop:
                break
            if now - saved > config.save_every:
                training.save(folder)
                saved = time.monotonic()
        progress.stopped = stop
    except KeyboardInterrupt:
        progress.stopped = "interrupted"
    finally:
        batches.close()
    training.save(folder)
    return progress


def train(
    people: Sequence[Path | FaceSet],
    out: Path,
    config: TrainConfig | None = None,
    *,
    consent: Sequence[Path | None] = (),
    encoder: Path | None = None,
    keep_state: bool = True,
    overrides: dict[str, Any] | None = None,
    hook: Hook | None = None,
    notice: Callable[[str], None] | None = None,
) -> Progress:
    """Train on face sets, or go on with the training that lies in ``out``.

    Args:
        people: Face set of A, of B (or their folders); a single one for `plain`.
        out: Checkpoint folder.
        config: Settings; on resume only its limits count.
        consent: One record a person; a missing one is looked for in the face set.
        encoder: Checkpoint folder whose encoder is taken over (see `generator.pretrain`).
        keep_state: Keep what is needed to go on; without it the folder holds 2 bytes a weight.
        overrides: Fields of the network's configuration to replace.
        hook: Called after every step.
        notice: Called with each doubt about the face sets, one line each.

    Raises:
        UsageError: No consent, wrong number of people, too few faces.
        UnreadableInputError: Damaged face set or checkpoint.
        OutputError: The checkpoint cannot be written.
    """
    config = config or TrainConfig()
    facesets = [p if isinstance(p, FaceSet) else read_faceset(p) for p in people]
    records = [*consent, *[None] * (len(facesets) - len(consent))]
    described = [describe_person(s, c) for s, c in zip(facesets, records, strict=True)]
    check_people(facesets, config, overrides or {})
    if len(facesets) == 2:  # portraits of many people may well share a file
        check_different(facesets)
    if notice is not None:
        for doubt in doubts(facesets):
            notice(doubt)
    old = read_card(out) if (out / "model.json").exists() else None
    if old is not None:
        config = settled(old[0], config)
    weights = None
    if encoder is not None and old is None:
        card, files = read_card(encoder)
        weights = load_tensors(encoder, card, files, "weights")
    training = Training(facesets, config, described, overrides=overrides, encoder=weights)
    if old is not None:
        training.resume(out, *old)
    progress = fit(training, out, hook)
    if not keep_state and progress.stopped != "interrupted":
        training.save(out, final=True)
    return progress


def fast_bf16() -> bool:
    """Return whether this processor multiplies 16-bit floats itself; elsewhere they are slower."""
    return any(
        getattr(torch.cpu, f"_is_{name}_supported", bool)() for name in ("avx512_bf16", "amx_tile")
    )


def _limit(config: TrainConfig, progress: Progress) -> str:
    if config.steps is not None and progress.step >= config.steps:
        return "steps done"
    if config.budget is not None and progress.seconds >= config.budget:
        return "budget used"
    return ""


def _tensor(pictures: NDArray[np.float32]) -> Tensor:
    """(n, h, w, c) array to (n, c, h, w) tensor; already channels-last, so nothing is copied."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def _copy_of(model: Swapper) -> Swapper:
    copy = Swapper(model.config).to(memory_format=torch.channels_last)
    copy.load_state_dict(model.state_dict())
    return copy.requires_grad_(False).eval()


def _adopt(model: Swapper, weights: dict[str, Tensor]) -> None:
    """Take a pretrained encoder over."""
    own = {k[len("encoder.") :]: v.float() for k, v in weights.items() if k.startswith("encoder.")}
    try:
        model.encoder.load_state_dict(own)
    except RuntimeError as error:
        raise UsageError(
            f"the pretrained encoder does not fit this model ({str(error).splitlines()[0]})"
        ) from None


def _read_log(path: Path, steps: int) -> list[tuple[int, int, float]]:
    """Losses up to a step; later ones belong to work that the interruption undid."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = [(int(r["step"]), int(r["person"]), float(r["loss"])) for r in csv.DictReader(file)]
    return [row for row in rows if row[0] < steps]
