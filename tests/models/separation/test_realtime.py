"""A separator that plays along gives the same samples block by block as at once, and knows nothing of the future."""

import dataclasses

import numpy as np
import pytest

from models.music.audio import Audio
from models.music.errors import BadConfig

torch = pytest.importorskip("torch")

from models.learning.checkpoint import save_model  # noqa: E402
from models.separation.lesson import read_preset  # noqa: E402
from models.separation.locoformer.config import LocoformerConfig  # noqa: E402
from models.separation.realtime.config import LIVE, TINY, LiveConfig  # noqa: E402
from models.separation.realtime.engine import AT_ONCE, LiveEngine  # noqa: E402
from models.separation.realtime.network import KIND, Live  # noqa: E402
from models.separation.realtime.windows import windows  # noqa: E402
from models.separation.stems import apart, load_separator, separate  # noqa: E402

HOP = TINY.hop


@pytest.fixture(params=[TINY, dataclasses.replace(LIVE, width=16, attention=16)], ids=["tiny", "live"])
def network(request) -> Live:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Live(request.param).eval()


@pytest.fixture
def engine() -> LiveEngine:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LiveEngine(Live(TINY).eval())


def noise(frames: int):
    """Loud, then soft, then loud: the level has something to follow."""
    swell = 0.1 + torch.linspace(0, 6, frames).cos().square()
    return swell * torch.randn(1, 2, frames, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("hops", [1, 3])
def test_blocks_give_what_the_whole_song_gives(network, hops):
    hop, blocks = network.config.hop, 24
    mixture = noise(blocks * hop)
    with torch.inference_mode():
        whole, state, found = network(mixture), network.begin(), []
        for block in torch.nn.functional.pad(mixture, (0, hops * hop)).split(hops * hop, -1):
            stems, state = network.hear(block, state)
            found.append(stems)
    late = network.config.delay_samples
    np.testing.assert_allclose(torch.cat(found, -1)[..., late : late + blocks * hop], whole, atol=1e-5)
    assert whole.abs().max() > 1e-2


def test_what_comes_later_than_the_latency_changes_nothing(network):
    mixture = noise(4000)
    other = mixture.clone()
    other[..., 2000:] = 0.5
    with torch.inference_mode():
        same = (network(mixture) == network(other)).all(0).all(0).all(0)
    changed = int(same.logical_not().nonzero()[0])
    assert 2000 - network.config.latency_samples <= changed <= 2000


@pytest.mark.parametrize(("n_fft", "hop"), [(2048, 512), (256, 64), (256, 128)])
def test_windows_give_back_what_was_heard(n_fft, hop):
    analysis, synthesis = windows(n_fft, hop)
    product = analysis[-2 * hop :] * synthesis
    np.testing.assert_allclose(product[:hop] + product[hop:], 1, atol=1e-6)
    assert synthesis.max() < 1.5, "nothing is blown up"


def test_streams_side_by_side_are_streams_alone(network):
    hop = network.config.hop
    with torch.inference_mode():
        together, left = network.hear(torch.cat([noise(3 * hop), -noise(3 * hop).flip(-1)]), network.begin(2))
        alone, kept = network.hear(noise(3 * hop), network.begin())
    np.testing.assert_allclose(together[:1], alone, atol=1e-5)
    np.testing.assert_allclose(left.level[:1], kept.level, rtol=1e-5)


@pytest.mark.parametrize("frames", [1, HOP - 1, HOP, HOP + 1, AT_ONCE * HOP, (AT_ONCE + 3) * HOP + 5])
def test_an_engine_leaves_no_delay_and_no_end_out(engine, frames):
    mixture = noise(frames)
    with torch.inference_mode():
        whole = engine.network(mixture)[0]
    pieces = iter(np.array_split(mixture[0].numpy(), min(frames, 7), axis=1))
    np.testing.assert_allclose(np.concatenate(list(engine.parts(pieces, 0.0, 1.0)), -1), whole, atol=1e-5)


def test_silence_stays_silence_and_a_mute_start_harms_nothing(engine):
    assert np.abs(apart(np.zeros((2, 1000), np.float32), engine)).max() == 0
    late = np.concatenate([np.zeros((2, 50 * HOP), np.float32), noise(10 * HOP)[0].numpy()], axis=1)
    assert np.isfinite(apart(late, engine)).all()


def test_a_louder_song_is_the_same_song_louder(engine):
    mixture = noise(2000)[0].numpy()
    np.testing.assert_allclose(4 * apart(mixture, engine), apart(4 * mixture, engine), atol=1e-3)


def test_a_folder_is_a_separator_behind_the_one_door(engine, tmp_path):
    save_model(tmp_path / "model", engine.network, TINY, KIND)
    song = Audio(noise(3000)[0].numpy(), TINY.rate_hz, "song")
    stems = separate(song, load_separator(tmp_path / "model", "drums"))
    assert tuple(stems) == TINY.stems
    np.testing.assert_allclose(stems["bass"].samples, apart(song.samples, engine)[1], atol=1e-5)


def test_the_preset_that_plays_along_is_a_size_of_its_own():
    assert isinstance(read_preset("live").config, LiveConfig)
    assert type(read_preset("laptop").config) is LocoformerConfig
    assert LIVE.latency_samples / LIVE.rate_hz < 0.025


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"variant": "full"}, "live there is band"), ({"memory": 0}, "memory is 0"), ({"level_s": 0.0}, "level_s 0.0")],
)
def test_a_config_that_cannot_be_is_refused(changes, words):
    with pytest.raises(BadConfig, match=words):
        LiveConfig(**changes)
