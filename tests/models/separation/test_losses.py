"""Losses and metrics say what they are called, and nothing is NaN in silence."""

import numpy as np
import pytest

from models.music.errors import BadConfig
from models.separation.metrics import (
    bss_eval,
    csdr,
    estimates_of_nobody,
    is_silent,
    median_of_songs,
    si_sdr,
    usdr,
)

torch = pytest.importorskip("torch")

from models.separation.losses import LOSSES, LossWeights, mel, mel_filters, separation_loss  # noqa: E402

RATE_HZ = 8000
EVERY = LossWeights(**dict.fromkeys(LOSSES, 1.0))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def test_a_ratio_is_ten_times_the_logarithm_of_powers():
    true, other = noise(2, 4000), noise(2, 4000, seed=1)
    error = other * np.sqrt((true**2).sum() / (other**2).sum()) / 10
    assert usdr(true, true + error) == pytest.approx(20, abs=0.01)
    assert usdr(true, np.zeros_like(true)) == pytest.approx(0, abs=1e-9)
    assert usdr(true, 0.5 * true) == pytest.approx(6.02, abs=0.01)
    assert si_sdr(true, 0.5 * true) > 40


def test_seconds_are_judged_one_by_one_and_silent_ones_are_not():
    true = noise(2, 5 * RATE_HZ)
    answer = true.copy()
    answer[:, : 2 * RATE_HZ] = 0
    answer[:, 2 * RATE_HZ :] *= 0.9
    assert csdr(true, answer, RATE_HZ) == pytest.approx(20, abs=0.01)
    true[:, 2 * RATE_HZ :] = 0
    assert csdr(true, answer, RATE_HZ) == pytest.approx(0, abs=1e-9)


def test_our_fast_sdr_is_museval_s():
    pytest.importorskip("museval")
    second = 1000
    true = noise(2, 2, 2 * second)
    answer = true + 0.3 * noise(2, 2, 2 * second, seed=1)
    found = bss_eval(true, answer, second)
    assert found["sdr"] == pytest.approx([csdr(t, a, second) for t, a in zip(true, answer, strict=True)], abs=0.01)
    assert (found["sir"] > found["sdr"]).all()


def test_museval_s_silent_stem_is_left_out():
    pytest.importorskip("museval")
    true = np.concatenate([noise(1, 2, 1000), np.zeros((1, 2, 1000), np.float32)])
    found = bss_eval(true, true + noise(2, 2, 1000, seed=1), 1000)
    assert found["sdr"][1] == 0
    assert np.isfinite(list(found.values())).all()


def test_what_costs_nothing_stands_beside_what_knows_the_answer():
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    stems = np.stack([0.1 * np.sin(2 * np.pi * hz * time) * np.ones((2, 1)) for hz in (200, 1500)]).astype(np.float32)
    answers = estimates_of_nobody(stems)
    assert usdr(stems[0], answers["zeros"][0]) == pytest.approx(0, abs=1e-9)
    assert usdr(stems[0], answers["mixture"][0]) == pytest.approx(0, abs=0.1)
    assert usdr(stems[0], answers["ideal ratio mask"][0]) > 20


def test_nothing_is_nan_in_silence():
    silence, sound = np.zeros((2, 100), np.float32), noise(2, 100)
    for true, answer in ((silence, silence), (silence, sound), (sound, silence)):
        assert np.isfinite([usdr(true, answer), si_sdr(true, answer), csdr(true, answer, 50)]).all()
    assert np.isfinite(estimates_of_nobody(np.stack([silence, silence]))["ideal ratio mask"]).all()
    assert is_silent(silence)
    assert not is_silent(sound)


def test_a_median_says_how_sure_it_is():
    few, many = median_of_songs([1.0, 2.0, 9.0]), median_of_songs([1.0, 2.0, 9.0] * 40)
    assert few.low <= few.median == many.median == 2.0 <= few.high
    assert many.high - many.low < few.high - few.low
    assert median_of_songs([]).songs == 0


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_falls_towards_the_truth_and_is_defined_in_silence(name):
    true = torch.from_numpy(noise(2, 3, 2, 4096))
    true[0, 1] = 0
    true[1] = 0
    losses = [LOSSES[name](true + level * torch.randn_like(true), true) for level in (0.1, 0.01)]
    assert losses[1] < losses[0]
    for start in (torch.zeros_like(true), torch.randn_like(true), true.clone()):
        answer = start.requires_grad_()
        loss = LOSSES[name](answer, true)
        (slope,) = torch.autograd.grad(loss, answer)
        assert loss.isfinite()
        assert slope.isfinite().all()


def test_losses_are_weighed_and_told_by_name():
    true = torch.from_numpy(noise(1, 2, 2, 4096))
    loss, parts = separation_loss(true * 0.5, true, LossWeights(snr=1.0, l1=2.0))
    assert set(parts) == {"snr", "l1"}
    assert float(loss) == pytest.approx(parts["snr"] + 2 * parts["l1"], rel=1e-5)
    assert parts["snr"] == pytest.approx(-6, abs=0.1)
    assert set(separation_loss(true, true, EVERY)[1]) == set(LOSSES)


def test_a_better_ratio_than_30_db_is_worth_nothing():
    true = torch.from_numpy(noise(1, 1, 2, 4096))
    assert float(LOSSES["snr"](true, true)) == pytest.approx(-30, abs=0.1)


def test_weights_must_say_something():
    for wrong in ({"snr": 0.0}, {"snr": -1.0}):
        with pytest.raises(BadConfig, match="losses are"):
            LossWeights(**wrong)


def test_every_mel_filter_hears_something():
    assert (mel_filters(2048, 44_100).sum(1) > 0).all()


def test_mel_hears_with_the_ears_of_the_songs_own_rate():
    found, true = 0.1 * torch.randn(2, 1, 2, 2, 4000, generator=torch.Generator().manual_seed(0))
    at = {hz: float(separation_loss(found, true, LossWeights(snr=0.0, mel=1.0), hz)[0]) for hz in (8000, 44_100)}
    assert at[8000] == pytest.approx(float(mel(found, true, 8000)))
    assert at[8000] != pytest.approx(at[44_100], rel=1e-3)
