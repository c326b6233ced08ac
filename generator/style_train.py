"""Train a style network, with a state that can go on after a kill.

The state holds weights, both moments of Adam and the step; batches depend on seed and step alone,
so a training that was interrupted repeats an uninterrupted one.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from forensics.errors import UnreadableInputError, UsageError
from generator.consent import ConsentRecord, load_consent
from generator.faceset import FaceSet, read_faceset
from generator.files import write_file
from generator.methods.style import face_view, save_style
from generator.preview import write_loss_plot, write_preview
from generator.style_features import Features
from generator.style_net import (
    StyleConfig,
    StyleNet,
    as_tensor,
    light_loss,
    patch_loss,
    repaint,
    total_variation,
)
from generator.train_config import Progress
from generator.train_setup import spread

Hook = Callable[[int, dict[str, float]], None]
STATE = "style-state.safetensors"
_MIN_FACES = 4
_SHOWN = 6


class StyleTraining:
    """A style network, its optimiser, its faces and its place in time.

    Args:
        source: (m, s, s, 3) aligned photos of the person to be painted, ``uint8``.
        faces: (n, s, s, 3) aligned faces of anybody.
        config: Settings.
        features: The judging network; made from the settings when None.

    Raises:
        UsageError: No source photo, or faces of another size.
    """

    def __init__(
        self,
        source: NDArray[np.uint8],
        faces: NDArray[np.uint8],
        config: StyleConfig,
        features: Features | None = None,
    ) -> None:
        shape = (config.size, config.size, 3)
        for name, pictures in (("source", source), ("faces", faces)):
            if not len(pictures) or pictures.shape[1:] != shape:
                raise UsageError(f"{name} must hold pictures of {shape}, got {pictures.shape}")
        self.config, self.faces = config, faces
        self.judge = features if features is not None else Features(config.features)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.net = StyleNet(config.width, config.blocks)
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=config.rate)
        self.log: list[dict[str, float]] = []
        self.seconds = 0.0
        photos = as_tensor(source)
        with torch.no_grad():
            self._wanted = self.judge(torch.cat([photos, photos.flip(3)]))

    def step(self) -> dict[str, float]:
        """Do one step; returns its losses by name."""
        config, spec = self.config, self.judge.spec
        order = np.random.default_rng([config.seed, len(self.log)])
        batch = as_tensor(self.faces[order.integers(len(self.faces), size=config.batch)])
        batch = batch.flip(3) if order.random() < 0.5 else batch
        made = self.net(batch)
        seen = self.judge(made)
        with torch.no_grad():
            kept = self.judge(batch)[spec.content]
        near = [patch_loss(seen[s], self._wanted[s], config.reach) for s in spec.style]
        parts: dict[str, Tensor] = {
            # Scaled by the features' own size, so the weights hold for any backbone.
            "content": config.content
            * functional.mse_loss(seen[spec.content], kept)
            / kept.square().mean(),
            "style": config.style * torch.stack(near).mean(),
            "light": config.light * light_loss(made, batch),
            "smooth": config.smooth * total_variation(made),
        }
        loss = torch.stack(list(parts.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        values = {name: float(part.detach()) for name, part in parts.items()}
        self.log.append({"loss": float(loss.detach()), **values})
        return self.log[-1]

    @property
    def facts(self) -> dict[str, Any]:
        """What goes into the network's card."""
        return {
            "config": asdict(self.config),
            "steps": len(self.log),
            "seconds": round(self.seconds, 1),
            "first": self.log[0] if self.log else {},
            "last": self.log[-1] if self.log else {},
            "feature_network": self.judge.spec.name,
            "feature_sha256": self.judge.sha256,
            "feature_licence": self.judge.spec.licence,
        }

    def save_state(self, path: Path, people: str) -> None:
        """Write what is needed to go on. Raises `OutputError`."""
        from safetensors.torch import save_file

        tensors = {f"net.{k}": v.contiguous() for k, v in self.net.state_dict().items()}
        for i, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{i}.{k}": torch.as_tensor(v) for k, v in moments.items()}
        about = {
            "people": people,
            "config": json.dumps(_fixed(self.config)),
            "seconds": repr(self.seconds),
            "log": json.dumps(self.log),
            "sha256": _digest(tensors),
        }
        write_file(path, lambda part: save_file(tensors, part, metadata=about))

    def load_state(self, path: Path, people: str) -> None:
        """Go on from a state.

        Raises:
            UnreadableInputError: Damaged.
            UsageError: Of other faces or settings.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "pt") as file:
                about = file.metadata()
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            if _digest(tensors) != about["sha256"]:
                raise ValueError("the digest does not match")
            same = about["people"] == people and json.loads(about["config"]) == _fixed(self.config)
            log, seconds = json.loads(about["log"]), float(about["seconds"])
            if same:
                self.net.load_state_dict(_part(tensors, "net."))
                moments: dict[int, dict[str, Tensor]] = {}
                for key, value in _part(tensors, "adam.").items():
                    number, name = key.split(".")
                    moments.setdefault(int(number), {})[name] = value
                groups = self.optimiser.state_dict()["param_groups"]
                self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
            cause = str(error).splitlines()[0]
            raise UnreadableInputError(path, f"corrupt checkpoint ({cause})") from error
        if not same:
            raise UsageError(f"{path}: of other faces or settings; give another --out")
        self.log, self.seconds = log, seconds


def train_style(
    source: NDArray[np.uint8],
    faces: NDArray[np.uint8],
    config: StyleConfig | None = None,
    *,
    features: Features | None = None,
    hook: Hook | None = None,
) -> tuple[StyleNet, dict[str, Any]]:
    """Train a network that repaints faces as the source person, in memory.

    Args:
        source: (m, s, s, 3) aligned photos of the source person, ``uint8``.
        faces: (n, s, s, 3) aligned faces of anybody.
        config: Settings.
        features: The judging network; made from the settings when None.
        hook: Called after each step with its number and losses.

    Returns:
        The network and the facts for its card.

    Raises:
        UsageError: No source photo, or faces of another size.
    """
    training = StyleTraining(source, faces, config or StyleConfig(), features)
    began = time.monotonic()
    while len(training.log) < training.config.steps and training.seconds < training.config.budget:
        losses = training.step()
        training.seconds = time.monotonic() - began
        if hook is not None:
            hook(len(training.log) - 1, losses)
    return training.net.eval(), training.facts


def train_style_sets(
    people: Sequence[Path],
    out: Path,
    config: StyleConfig | None = None,
    *,
    consent: Sequence[Path | None] = (),
    features: Features | None = None,
    save_every: float = 60.0,
    hook: Callable[[Progress], None] | None = None,
) -> Progress:
    """Train on face sets, or go on with the training that lies in ``out``.

    Args:
        people: Face sets of anybody whose faces are repainted, and last the one to be painted.
        out: Folder of the method's checkpoint.
        config: Settings; on resume only steps and budget may differ.
        consent: One record a person; a missing one is looked for in the face set.
        features: The judging network; made from the settings when None.
        save_every: Seconds between two checkpoints.
        hook: Called after every step.

    Raises:
        UsageError: Fewer than two face sets, too few faces, no consent.
        UnreadableInputError: A damaged face set or state.
        OutputError: The checkpoint cannot be written.
    """
    config = config or StyleConfig()
    if len(people) < 2:
        raise UsageError("method 'style' needs face sets: those to repaint, and last the source")
    sets = [read_faceset(folder) for folder in people]
    asked = [*consent, *[None] * (len(sets) - len(consent))]
    records = [load_consent(c or s.consent) for s, c in zip(sets, asked, strict=True)]
    for faceset in sets:
        if len(faceset) < _MIN_FACES:
            raise UsageError(f"{faceset.path}: {len(faceset)} faces are too few for a style")
    faces = np.concatenate([_views(s, config.size) for s in sets[:-1]])
    source = _views(sets[-1], config.size)
    source = source[spread(len(source), config.photos)]
    digest = hashlib.sha256(source.tobytes() + faces.tobytes()).hexdigest()
    training = StyleTraining(source, faces, config, features)
    state = out / STATE
    if state.exists():
        training.load_state(state, digest)
    progress = Progress(len(training.log), training.seconds)
    before, started = training.seconds, time.monotonic()
    saved = started
    try:
        while not (stop := _limit(config, progress)):
            losses = training.step()
            now = time.monotonic()
            progress.step, progress.losses = len(training.log), [(0, losses["loss"])]
            progress.seconds = training.seconds = before + now - started
            if hook is not None:
                hook(progress)
            if now - saved > save_every:
                _save(training, out, digest, records, source)
                saved = time.monotonic()
        progress.stopped = stop
    except KeyboardInterrupt:
        progress.stopped = "interrupted"
    _save(training, out, digest, records, source)
    return progress


def _save(
    training: StyleTraining,
    out: Path,
    digest: str,
    records: Sequence[ConsentRecord],
    source: NDArray[np.uint8],
) -> None:
    """Write the state first: a kill between the two costs steps, never the training."""
    training.save_state(out / STATE, digest)
    save_style(out, training.net, training.facts, consent=records[-1])
    log = [step["loss"] for step in training.log]
    width = max(1, len(log) // 300)
    smooth = np.array(log[: len(log) // width * width], np.float64).reshape(-1, width).mean(axis=1)
    steps = np.arange(len(smooth), dtype=np.float64) * width
    write_loss_plot(out / "loss.png", [("loss", steps, smooth)])
    given = training.faces[spread(len(training.faces), _SHOWN)]
    training.net.eval()
    columns = [("given", given), ("repainted", repaint(training.net, given))]
    columns.append(("source", source[np.arange(len(given)) % len(source)]))
    pictures = [(name, faces.astype(np.float32) / 255.0) for name, faces in columns]
    training.net.train()
    write_preview(out / "preview.png", pictures, note=f"style, step {len(training.log)}")


def _views(faceset: FaceSet, size: int) -> NDArray[np.uint8]:
    return np.stack([face_view(entry.face.crop, size) for entry in faceset.faces])


def _limit(config: StyleConfig, progress: Progress) -> str:
    if progress.step >= config.steps:
        return "steps done"
    return "budget used" if progress.seconds >= config.budget else ""


def _fixed(config: StyleConfig) -> dict[str, Any]:
    """Settings that may not change between two sessions."""
    return {k: v for k, v in asdict(config).items() if k not in ("steps", "budget")}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode())
        digest.update(tensors[key].contiguous().numpy().tobytes())
    return digest.hexdigest()
