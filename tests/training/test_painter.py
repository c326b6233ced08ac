from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from forensics.training.eigenfaces import Eigenfaces  # noqa: E402
from forensics.training.painter import (  # noqa: E402
    Painter,
    PaintNet,
    draw_batch,
    painting_loss,
    train,
)
from forensics.training.portraits import load_cache  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def weights(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("painter") / "painter.safetensors"
    steps, loss = train(load_cache(cache, ["train"]), out, budget=1e-6)
    assert steps == 1 and 0 < loss < 2
    return out


def test_it_paints_the_face_square_and_leaves_the_rest(cache: Path, weights: Path) -> None:
    portraits = load_cache(cache, ["train"])
    one = portraits[0]
    image = np.asarray(one.image)
    painter = Painter(weights, Eigenfaces(portraits), share=1.0)
    made = painter.repaint(image, one.mesh, np.random.default_rng(3))
    again = painter.repaint(image, one.mesh, np.random.default_rng(3))
    assert np.array_equal(made, again), "a pure function of the seed"
    changed = np.any(made != image, axis=-1)
    nose = one.mesh[4, :2].round().astype(int)
    assert changed[nose[1], nose[0]]
    assert not changed[0].any() and not changed[:, 0].any()
    assert 0.1 < changed.mean() < 0.8


def test_the_rest_is_painted_by_eigenfaces(cache: Path, weights: Path) -> None:
    portraits = load_cache(cache, ["train"])
    one, linear = portraits[0], Eigenfaces(portraits)
    image = np.asarray(one.image)
    draws = np.random.default_rng(5), np.random.default_rng(5)
    draws[1].random()  # spent on choosing who paints
    mixed = Painter(weights, linear, share=0.0).repaint(image, one.mesh, draws[0])
    assert np.array_equal(mixed, linear.repaint(image, one.mesh, draws[1]))


def test_training_lowers_the_loss_on_one_batch(cache: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    given, wanted = (x[:4] for x in draw_batch(load_cache(cache, ["train"]), (0, 0)))
    assert given.shape == wanted.shape == (4, 3, 96, 96)
    assert float(wanted.min()) >= 0 and float(wanted.max()) <= 1
    net = PaintNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for _ in range(12):
        loss = painting_loss(net(given), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
