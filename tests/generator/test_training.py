import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from forensics.errors import OutputError, UnreadableInputError, UsageError  # noqa: E402
from generator.checkpoint import load_swapper, read_card  # noqa: E402
from generator.faceset import read_faceset  # noqa: E402
from generator.losses import LOSSES, ssim_map  # noqa: E402
from generator.pretrain import pretrain, split_people  # noqa: E402
from generator.train import Training, fit, train  # noqa: E402
from generator.train_config import Progress, TrainConfig  # noqa: E402
from tests.generator.conftest import make_set  # noqa: E402

TOY = TrainConfig(model="toy", batch=4, steps=12, validate_every=6, save_every=1e9)
People = tuple[Path, Path]


def losses(folder: Path) -> list[tuple[str, str, str]]:
    with (folder / "losses.csv").open(newline="") as file:
        return [(r["step"], r["person"], r["loss"]) for r in csv.DictReader(file)]


@pytest.fixture(scope="module")
def trained(people: People, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "model"
    train(people, out, TOY)
    return out


def test_a_training_leaves_model_pictures_and_losses(trained: Path) -> None:
    card, files = read_card(trained)
    assert set(files) == {"weights", "state"}
    assert [p["name"] for p in card.people] == ["a", "b"]
    assert all(len(p["consent_sha256"]) == 64 for p in card.people)
    assert card.people[0]["sources_sha256"] == ["a" * 64]
    assert card.training["step"] == 12
    assert len(losses(trained)) == 24
    assert {"moved", "ssim", "step"} == set(card.training["looks"][-1])
    assert (trained / "loss.png").stat().st_size > 1000


def test_the_preview_says_that_it_is_synthetic(trained: Path) -> None:
    from PIL import Image

    with Image.open(trained / "preview.png") as picture:
        text = " ".join(str(v) for v in picture.info.values())
    assert "AI-generated" in text
    assert "compositeWithTrainedAlgorithmicMedia" in text


def test_the_loss_falls_and_both_people_are_rebuilt(people: People, tmp_path: Path) -> None:
    config = replace(TOY, steps=120, validate_every=60, lr=5e-3)
    progress = train(people, tmp_path / "m", config)
    curve = np.array([float(x) for _, _, x in losses(tmp_path / "m")])
    assert curve[-20:].mean() < 0.6 * curve[:20].mean()
    assert progress.stopped == "steps done"
    model, _ = load_swapper(tmp_path / "m")
    assert not model.training


def test_a_resumed_training_repeats_the_uninterrupted_one(people: People, tmp_path: Path) -> None:
    train(people, tmp_path / "whole", TOY)
    train(people, tmp_path / "parts", replace(TOY, steps=5))
    train(people, tmp_path / "parts", TOY)
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    one, two = (load_swapper(tmp_path / name)[0] for name in ("whole", "parts"))
    for left, right in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(left, right)


_CHILD = """
import sys, time
from pathlib import Path
from generator.train import train
from generator.train_config import TrainConfig
a, b, out = map(Path, sys.argv[1:])
config = TrainConfig(model="toy", batch=4, steps=12, validate_every=6, save_every=0.0)
def hook(progress):
    print(progress.step, flush=True)
    if progress.step > 7:
        time.sleep(60)  # wait here for the signal
train([a, b], out, config, hook=hook)
"""


def test_after_a_sigkill_the_losses_go_on_the_same(
    people: People, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, *map(str, people), str(out)],
        stdout=subprocess.PIPE, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert child.stdout is not None
    with child.stdout as lines:
        for line in lines:
            if int(line) >= 8:
                break
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert 0 < read_card(out)[0].training["step"] < 12
    train(people, out, TOY)
    assert losses(out) == losses(trained)


def test_an_interrupted_training_saves_what_it_has(people: People, tmp_path: Path) -> None:
    def hook(progress: Progress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    progress = train(people, tmp_path / "m", TOY, hook=hook)
    assert progress.stopped == "interrupted"
    assert read_card(tmp_path / "m")[0].training["step"] == 3


def test_it_stops_when_nothing_improves_or_time_is_up(people: People, tmp_path: Path) -> None:
    still = replace(TOY, lr=0.0, steps=200, validate_every=2, patience=3, min_steps=4)
    assert train(people, tmp_path / "m", still).stopped == "no progress any more"
    short = replace(TOY, steps=None, budget=0.05)
    assert train(people, tmp_path / "n", short).stopped == "budget used"


def test_the_small_checkpoint_holds_weights_alone(people: People, tmp_path: Path) -> None:
    train(people, tmp_path / "m", TOY, keep_state=False)
    assert len(list((tmp_path / "m").glob("*.safetensors"))) == 1
    load_swapper(tmp_path / "m")
    with pytest.raises(UnreadableInputError, match="no state"):
        train(people, tmp_path / "m", TOY)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_losses_are_zero_for_equal_pictures_and_larger_for_worse(loss: str) -> None:
    picture = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    weight = torch.ones(2, 1, 32, 32)
    noise = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    none, some, much = (
        float(LOSSES[loss](picture * (1 - k) + noise * k, picture, weight)) for k in (0, 0.2, 0.8)
    )
    assert none == pytest.approx(0, abs=1e-5)
    assert none < some < much
    assert float(ssim_map(picture, picture).min()) == pytest.approx(1, abs=1e-3)


def test_the_weight_decides_where_the_loss_looks() -> None:
    target = torch.zeros(1, 3, 32, 32)
    wrong = target.clone()
    wrong[..., :16] = 1.0
    left, right = torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    left[..., :8], right[..., 24:] = 1.0, 1.0
    assert float(LOSSES["ssim-mse"](wrong, target, left)) > 1.0
    assert float(LOSSES["ssim-mse"](wrong, target, right)) < 1e-6


def test_masks_are_learnt_where_there_is_a_branch(people: People) -> None:
    sets = [read_faceset(folder) for folder in people]
    config = replace(TOY, model="toy", steps=2)
    nobody = [{"faces_sha256": ""}] * 2
    training = Training(sets, config, nobody, overrides={"mask": True})
    from generator.train_data import batch_at

    batches = batch_at(training.pools, 0, 0, 16)
    assert batches[0].masks.max() == 1.0
    training.step(batches)
    assert all(np.isfinite(x) for _, x in training.progress.losses)


def test_many_people_train_an_encoder_that_a_pair_starts_from(
    people: People, tmp_path: Path
) -> None:
    sets = [*people, make_set(tmp_path / "c", "c", 3).path]
    pretrain(sets, tmp_path / "many", replace(TOY, steps=4))
    card, files = read_card(tmp_path / "many" / "encoder")
    assert card.config.decoders == 3
    assert set(files) == {"weights"}
    config = replace(TOY, steps=1, lr=0.0)
    train(people, tmp_path / "pair", config, encoder=tmp_path / "many" / "encoder")
    pair, _ = load_swapper(tmp_path / "pair")
    many, _ = load_swapper(tmp_path / "many")
    assert torch.equal(pair.encoder.squeeze.weight, many.encoder.squeeze.weight)
    with pytest.raises(UsageError, match="does not fit"):
        train(people, tmp_path / "x", replace(TOY, model="tiny"), encoder=tmp_path / "many")


def test_portraits_are_split_by_the_name_before_the_underscore(people: People) -> None:
    faceset = read_faceset(people[0])
    named = [replace(e, source=f"{i % 3:03d}_x.jpg") for i, e in enumerate(faceset.faces)]
    parts = split_people(replace(faceset, faces=tuple(named)))
    assert [len(p) for p in parts] == [8, 8, 8]


def test_consent_is_asked_for(tmp_path: Path, people: People) -> None:
    make_set(tmp_path / "c", "c", consent=False)
    with pytest.raises(UsageError, match="generator consent new"):
        train([people[0], tmp_path / "c"], tmp_path / "m", TOY)
    assert not (tmp_path / "m").exists()


def test_one_identity_and_too_few_faces_are_refused(tmp_path: Path, people: People) -> None:
    with pytest.raises(UsageError, match="two face sets"):
        train(people[:1], tmp_path / "m", TOY)
    make_set(tmp_path / "few", "f", 5)
    with pytest.raises(UsageError, match="5 faces are too few"):
        train([people[0], tmp_path / "few"], tmp_path / "m", TOY)
    with pytest.raises(UsageError, match="three people"):
        pretrain(people, tmp_path / "m", TOY)


def test_other_faces_and_other_models_do_not_go_on(
    tmp_path: Path, people: People, trained: Path
) -> None:
    with pytest.raises(UsageError, match="other faces"):
        train([people[1], people[0]], trained, TOY)
    with pytest.raises(UsageError, match="holds model 'toy'"):
        train(people, trained, replace(TOY, model="tiny"))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_cut, _flip, Path.unlink])
@pytest.mark.parametrize("role", ["weights", "state"])
def test_a_corrupt_checkpoint_is_named_and_left_alone(
    tmp_path: Path, people: People, trained: Path, damage, role: str  # type: ignore[no-untyped-def]
) -> None:
    import shutil

    shutil.copytree(trained, tmp_path / "m")
    card, files = read_card(tmp_path / "m")
    damage(tmp_path / "m" / files[role])
    before = sorted(p.name for p in (tmp_path / "m").iterdir())
    with pytest.raises(UnreadableInputError, match="corrupt checkpoint"):
        if role == "weights":
            load_swapper(tmp_path / "m")
        else:
            train(people, tmp_path / "m", replace(TOY, steps=20))
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == before


def test_a_card_that_is_no_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="generator train"):
        load_swapper(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"schema": "swapper/1", "config": {}}))
    with pytest.raises(UnreadableInputError, match="damaged"):
        load_swapper(tmp_path)


def test_a_full_disk_keeps_the_old_checkpoint(
    tmp_path: Path, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(people, tmp_path / "m", replace(TOY, steps=2))
    from generator import checkpoint

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_save", full)
    with pytest.raises(OutputError, match="No space left"):
        train(people, tmp_path / "m", replace(TOY, steps=4))
    monkeypatch.undo()
    assert read_card(tmp_path / "m")[0].training["step"] == 2
    load_swapper(tmp_path / "m")
    assert train(people, tmp_path / "m", replace(TOY, steps=4)).step == 4


@pytest.mark.parametrize("bad", [{"loss": "l2"}, {"precision": "fp8"}, {"batch": 0}])
def test_settings_that_make_no_sense_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(TOY, **bad)  # type: ignore[arg-type]


def test_fit_stops_its_thread(people: People, tmp_path: Path) -> None:
    import threading

    sets = [read_faceset(folder) for folder in people]
    training = Training(sets, replace(TOY, steps=2), [{"faces_sha256": ""}] * 2)
    fit(training, tmp_path / "m")
    time.sleep(0.01)
    assert not [t for t in threading.enumerate() if t.name == "training-data"]
