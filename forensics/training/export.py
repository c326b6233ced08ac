"""Export a trained network to ONNX with its card.

``python -m forensics.training.export runs/blend/checkpoint.safetensors``
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from forensics.detectors.blend import blend
from forensics.training.model import SIZE, BlendNet, load_averaged


class Exported(nn.Module):
    """The network as it is shipped: maps as probabilities, batch first."""

    def __init__(self, net: BlendNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n,) and maps (n, 2, m, m) in 0..1."""
        logit, maps = self.net(image)
        return logit, torch.sigmoid(maps)


def to_onnx(net: BlendNet, path: Path) -> str:
    """Write ``path`` and return its sha256."""
    partial = path.with_suffix(".partial")
    torch.onnx.export(
        Exported(net).eval(),
        (torch.zeros(2, 3, SIZE, SIZE),),
        str(partial),
        input_names=["image"],
        output_names=["logit", "maps"],
        dynamic_axes={"image": {0: "n"}, "logit": {0: "n"}, "maps": {0: "n"}},
        opset_version=18,
        dynamo=False,
    )
    partial.replace(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_card(path: Path, *, sha256: str, facts: dict[str, Any]) -> None:
    """Write the card beside the weights. Calibration adds the known error rate later."""
    card = {
        "name": "blend",
        "version": blend.version,
        "sha256": sha256,
        "licence": "Apache-2.0",
        "input": {
            "size": SIZE,
            "format": "RGB 0..255, one upright face, tight or with up to a quarter of room, "
                      "brought to usual light, contrast and sharpness",
        },
        "outputs": {"logit": "higher is more likely manipulated",
                    "maps": "blend boundary and pasted region, 24 x 24, 0..1"},
        "architecture": "EfficientNet-Lite0 with a score head and a stride-8 map head",
        "stands_on": {
            "initialisation": f"{facts['initial']}; ImageNet weights, Apache-2.0",
            "portraits": facts["portraits"],
            "licences": facts["licences"],
        },
        "recipe": facts["recipe"] | {"families": facts["shares"], "steps": facts["step"],
                                     "seconds": round(facts["spent"]),
                                     "painter_sha256": facts.get("painter"),
                                     "painted": facts.get("painted"),
                                     "interpolated": facts.get("interpolated"),
                                     "teachers_sha256": facts.get("teachers", [])},
        "validation": facts["log"][-1:],
    }
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def main(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint of the training.")],
    out: Annotated[Path, typer.Option(help="Folder of the weights.")] = Path("forensics/weights"),
) -> None:
    """Export the averaged weights of a checkpoint and write their card."""
    net, facts = load_averaged(checkpoint)
    sha256 = to_onnx(net, out / "blend.onnx")
    write_card(out / "blend.json", sha256=sha256, facts=facts)
    print(f"wrote {out / 'blend.onnx'} ({sha256[:12]}) and its card")


if __name__ == "__main__":
    typer.run(main)
