"""The Locoformer is the published network: its formulas, its golden tensors, and in silence it stays silent."""

import dataclasses
import json

import numpy as np
import pytest

from models.learning.checkpoint import save_model
from models.music.errors import BadConfig, BadInput

torch = pytest.importorskip("torch")

from models.separation.locoformer.bands import band_sizes  # noqa: E402
from models.separation.locoformer.blocks import rotary_frequencies, turned  # noqa: E402
from models.separation.locoformer.config import LAPTOP, STUDIO, TINY, LocoformerConfig  # noqa: E402
from models.separation.locoformer.network import KIND, Locoformer, load_locoformer  # noqa: E402
from models.separation.locoformer.published import config_of, from_published  # noqa: E402
from tests.models.separation.literal_locoformer import draw_weights, literal  # noqa: E402

PLAIN = {
    "num_spk": 3,
    "n_layers": 2,
    "emb_dim": 8,
    "norm_type": "rmsgroupnorm",
    "num_groups": 2,
    "tf_order": "ft",
    "n_heads": 2,
    "attention_dim": 12,
    "ffn_hidden_dim": [6, 10],
    "conv1d_kernel": 4,
    "conv1d_shift": 1,
    "eps": 1e-5,
}
BAND = {**PLAIN, "n_layers": 1, "sample_rate": 44100, "stft_size": 256, "masking": True, "stereo": False}
CASES = {
    "as published": PLAIN,
    "kernel 1": {**PLAIN, "conv1d_kernel": 1},
    "stride 2": {**PLAIN, "conv1d_shift": 2},
    "stride 3 of 4": {**PLAIN, "conv1d_shift": 3},
    "time first": {**PLAIN, "tf_order": "tf"},
    "one feed-forward": {**PLAIN, "ffn_hidden_dim": [10]},
    "layer norm, no positions": {**PLAIN, "norm_type": "layernorm", "pos_enc": "nope"},
    "bands, mono mask": BAND,
    "bands, mono map": {**BAND, "masking": False},
    "bands, stereo mask": {**BAND, "stereo": True},
    "bands, stereo map": {**BAND, "stereo": True, "masking": False},
    "bands, stride 2, time first, one feed-forward": {
        **BAND,
        "conv1d_shift": 2,
        "tf_order": "tf",
        "ffn_hidden_dim": [10],
    },
    "bands at 48 kHz": {**BAND, "sample_rate": 48000},
}


def tensors(arrays):
    return {name: torch.from_numpy(np.asarray(value)) for name, value in arrays.items()}


def off(found, wanted) -> float:
    return float((found - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("case", CASES)
def test_the_network_answers_as_the_formulas_say(case):
    conf, generator = CASES[case], np.random.default_rng(3)
    band = "stft_size" in conf
    n_fft = conf.get("stft_size", 16)
    config = config_of(conf, "band" if band else "full", hop=8)
    sizes = band_sizes(config) if band else []
    sides, frames = config.channels, 7
    spectrum = generator.standard_normal((2, sides, frames, n_fft // 2 + 1, 2)).view(np.complex128)[..., 0]
    weights = draw_weights(conf, sizes, generator)
    network = from_published(conf, tensors(weights), hop=8).double()
    with torch.no_grad():
        found = network.apart(torch.from_numpy(spectrum))
    wanted = np.stack([literal(conf, weights, one, sizes) for one in spectrum])
    assert found.shape == wanted.shape
    assert off(found, torch.from_numpy(wanted)) < 1e-7


@pytest.mark.parametrize("case", ["stride 2", "bands, stereo mask"])
def test_gradients_are_the_slopes_of_the_formulas(case):
    conf, generator = CASES[case], np.random.default_rng(4)
    config = config_of(conf, "band" if "stft_size" in conf else "full", hop=8)
    sizes = band_sizes(config) if "stft_size" in conf else []
    bins = conf.get("stft_size", 16) // 2 + 1
    spectrum = generator.standard_normal((config.channels, 5, bins, 2)).view(np.complex128)[..., 0]
    weights = draw_weights(conf, sizes, generator)
    network = from_published(conf, tensors(weights), hop=8).double()
    answer = network.apart(torch.from_numpy(spectrum)[None])[0]
    judge = torch.from_numpy(generator.standard_normal((*answer.shape, 2)))
    (torch.view_as_real(answer) * judge).mean().backward()
    slopes = {name: weight.grad for name, weight in network.named_parameters()}
    step = {name: generator.standard_normal(weight.shape, np.float32) for name, weight in weights.items()}
    along = from_published(conf, tensors(step), hop=8).state_dict()
    wanted = sum(float((slopes[name] * along[name]).sum()) for name in slopes)

    def literally(size: float) -> float:
        moved = {name: weight + size * step[name] for name, weight in weights.items()}
        found = literal(conf, moved, spectrum, sizes)
        return float((np.stack([found.real, found.imag], -1) * judge.numpy()).mean())

    assert (literally(1e-5) - literally(-1e-5)) / 2e-5 == pytest.approx(wanted, rel=1e-4)


@pytest.fixture(scope="module", params=["full_base", "band_mono_mask"])
def golden(request, shared):
    """A reference configuration, its arrays, and our network with the reference's weights."""
    folder = shared / "golden" / "locoformer"
    case = json.loads((folder / "conf.json").read_text())[request.param]
    with np.load(folder / f"{request.param}.npz", allow_pickle=False) as file:
        arrays = tensors(file)
    weights = {name[3:]: value for name, value in arrays.items() if name.startswith("sd/")}
    network = from_published(case["conf"], weights, n_fft=case["stft"]["n_fft"], hop=case["stft"]["hop"])
    return case, arrays, network


def test_golden_tensors_come_out_in_single_precision(golden):
    case, arrays, network = golden
    with torch.no_grad():
        found = network.float().apart(arrays["X"][:, None])[:, :, 0]
    assert sum(weight.numel() for weight in network.parameters()) == case["params"]
    assert off(found, arrays["Y"]) < 3e-6


def test_golden_tensors_come_out_in_double_precision(golden):
    _, arrays, network = golden
    with torch.no_grad():
        spectrum = network.double().spectrum(arrays["wave"].double()[:, None])
        found = network.apart(spectrum)[:, :, 0]
    assert off(spectrum[:, 0], arrays["X"]) < 3e-6
    assert off(found, arrays["Y64"]) < 1e-7


def test_a_network_that_thinks_again_learns_the_same(golden):
    _, arrays, network = golden
    network.float().train()
    gradients = []
    for checkpointing in (False, True):
        network.config = dataclasses.replace(network.config, checkpointing=checkpointing)
        network.zero_grad()
        torch.view_as_real(network.apart(arrays["X"][:, None])).square().mean().backward()
        gradients.append([weight.grad.clone() for weight in network.parameters()])
    for once, again in zip(*gradients, strict=True):
        torch.testing.assert_close(once, again)


def test_the_paper_s_sizes_have_the_paper_s_parameters():
    sizes = {"width": 96, "hidden": (384, 384), "attention": 96, "blocks": 4}
    with torch.device("meta"):
        network = Locoformer(LocoformerConfig(variant="full", channels=1, **sizes))
        band = Locoformer(LocoformerConfig(width=64, hidden=(256, 256), attention=128, blocks=6))
    assert sum(weight.numel() for weight in network.parameters()) == pytest.approx(7.40e6, rel=1e-3)
    assert sum(weight.numel() for weight in band.parameters()) == pytest.approx(18.95e6, rel=0.02)


def test_bands_are_those_of_the_paper():
    assert band_sizes(LocoformerConfig()) == [2] * 24 + [4] * 12 + [12] * 8 + [24] * 8 + [48] * 8 + [128, 129]
    assert len(band_sizes(LocoformerConfig(rate_hz=48_000))) == 61


@pytest.mark.parametrize("frames", [1, 100, 5000])
@pytest.mark.parametrize("config", [TINY, dataclasses.replace(TINY, variant="full", channels=1)])
def test_stems_are_as_long_and_as_wide_as_the_mixture(config, frames):
    network = Locoformer(config).eval()
    with torch.no_grad():
        stems = network(torch.randn(2, 2, frames))
    assert stems.shape == (2, 4, 2, frames)
    assert stems.isfinite().all()


def test_a_network_of_one_channel_hears_the_sides_of_a_song_one_by_one():
    network = Locoformer(dataclasses.replace(TINY, channels=1)).eval()
    left, right = torch.randn(2, 1, 1, 2000)
    with torch.no_grad():
        both = network(torch.cat([left, right], 1))
        torch.testing.assert_close(both[:, :, 1:], network(right))


def test_silence_stays_silence_and_can_be_learnt_from():
    for config in (TINY, dataclasses.replace(TINY, masking=False), dataclasses.replace(TINY, variant="full")):
        network = Locoformer(config)
        stems = network(torch.zeros(1, 2, 3000))
        assert stems.abs().max() == 0
        stems.square().mean().backward()
        assert all(weight.grad.isfinite().all() for weight in network.parameters() if weight.grad is not None)


def test_half_precision_knows_every_place_of_a_long_sequence():
    x = torch.randn(1, 1, 1025, 32)
    exact = turned(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert off(turned(x.bfloat16()).float(), exact) < 0.01
    assert rotary_frequencies(32).dtype == torch.float32


def test_half_precision_answers_nearly_as_single_precision():
    network, mixture = Locoformer(TINY).eval(), torch.randn(1, 2, 4000)
    with torch.no_grad():
        exact = network(mixture)
        with torch.autocast("cpu", torch.bfloat16):
            found = network(mixture)
    assert found.dtype == torch.float32
    assert off(found, exact) < 0.05


def test_a_saved_network_answers_as_before(tmp_path):
    network, mixture = Locoformer(TINY).eval(), torch.randn(1, 2, 4000)
    save_model(tmp_path / "model", network, network.config, KIND, songs=3)
    again, facts = load_locoformer(tmp_path / "model")
    assert (again.config, facts) == (TINY, {"songs": 3})
    with torch.no_grad():
        torch.testing.assert_close(again(mixture), network(mixture))


def test_what_does_not_fit_is_told_in_one_line():
    weights = tensors(draw_weights(PLAIN, [], np.random.default_rng(0)))
    with pytest.raises(BadConfig, match=r"conv1d.*swiglu_conv1d"):
        from_published({**PLAIN, "ffn_type": ["conv1d", "conv1d"]}, weights)
    with pytest.raises(BadInput, match=r"no conv\.0\.weight"):
        from_published(PLAIN, {name: value for name, value in weights.items() if name != "conv.0.weight"})
    with pytest.raises(BadInput, match=r"1 left over, the first is conv\.2"):
        from_published(PLAIN, {**weights, "conv.2": torch.zeros(1)})
    with pytest.raises(BadInput, match="learned"):
        from_published(PLAIN, {**weights, "blocks.0.freq_path.attn.rope.freqs": torch.ones(3)})
    with pytest.raises(BadConfig, match=r"width is 7; .* multiple of 4"):
        LocoformerConfig(width=7)
    with pytest.raises(BadConfig, match="stride is 5"):
        LocoformerConfig(stride=5)


def test_named_sizes_stand():
    with torch.device("meta"):
        counts = [sum(w.numel() for w in Locoformer(size).parameters()) for size in (TINY, LAPTOP, STUDIO)]
    assert counts == sorted(counts)
    assert counts[0] < 100_000
