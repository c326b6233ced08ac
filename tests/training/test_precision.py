from __future__ import annotations

import torch
from torch import nn

from forensics.training.precision import keep_float32


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 4, 1)
    )


def test_parameters_keep_their_names_and_results_without_autocast() -> None:
    before, after = network(), network()
    keep_float32(after)
    x = torch.randn(2, 3, 12, 12)
    assert list(before.state_dict()) == list(after.state_dict())
    assert torch.equal(before(x), after(x))


def test_only_the_last_layer_rounds() -> None:
    net = network()
    keep_float32(net)
    x = torch.randn(2, 3, 12, 12)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        first = net[0](x)
        rounded = net(x)
    assert torch.equal(first, network()[0](x).bfloat16())
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), net(x), atol=0.05, rtol=0.05)


def test_gradients_arrive_in_float32() -> None:
    net = network()
    keep_float32(net)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = net(torch.randn(2, 3, 12, 12)).float().square().mean()
    torch.autograd.backward(loss)
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in net.parameters())
