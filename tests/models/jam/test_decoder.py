"""The fast decoder answers what the network of transformers answers, in whatever portions it reads."""

import dataclasses

import numpy as np
import pytest
import torch
from soloists import random_network, weights_of

from models.jam.config import TINY
from models.jam.decode import OnnxDecoder
from models.jam.torch_decode import TorchDecoder
from models.jam.vocabulary import SIZE
from models.music.errors import BadInput

WORDS = np.random.default_rng(0).integers(0, SIZE, 200)


def expected(network, words=WORDS):
    with torch.no_grad():
        return network(torch.from_numpy(words)[None])[0].numpy()


def close_to(decoder):
    """How near the same words come, read in other portions."""
    return 0.2 if getattr(decoder, "precision", "") == "int8" else 1e-4


@pytest.fixture(scope="module", params=["fp32", "int8", "torch"])
def decoder(request, network, weights):
    if request.param == "torch":
        return TorchDecoder(network.state_dict(), TINY, "cpu", torch.float32)
    return OnnxDecoder(weights, TINY, request.param)


@pytest.mark.parametrize("size", [{}, {"layers": 1, "heads": 1, "hidden": 40}, {"width": 64, "heads": 4, "layers": 3}])
def test_full_precision_agrees_with_transformers(size):
    network = random_network(config := dataclasses.replace(TINY, **size))
    heard = OnnxDecoder(weights_of(network), config, "fp32")
    assert np.abs(heard.open().read(WORDS) - expected(network)).max() < 1e-4


def test_torch_alone_agrees_with_transformers(network):
    heard = TorchDecoder(network.state_dict(), TINY, "cpu", torch.float32).open()
    assert np.abs(heard.read(WORDS) - expected(network)).max() < 1e-4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_expects_nearly_the_same(network):
    heard, true = TorchDecoder(network.state_dict(), TINY, "cuda", torch.bfloat16).open(), expected(network)
    steps = np.stack([heard.follow(WORDS[: end + 1]) for end in range(len(WORDS))])  # graphs, from the second on
    assert (steps.argmax(1) == true.argmax(1)).mean() > 0.9
    assert np.abs(steps - true).max() < 0.2 * true.std()


def test_eight_bits_expect_nearly_the_same(network, weights):
    heard, true = OnnxDecoder(weights, TINY, "int8").open().read(WORDS), expected(network)
    assert (heard.argmax(1) == true.argmax(1)).mean() > 0.9  # nothing was taught: words are nearly alike
    assert np.abs(heard - true).max() < 0.2 * true.std()


def test_what_was_read_is_not_read_again(decoder):
    reader = decoder.open()
    reader.follow(WORDS[:64])
    portions = []
    read = reader.read
    reader.read = lambda words: portions.append(len(words)) or read(words)
    reader.follow(WORDS[:72])
    reader.follow(WORDS[:72])
    reader.follow(WORDS[:73])
    assert portions == [8, 1]


def test_a_changed_chord_rewinds_to_where_the_words_part(decoder, weights):
    changed = WORDS.copy()
    changed[100] = (changed[100] + 1) % SIZE
    reader = decoder.open()
    reader.follow(WORDS[:150])
    heard = reader.follow(changed[:120])
    assert np.array_equal(reader.words, changed[:120])
    assert np.abs(heard - decoder.open().follow(changed[:120])).max() < close_to(decoder)
    assert np.abs(reader.follow(WORDS[:90]) - decoder.open().read(WORDS[:90])[-1]).max() < close_to(decoder)


def test_two_readers_do_not_hear_each_other(decoder):
    one, two = decoder.open(), decoder.open()
    one.follow(WORDS[:50])
    two.follow(WORDS[50:100])
    heard = one.follow(WORDS[:51])
    assert np.abs(heard - decoder.open().follow(WORDS[:51])).max() < close_to(decoder)


def test_more_words_than_fit_are_refused_in_a_sentence(decoder):
    with pytest.raises(BadInput, match=r"jam: \d+ words to read; 1 to 256 fit"):
        decoder.open().read(np.zeros(257, np.int64))


def test_a_reader_says_what_it_keeps(decoder):
    assert decoder.open().nbytes == 2 * 2 * TINY.context * TINY.width * 4
