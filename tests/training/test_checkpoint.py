from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from forensics.training import checkpoint  # noqa: E402

pytestmark = pytest.mark.train


def start() -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    layers = [
        torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)) for _ in range(2)
    ]
    net, ema = (layer.to(memory_format=torch.channels_last) for layer in layers)
    return net, ema, torch.optim.AdamW(net.parameters(), lr=0.05, fused=True)


def step(net: Any, optimizer: Any, seed: int) -> None:
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    loss = (net(x.contiguous(memory_format=torch.channels_last)) ** 3).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def test_a_resumed_run_takes_the_steps_of_an_unbroken_one(tmp_path: Path) -> None:
    path = tmp_path / "run" / "checkpoint.safetensors"
    net, ema, optimizer = start()
    for seed in range(3):
        step(net, optimizer, seed)
    checkpoint.save(path, net=net, ema=ema, optimizer=optimizer, facts={"step": 3, "log": []})
    for seed in range(3, 6):
        step(net, optimizer, seed)

    other, other_ema, other_optimizer = start()
    facts = checkpoint.load(path, net=other, ema=other_ema, optimizer=other_optimizer)
    assert facts == {"step": 3, "log": []}
    for seed in range(3, 6):
        step(other, other_optimizer, seed)
    for name, value in net.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.safetensors"]
