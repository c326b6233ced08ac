"""Train the peers, each for the same time: ``python -m benchmarks.peers --cache C --out P``.

All draw from the same portraits, treated by the same chain. Validation people choose nothing here:
the last weights are kept. What a peer saw and how long is in its card.

The time is that of one core, drawing the pairs included: what else the machine does changes how
long it takes by the clock, and not what a peer learns. An interrupted training goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.peers.networks import DESIGNS, build
from benchmarks.peers.simple import SIDE, fit_frequency, spectrum
from forensics.errors import ForensicsError, UnreadableInputError
from forensics.training import checkpoint
from forensics.training.allocator import keep_memory
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import Material
from forensics.training.pairs import PairSource
from forensics.training.portraits import load_cache
from forensics.training.recipe import Recipe

BATCH = 8
_WARM = 20
_SEED = 31
_SAVE_EVERY = 60.0
_MOST = 4000
_LEAST = 100
NAMES = (*DESIGNS, "frequency")


def draw_batch(source: PairSource, step: int, seed: int = _SEED) -> Tensor:
    """Return the (2n, 3, s, s) pictures of a step: real and fake of each pair."""
    drawn = [source.draw((seed, step * BATCH + n)) for n in range(BATCH)]
    both = np.stack([picture for pair in drawn for picture in (pair.real, pair.fake)])
    x = torch.from_numpy(np.ascontiguousarray(both.transpose(0, 3, 1, 2)))
    return x.float().contiguous(memory_format=torch.channels_last)


def train_network(name: str, source: PairSource, out: Path, *, minutes: float) -> dict[str, Any]:
    """Train one network for so many minutes of one core; write its weights, return its card."""
    design = DESIGNS[name]
    torch.manual_seed(_SEED)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    net = build(design).train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=design.rate, weight_decay=1e-4)
    loss_of = nn.BCEWithLogitsLoss()
    half = design.bf16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    y = torch.tensor([0.0, 1.0]).repeat(BATCH)
    path = out / f"{name}.checkpoint.safetensors"
    nothing = nn.Identity()  # the weights are not averaged
    facts: dict[str, Any] = {"step": 0, "spent": 0.0, "losses": []}
    if path.exists():
        facts = checkpoint.load(path, net=net, ema=nothing, optimizer=optimiser)
    begun, before, saved = time.process_time(), facts["spent"], facts["spent"]
    while facts["spent"] < 60 * minutes:
        share = facts["spent"] / (60 * minutes)
        ramp = min((facts["step"] + 1) / _WARM, 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = design.rate * ramp
        x = draw_batch(source, facts["step"])
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = net(x)
        loss = loss_of(logits.float(), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        facts["step"] += 1
        facts["losses"] = [*facts["losses"][-19:], float(loss.detach())]
        facts["spent"] = before + time.process_time() - begun
        if facts["step"] % 20 == 0:
            print(f"{name}: step {facts['step']}, loss {np.mean(facts['losses']):.3f}", flush=True)
        if facts["spent"] - saved > _SAVE_EVERY:
            checkpoint.save(path, net=net, ema=nothing, optimizer=optimiser, facts=facts)
            saved = facts["spent"]
    weights = out / f"{name}.safetensors"
    save_file({key: value.contiguous() for key, value in net.state_dict().items()}, weights)
    path.unlink(missing_ok=True)
    return {
        "name": name,
        "backbone": design.backbone,
        "imagenet": design.imagenet,
        "side": design.side,
        "bf16": half,
        "families": None if design.shares is None else dict(design.shares),
        "cpu_minutes": minutes,
        "steps": facts["step"],
        "pairs_seen": facts["step"] * BATCH,
        "last_loss": float(np.mean(facts["losses"])) if facts["losses"] else None,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }


def train_frequency(source: PairSource, *, minutes: float) -> dict[str, Any]:
    """Fit the frequency baseline on as many pairs as the time gives, 4000 at most."""
    begun = time.process_time()
    features, labels = [], []
    for index in range(_MOST):
        if index >= _LEAST and time.process_time() - begun > 60 * minutes:
            break
        pair = source.draw((_SEED, index))
        features += [spectrum(pair.real), spectrum(pair.fake)]
        labels += [False, True]
    card = fit_frequency(np.stack(features), np.array(labels))
    return {"name": "frequency", "cpu_minutes": minutes, "pairs_seen": len(features) // 2, **card}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is asked for; 2 when there is no portrait cache."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="portrait cache (training run)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--minutes", type=float, default=12.0, help="of one core, for each of them")
    parser.add_argument("--only", help="names, comma-separated")
    options = parser.parse_args(arguments)
    names = (options.only or ",".join(NAMES)).split(",")
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"no peer is called {unknown[0]!r}; known: {', '.join(NAMES)}")
    try:
        portraits = load_cache(options.cache, ["train"])
        if not portraits:
            raise UnreadableInputError(options.cache, "no portrait to train on")
    except (OSError, KeyError, ValueError, ForensicsError) as error:
        parser.error(f"no portrait cache ({error})")
    options.out.mkdir(parents=True, exist_ok=True)
    keep_memory()
    material = Material(portraits, Eigenfaces(portraits))
    for name in names:
        design = DESIGNS.get(name)
        source = PairSource(
            portraits, material, size=design.side if design else SIDE,
            shares=design.shares if design else None, mild=Recipe().mild,
        )  # fmt: skip
        if design:
            card = train_network(name, source, options.out, minutes=options.minutes)
        else:
            card = train_frequency(source, minutes=options.minutes)
        (options.out / f"{name}.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
        print(f"{name}: {card['pairs_seen']} pairs in {options.minutes:g} minutes", flush=True)
    return 0
