"""Train the `blend` detector on pairs made from lawful portraits.

``python -m forensics.training.train --faces FOLDER --out runs/blend --budget 60m``

The learning rate follows the spent share of the budget. An interrupted run goes on from its last
checkpoint when the same command is given again. Batches are a pure function of seed and step.
"""

from __future__ import annotations

import hashlib
import json
import math
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import DataLoader

from forensics.training import checkpoint
from forensics.training.allocator import keep_memory
from forensics.training.batches import Batch, PairDataset, validate, validation_pairs
from forensics.training.budget import seconds
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import SHARES, Material
from forensics.training.footage import read_faces
from forensics.training.model import SIZE, BlendNet, load_averaged, load_imagenet
from forensics.training.occluders import load_templates
from forensics.training.painter import Painter
from forensics.training.pairs import PairSource
from forensics.training.portraits import build_cache, load_cache
from forensics.training.precision import keep_float32
from forensics.training.recipe import Recipe
from forensics.training.setting import Setting
from forensics.training.teach import Teachers, imitation
from forensics.training.unfold import load_exported

_THINGS = "MIT, templates of face masks and glasses"
_LONGEST = 30.0  # seconds that one step may count for


def losses(
    logits: Tensor, maps: Tensor, labels: Tensor, targets: Tensor, recipe: Recipe
) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy on the score, on the maps, and the ranking of each pair's two scores."""
    smooth = labels * 0.96 + 0.02
    score = nn.functional.binary_cross_entropy_with_logits(logits, smooth)
    drawn = nn.functional.binary_cross_entropy_with_logits(maps, targets)
    real, fake = logits.chunk(2)
    rank = nn.functional.softplus(1.0 - (fake - real)).mean()
    total = score + recipe.map_weight * drawn + recipe.rank_weight * rank
    return total, {
        "score": float(score.detach()), "map": float(drawn.detach()), "rank": float(rank.detach())
    }


@torch.no_grad()
def average_into(ema: nn.Module, net: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the current ones; integer buffers are copied."""
    for kept, new in zip(ema.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


def train(
    faces: Path,
    out: Path,
    *,
    budget: float,
    recipe: Recipe,
    workers: int,
    console: Console,
    start: Path | None = None,
    painter: Path | None = None,
    painted: float = 0.6,
    occluders: Path | None = None,
    footage: Sequence[Path] = (),
    teachers: Sequence[Path] = (),
) -> Path:
    """Run or continue a training and return the last checkpoint's path.

    Args:
        faces: Folder of portrait sets.
        out: Folder of the run: cache, checkpoint, log.
        budget: Seconds of training in all.
        recipe: What to do.
        workers: Processes that make pairs.
        console: Where progress goes.
        start: Checkpoint whose averaged weights, or exported network (.onnx), a new run starts
            from, instead of ImageNet's weights.
        painter: Weights of `forensics.training.painter`; without, eigenfaces repaint alone.
        painted: Share of the repainted faces that the painter makes, 0..1.
        occluders: Folder with templates of masks and glasses; without, things are only drawn.
        footage: Clips of the GRID corpus whose frames are used like portraits.
        teachers: Networks whose mean is imitated, see `forensics.training.teach`.

    Raises:
        FileNotFoundError: No portraits.
    """
    cache = out / "cache"
    if not (cache / "portraits.json").exists():
        with console.status("finding faces in the portraits"):
            build_cache(faces, cache)
    portraits = load_cache(cache, ["train"])
    with console.status("cutting faces out of the footage"):
        portraits += read_faces(footage)
    linear = Eigenfaces(portraits, seed=recipe.seed)
    coder = linear if painter is None else Painter(painter, linear, share=painted)
    material = Material(portraits, coder)
    with console.status("making the validation pairs"):
        checks = validation_pairs(load_cache(cache, ["validate"]), linear, recipe.seed)

    example = checks["auc"][0][0].float()
    staff = Teachers(teachers, example, bfloat16=recipe.bfloat16)
    torch.manual_seed(recipe.seed)
    net = BlendNet()
    if start is None:
        initial = load_imagenet(net)
    elif start.suffix == ".onnx":
        load_exported(net, start, example)
        digest = hashlib.sha256(start.read_bytes()).hexdigest()
        initial = f"exported weights of sha256 {digest[:12]}, themselves from ImageNet's"
    else:
        before, earlier = load_averaged(start)
        net.load_state_dict(before.state_dict())
        initial = f"{earlier['initial']}, then {earlier['step']} steps of an earlier run"
    ema = BlendNet()
    ema.load_state_dict(net.state_dict())
    net.to(memory_format=torch.channels_last)
    ema.to(memory_format=torch.channels_last)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.decay},
              {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, fused=True)

    path = out / "checkpoint.safetensors"
    facts: dict[str, Any] = {"step": 0, "spent": 0.0, "log": []}
    if path.exists():
        facts = checkpoint.load(path, net=net, ema=ema, optimizer=optimizer)
        console.print(f"going on from step {facts['step']}, {facts['spent'] / 60:.1f} min spent")
    facts |= {"recipe": asdict(recipe), "initial": initial, "shares": SHARES, "size": SIZE,
              "budget": budget, "portraits": len(portraits),
              "licences": sorted(
                  {p.licence for p in portraits} | ({_THINGS} if occluders else set())
              ),
              "painter": None if painter is None
              else hashlib.sha256(painter.read_bytes()).hexdigest(),
              "painted": 0.0 if painter is None else painted, "teachers": staff.digests}
    setting = Setting(
        things=load_templates(occluders, "train"), covered=recipe.covered, treated=recipe.treated,
        disturbed=recipe.disturbed, lit=recipe.lit, defocused=recipe.defocused,
    )
    source = PairSource(portraits, material, size=SIZE, mild=recipe.mild, setting=setting,
                        filmed=recipe.filmed, mingled=recipe.mingled)
    if recipe.bfloat16:
        keep_float32(net)
    dataset = PairDataset(source, recipe, facts["step"], 10**7)
    loader: DataLoader[Batch] = DataLoader(
        dataset, batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None
    )
    stop = {"now": False}
    signal.signal(signal.SIGTERM, lambda *_: stop.update(now=True))
    try:
        _loop(net, ema, optimizer, iter(loader), checks, facts, recipe, budget, path, console, stop,
              staff)
    except KeyboardInterrupt:
        console.print("interrupted: the same command goes on from the last checkpoint")
    return path


def _loop(
    net: BlendNet,
    ema: BlendNet,
    optimizer: torch.optim.Optimizer,
    batches: Iterator[Batch],
    checks: Mapping[str, list[Batch]],
    facts: dict[str, Any],
    recipe: Recipe,
    budget: float,
    path: Path,
    console: Console,
    stop: dict[str, bool],
    staff: Teachers,
) -> None:
    last = saved = time.monotonic()
    running = dict[str, float]()
    net.train()
    while facts["spent"] < budget and not stop["now"]:
        share = facts["spent"] / budget
        ramp = min(1.0, (facts["step"] + 1) / recipe.warm)
        rate = recipe.rate * ramp * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        images, labels, targets = next(batches)
        x = images.float().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.bfloat16):
            logits, maps = net(x)
        loss, parts = losses(logits.float(), maps.float(), labels, targets, recipe)
        if staff:
            copied = imitation(logits.float(), maps.float(), staff(x), recipe.map_weight)
            loss = recipe.taught * copied + (1 - recipe.taught) * loss
            parts["taught"] = float(copied.detach())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        facts["step"] += 1
        average_into(ema, net, min(recipe.average, (1 + facts["step"]) / (10 + facts["step"])))
        now = time.monotonic()
        facts["spent"] += min(now - last, _LONGEST)  # a paused run spends nothing of its budget
        last = now
        for key, value in parts.items():
            running[key] = running.get(key, value) * 0.98 + value * 0.02
        if facts["step"] % 20 == 0:
            left = (budget - facts["spent"]) / 60
            told = "  ".join(f"{name} {value:.3f}" for name, value in running.items())
            console.print(
                f"step {facts['step']:6d}  {told}  lr {rate:.1e}  {left:.1f} min left"
            )
        if time.monotonic() - saved > 240 or facts["spent"] >= budget or stop["now"]:
            found = {name: validate(ema, batches) for name, batches in checks.items()}
            net.train()
            facts["log"].append({"step": facts["step"], "spent": facts["spent"], **found})
            told = ", ".join(f"{name} {auc:.4f}" for name, auc in found.items())
            console.print(f"held-out portraits of the validation split: {told}")
            checkpoint.save(path, net=net, ema=ema, optimizer=optimizer, facts=facts)
            last = saved = time.monotonic()
    (path.parent / "log.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def main(
    faces: Annotated[Path, typer.Option(help="Folder of portrait sets.")],
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/blend"),
    budget: Annotated[str, typer.Option(help="Time to train in all, such as 60m.")] = "60m",
    seed: Annotated[int, typer.Option(help="Seed of data and order.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that make pairs.")] = 1,
    rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 4e-4,
    start: Annotated[
        Path | None,
        typer.Option(help="Start a new run from this checkpoint's averaged weights, or .onnx."),
    ] = None,
    painter: Annotated[
        Path | None, typer.Option(help="Weights of the painter, see forensics.training.painter.")
    ] = None,
    painted: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of repainted faces the painter makes.")
    ] = 0.6,
    mild: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the pairs that are lightly coded.")
    ] = 0.4,
    covered: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share with a thing before the face.")
    ] = 0.0,
    treated: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share that an app has changed.")
    ] = 0.0,
    disturbed: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share with much noise or an older codec.")
    ] = 0.0,
    occluders: Annotated[
        Path | None, typer.Option(help="Folder with masks/ and glasses/ to put before faces.")
    ] = None,
    lit: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share under lamps of several colours.")
    ] = 0.0,
    filmed: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share made from what looks like footage.")
    ] = 0.0,
    defocused: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share out of focus.")
    ] = 0.0,
    mingled: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share mingled with another face.")
    ] = 0.0,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="Checkpoint or .onnx to imitate; repeated, the mean of all."),
    ] = None,
    footage: Annotated[
        list[Path] | None, typer.Option(help="A clip of the GRID corpus to use; repeat it.")
    ] = None,
    bfloat16: Annotated[
        bool, typer.Option("--bfloat16", help="Multiply in bfloat16: faster on CPUs with AMX.")
    ] = False,
) -> None:
    """Train the blend detector, or go on with an interrupted run."""
    console = Console(stderr=True)
    keep_memory()
    path = train(
        faces, out, budget=seconds(budget), recipe=Recipe(
            seed=seed, rate=rate, mild=mild, covered=covered, treated=treated,
            disturbed=disturbed, lit=lit, filmed=filmed, defocused=defocused, mingled=mingled,
            bfloat16=bfloat16,
        ),
        workers=workers, console=console, start=start, painter=painter, painted=painted,
        occluders=occluders, footage=footage or (), teachers=teacher or (),
    )
    console.print(f"wrote {path}; export it with `python -m forensics.training.export`")


if __name__ == "__main__":
    typer.run(main)
