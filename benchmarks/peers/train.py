"""Train the peers, each for the same time: ``python -m benchmarks.peers --cache C --out P``.

All draw from the same portraits, treated by the same chain. Validation people choose nothing here:
the last weights are kept. What a peer saw and how long is in its card.
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

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.peers.networks import DESIGNS, SIDE, build
from benchmarks.peers.simple import fit_frequency, spectrum
from forensics.errors import ForensicsError, UnreadableInputError
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import Material
from forensics.training.pairs import PairSource
from forensics.training.portraits import load_cache

_BATCH = 8
_WARM = 20
_SEED = 31
_MANY = 1_000_000
NAMES = (*DESIGNS, "frequency")


class _Pairs(Dataset[torch.Tensor]):
    """Real and fake of a pair as (2, 3, 192, 192) bytes, a pure function of the index."""

    def __init__(self, source: PairSource, seed: int) -> None:
        self._source, self._seed = source, seed

    def __len__(self) -> int:
        return _MANY

    def __getitem__(self, index: int) -> torch.Tensor:
        pair = self._source.draw((self._seed, index))
        both = np.ascontiguousarray(np.stack([pair.real, pair.fake]))
        return torch.from_numpy(both).permute(0, 3, 1, 2)


def train_network(
    name: str, source: PairSource, out: Path, *, minutes: float, workers: int
) -> dict[str, Any]:
    """Train one network for a time, making the data included, and write weights and card."""
    design = DESIGNS[name]
    torch.manual_seed(_SEED)
    net = build(design).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=design.rate, weight_decay=1e-4)
    loss_of = nn.BCEWithLogitsLoss()
    loader = DataLoader(_Pairs(source, _SEED), batch_size=_BATCH, num_workers=workers)
    begun = time.monotonic()
    steps, losses = 0, []
    for batch in loader:
        spent = (time.monotonic() - begun) / (60 * minutes)
        if spent >= 1.0:
            break
        x = batch.flatten(0, 1).float()
        y = torch.tensor([0.0, 1.0]).repeat(len(batch))
        scale = min((steps + 1) / _WARM, 0.5 * (1 + math.cos(math.pi * spent)))
        for group in optimiser.param_groups:
            group["lr"] = design.rate * scale
        loss = loss_of(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
        losses.append(float(loss.detach()))
        if steps % 20 == 0:
            print(f"{name}: step {steps}, loss {np.mean(losses[-20:]):.3f}", flush=True)
    weights = out / f"{name}.safetensors"
    save_file({key: value.contiguous() for key, value in net.state_dict().items()}, weights)
    return {
        "name": name,
        "backbone": design.backbone,
        "imagenet": design.imagenet,
        "families": None if design.shares is None else dict(design.shares),
        "minutes": minutes,
        "steps": steps,
        "pairs_seen": steps * _BATCH,
        "last_loss": float(np.mean(losses[-20:])) if losses else None,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }


def train_frequency(source: PairSource, *, minutes: float) -> dict[str, Any]:
    """Fit the frequency baseline on as many pairs as the time gives, 4000 at most."""
    begun = time.monotonic()
    features, labels = [], []
    for index in range(4000):
        if len(features) >= 200 and time.monotonic() - begun > 60 * minutes:
            break
        pair = source.draw((_SEED, index))
        features += [spectrum(pair.real), spectrum(pair.fake)]
        labels += [False, True]
    card = fit_frequency(np.stack(features), np.array(labels))
    return {"name": "frequency", "minutes": minutes, "pairs_seen": len(features) // 2, **card}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is asked for; 2 when there is no portrait cache."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="portrait cache (training run)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--minutes", type=float, default=8.0, help="for each of them")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw pairs")
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
    material = Material(portraits, Eigenfaces(portraits))
    for name in names:
        shares = DESIGNS[name].shares if name in DESIGNS else None
        source = PairSource(portraits, material, size=SIDE, shares=shares)
        if name in DESIGNS:
            card = train_network(
                name, source, options.out, minutes=options.minutes, workers=options.workers
            )
        else:
            card = train_frequency(source, minutes=options.minutes)
        (options.out / f"{name}.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
        print(f"{name}: {card['pairs_seen']} pairs in {options.minutes:g} minutes", flush=True)
    return 0
