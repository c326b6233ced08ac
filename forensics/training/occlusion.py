"""Fit the `occlusion` detector: where was a covering thing painted over, or melted?

``python -m forensics.training.occlusion --cache CACHE --work WORK --occluders FOLDER``

A small scikit-learn network learns to read the first blocks of an ImageNet network cell by cell;
then all layers go on together, and a logistic regression reads the map. Failures are set against
the same things unswapped and swapped around, so that a thing by itself says nothing.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import track
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from torch import Tensor, nn

from forensics.detectors.occlusion import map_statistics
from forensics.evaluation.metrics import average_precision, roc_auc
from forensics.training.allocator import keep_memory
from forensics.training.eigenfaces import Eigenfaces
from forensics.training.fakes import Material
from forensics.training.model import BlendNet, load_imagenet
from forensics.training.occluders import load_templates
from forensics.training.portraits import load_cache
from forensics.training.takes import TakeSource

SIDE = 192
_CELLS = 24
_SHARD = 40
_BATCH = 16
Floats = NDArray[np.float64]


class Cells(nn.Module):
    """Features of 24 x 24 cells: the third and the fifth stage of the network, side by side."""

    def __init__(self, net: BlendNet) -> None:
        super().__init__()
        self.backbone = net.backbone

    def forward(self, x: Tensor) -> Tensor:
        """Take (n, 3, 192, 192) RGB 0..255 to (n, 152, 24, 24)."""
        net: Any = self.backbone
        x = net.bn1(net.conv_stem(x / 127.5 - 1.0))
        for block in net.blocks[:3]:
            x = block(x)
        fine = x
        for block in net.blocks[3:5]:
            x = block(x)
        coarse = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
        return torch.cat([fine, coarse], 1)


class Painter(nn.Module):
    """The features with the fitted head as 1 x 1 convolutions: a map of 24 x 24, 0..1."""

    def __init__(self, cells: Cells, head: MLPClassifier, mean: Floats, scale: Floats) -> None:
        super().__init__()
        self.cells = cells
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32).view(1, -1, 1, 1))
        layers: list[nn.Module] = []
        for weights, biases in zip(head.coefs_, head.intercepts_, strict=True):
            layer = nn.Conv2d(weights.shape[0], weights.shape[1], 1)
            layer.weight.data = torch.tensor(weights.T, dtype=torch.float32)[:, :, None, None]
            layer.bias = nn.Parameter(torch.tensor(biases, dtype=torch.float32))
            layers += [layer, nn.ReLU()]
        self.head = nn.Sequential(*layers[:-1])

    def odds(self, x: Tensor) -> Tensor:
        """Take (n, 3, 192, 192) RGB 0..255 to (n, 24, 24) log-odds."""
        z = (self.cells(x) - self.mean) / self.scale
        found: Tensor = self.head(z).squeeze(1)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Take (n, 3, 192, 192) RGB 0..255 to (n, 24, 24) probabilities."""
        return torch.sigmoid(self.odds(x))


def draw(
    cache: Path, occluders: Path | None, work: Path, split: str, count: int, most: int | None
) -> bool:
    """Draw and keep the crops of one split, a file a shard; tell whether all are there."""
    work.mkdir(parents=True, exist_ok=True)
    starts = [n for n in range(0, count, _SHARD) if not (work / f"{split}-{n}.npz").exists()]
    if not starts:
        return True
    portraits = load_cache(cache, [split])
    coder = Eigenfaces(load_cache(cache, ["train"]))
    part = "test" if split == "test" else "train"
    things = load_templates(occluders, part)
    source = TakeSource(portraits, Material(portraits, coder), things, part)
    for start in track(starts[:most], description=split):
        images, maps, methods, groups = [], [], [], []
        for seed in range(start, start + _SHARD):
            for take in source.stills(20_000_000 + seed, covered=0.8):
                nothing = np.zeros((_CELLS, _CELLS), np.float32)
                images.append(cv2.resize(take.data[0], (SIDE, SIDE), interpolation=cv2.INTER_AREA))
                maps.append(
                    nothing if take.failure is None
                    else cv2.resize(take.failure, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
                )
                methods.append(take.method)
                groups.append(take.group)
        np.savez(
            work / f"{split}-{start}.npz", images=np.stack(images), maps=np.stack(maps),
            methods=methods, groups=groups,
        )
    return len(starts) <= (len(starts) if most is None else most)


def read(work: Path, split: str) -> dict[str, NDArray[Any]]:
    """Read the kept crops of one split."""
    parts = [np.load(path) for path in sorted(work.glob(f"{split}-*.npz"))]
    return {key: np.concatenate([p[key] for p in parts]) for key in parts[0].files}


@torch.no_grad()
def cell_features(cells: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (n, 24, 24, 152) features."""
    found = []
    for start in range(0, len(images), 16):
        x = torch.from_numpy(images[start : start + 16].transpose(0, 3, 1, 2).astype(np.float32))
        found.append(cells(x).permute(0, 2, 3, 1).numpy())
    return np.concatenate(found)


def fit_head(
    features: NDArray[np.float32], maps: NDArray[np.float32]
) -> tuple[MLPClassifier, Floats, Floats]:
    """Fit the cell network on as many failed as other cells, the others also near failures."""
    rng = np.random.default_rng(0)
    target = maps > 0.5
    clean = maps < 0.05
    chosen: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.bool_]] = []
    for image, bad, good in zip(features, target, clean, strict=True):
        for where, label, count in ((bad, True, 70), (good, False, 40)):
            cells = image[where]
            picked = cells[rng.permutation(len(cells))[:count]]
            chosen.append(picked)
            labels.append(np.full(len(picked), label))
    x, y = np.concatenate(chosen).astype(np.float64), np.concatenate(labels)
    mean, scale = x.mean(0), np.maximum(x.std(0), 1e-3)
    head = MLPClassifier(
        (48,), alpha=0.3, learning_rate_init=1e-3, batch_size=512, max_iter=14, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        head.fit((x - mean) / scale, y)
    return head, mean, scale


def tune(
    painter: Painter, data: dict[str, NDArray[Any]], *, epochs: int, seed: int = 0
) -> list[float]:
    """Go on with all layers: the map's cross-entropy, and that of its strongest cells.

    The sums of batch normalisation stay as they are; pictures are mirrored at random.

    Returns:
        The mean loss of every epoch.
    """
    rng = np.random.default_rng(seed)
    failed = np.isin(data["methods"], ("painted_over", "melted")) & (data["maps"].sum((1, 2)) > 2)
    parts = [
        {"params": painter.cells.parameters(), "lr": 2e-4},
        {"params": painter.head.parameters(), "lr": 1e-3},
    ]
    optimiser = torch.optim.AdamW(parts, weight_decay=0.02)
    steps = epochs * (len(failed) // _BATCH)
    plan = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [2e-4, 1e-3], total_steps=max(steps, 1), pct_start=0.1
    )
    weight = torch.tensor(4.0)  # failed cells are few
    told = []
    for _ in range(epochs):
        order = rng.permutation(len(failed))
        losses = []
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            index = order[start : start + _BATCH]
            flip = rng.random(_BATCH) < 0.5
            images = np.where(
                flip[:, None, None, None], data["images"][index][:, :, ::-1], data["images"][index]
            )
            maps = np.where(flip[:, None, None], data["maps"][index][:, :, ::-1],
                            data["maps"][index])  # fmt: skip
            x = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32))
            odds = painter.odds(x)
            loss = nn.functional.binary_cross_entropy_with_logits(
                odds, torch.from_numpy(maps.astype(np.float32)), pos_weight=weight
            )
            best = odds.flatten(1).topk(12, dim=1).values.mean(1)
            truth = torch.from_numpy(failed[index].astype(np.float32))
            loss = loss + 0.3 * nn.functional.binary_cross_entropy_with_logits(best, truth)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            plan.step()
            losses.append(float(loss.detach()))
        told.append(round(float(np.mean(losses)), 4))
    return told


def paint(painter: Painter, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (n, 24, 24) maps."""
    with torch.no_grad():
        return np.concatenate([
            painter(
                torch.from_numpy(images[i : i + 16].transpose(0, 3, 1, 2).astype(np.float32))
            ).numpy()
            for i in range(0, len(images), 16)
        ])


def figures(
    logits: Floats, maps: NDArray[np.float32], data: dict[str, NDArray[Any]]
) -> dict[str, Any]:
    """Return AUC of failures against the same things otherwise, and the pixels' precision."""
    methods = data["methods"]
    failed = np.isin(methods, ("painted_over", "melted")) & (data["maps"].sum((1, 2)) > 4)
    other = np.isin(methods, ("covered", "around"))
    kept = failed | other
    truth = data["maps"][failed] > 0.5
    return {
        "auc": roc_auc(logits[kept], failed[kept]).value,
        "auc_unswapped": _auc(logits, failed, methods == "covered"),
        "auc_around": _auc(logits, failed, methods == "around"),
        "pixel_ap": average_precision(maps[failed].ravel().astype(np.float64), truth.ravel()).value,
        "failures": int(failed.sum()), "others": int(other.sum()),
        "people": len(set(data["groups"][kept])),
    }  # fmt: skip


def _auc(logits: Floats, failed: NDArray[np.bool_], other: NDArray[np.bool_]) -> float | None:
    kept = failed | other
    return roc_auc(logits[kept], failed[kept]).value


def fit(work: Path, out: Path, *, epochs: int = 5) -> dict[str, Any]:
    """Fit on the train people, measure on the validation people, write ONNX and card."""
    torch.manual_seed(0)
    net = BlendNet()
    start = load_imagenet(net)
    cells = Cells(net).eval()
    train, check = read(work, "train"), read(work, "validate")
    head, mean, scale = fit_head(cell_features(cells, train["images"]), train["maps"])
    painter = Painter(cells, head, mean, scale).eval()
    losses = tune(painter, train, epochs=epochs)
    # The cells of the training people flatter the map; the validation people fit its reading.
    drawn = paint(painter, check["images"])
    stats = np.stack([map_statistics(m) for m in drawn])
    failed = np.isin(check["methods"], ("painted_over", "melted"))
    reader = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000).fit(stats, failed)
    logits = np.asarray(reader.decision_function(stats), np.float64)
    found = figures(logits, drawn, check)
    path = out / "occlusion.onnx"
    torch.onnx.export(
        painter, (torch.zeros(1, 3, SIDE, SIDE),), str(path), input_names=["image"],
        output_names=["map"], dynamic_axes={"image": {0: "n"}, "map": {0: "n"}}, dynamo=False,
        opset_version=17,
    )
    card = {
        "name": "occlusion",
        "version": "1",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
        "stands_on": {
            "initialisation": f"{start} (ImageNet weights, Apache-2.0)",
            "templates": "masks and sunglasses (MIT)",
        },
        "command": "python -m forensics.training.occlusion",
        "input": {"size": SIDE, "format": "RGB 0..255, one aligned face"},
        "reader": {
            "weights": [round(float(v), 6) for v in reader.coef_[0]],
            "bias": round(float(reader.intercept_[0]), 6),
        },
        "recipe": {"takes": len(train["images"]), "epochs": epochs, "losses": losses},
        "validation": found,
    }
    (out / "occlusion.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return found


def main(
    cache: Annotated[Path, typer.Option(help="Portrait cache of the training run.")],
    work: Annotated[Path, typer.Option(help="Folder for crops; a run goes on from it.")],
    occluders: Annotated[Path | None, typer.Option(help="Folder with masks/, glasses/.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the weights.")] = Path("forensics/weights"),
    count: Annotated[int, typer.Option(help="People to draw for training.")] = 480,
    most: Annotated[int | None, typer.Option(help="Stop after so many shards.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes with all layers.")] = 5,
    draw_only: Annotated[bool, typer.Option("--draw-only", help="Stop before fitting.")] = False,
) -> None:
    """Fit the occlusion detector and write it with its card."""
    keep_memory()
    cv2.setNumThreads(1)
    for split, share in (("train", 1), ("validate", 3)):
        if not draw(cache, occluders, work, split, count // share, most):
            print("more shards are left; the same command goes on")
            return
    if not draw_only:
        print(json.dumps(fit(work, out, epochs=epochs), indent=1))


if __name__ == "__main__":
    typer.run(main)
