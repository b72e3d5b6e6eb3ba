"""The network against the published one, and what its variants promise."""

import numpy as np
import pytest
import torch

from models.groove.encoding import WIDTH
from models.groove.heads import Chance, SpreadHeads
from models.groove.network import (
    LAPTOP,
    PUBLISHED,
    PUBLISHED_HITS,
    TINY,
    GrooveConfig,
    GrooveVAE,
    divergence,
    interpolate,
)
from models.groove.reference import network_of_reference
from models.music.errors import BadConfig


def chance(b, t, temperature=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    hits = torch.rand(b, t, 9, generator=generator)
    velocities, offsets = torch.randn(2, b, t, 9, generator=generator)
    return Chance(hits, velocities, offsets, torch.full((b, 1, 1), temperature))


@pytest.fixture(scope="module")
def golden(shared):
    with np.load(shared / "golden" / "groove" / "model_humanize.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


@pytest.fixture(scope="module")
def reference(golden):
    return network_of_reference({n.removeprefix("w:"): a.numpy() for n, a in golden.items() if n.startswith("w:")})


@torch.no_grad()
def test_the_published_network_gives_the_reference_outputs(golden, reference):
    nothing = torch.zeros(4, 32, 0)
    mu, sigma = reference.encode(golden["in_input"], nothing)
    logits = reference.decode(golden["in_z"], nothing, golden["in_output"])
    played = reference.heads.read(logits, torch.sigmoid(logits[..., :9]), chance(4, 32)).flatten(0, 1)
    close = {"mu": mu, "sigma": sigma, "kl": divergence(mu, sigma), "logits": logits}
    close |= {"vel": played[:, 9:18], "off": played[:, 18:], "hits": played[:, :9]}
    close["r_loss"] = sum(reference.heads.loss(logits, golden["in_output"], masked=False))
    for name, ours in close.items():
        torch.testing.assert_close(ours, golden[f"o:{name}"], atol=1e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


@torch.no_grad()
def test_step_by_step_equals_the_whole_window_at_once(golden, reference):
    nothing, hits = torch.zeros(4, 32, 0), golden["in_output"][..., :9]
    walked = reference.play(golden["in_z"], nothing, chance(4, 32), hits)
    at_once = reference.heads.read(reference.decode(golden["in_z"], nothing, walked), hits, chance(4, 32))
    torch.testing.assert_close(walked, at_once, atol=1e-5, rtol=0)


def test_the_published_sizes_are_the_published_sizes():
    for config, size in ((PUBLISHED, 4_085_019), (PUBLISHED_HITS, 4_131_099)):
        assert sum(p.numel() for p in GrooveVAE(config).parameters() if p.requires_grad) == size
    assert sum(p.numel() for p in GrooveVAE(TINY).parameters()) < 100_000
    assert sum(p.numel() for p in GrooveVAE(LAPTOP).parameters()) * 4 < 10e6


@pytest.mark.parametrize("config", [TINY, GrooveConfig(8, 4, (8, 8), "hits"), GrooveConfig(8, 4, (8, 8))])
def test_given_hits_are_played_as_given_and_every_gradient_flows(config):
    torch.manual_seed(0)
    network = GrooveVAE(config)
    hits = (torch.rand(3, 32, 9) < 0.2).float()
    played = torch.cat([hits, torch.rand(3, 32, 9) * hits, (torch.rand(3, 32, 9) - 0.5) * hits], -1)
    controls = torch.rand(3, 32, config.control_width)
    loss, figures = network(played, played, controls, torch.Generator().manual_seed(1))
    loss.backward()
    assert set(figures) == {"hits", "velocity", "offset", "kl"}
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters() if p.requires_grad)
    with torch.no_grad():
        cells = network.eval().play(torch.zeros(3, config.latent), controls, chance(3, 32), hits)
    assert torch.equal(cells[..., :9], hits)
    assert cells[..., 18:].abs().max() <= 1


@torch.no_grad()
def test_free_bits_cost_nothing_and_bits_above_them_cost_beta():
    torch.manual_seed(0)
    played, nothing = torch.zeros(2, 32, WIDTH), torch.zeros(2, 32, 0)
    costs = {}
    for free in (0.0, 1e6):
        network = GrooveVAE(GrooveConfig(8, 4, (8, 8), free_bits=free, dropout=0.0))
        torch.manual_seed(1)
        for weight in network.parameters():
            torch.nn.init.uniform_(weight, -0.3, 0.3)
        loss, figures = network(played, played, nothing)
        costs[free] = float(loss)
    assert costs[0.0] - costs[1e6] == pytest.approx(0.2 * figures["kl"], rel=1e-4)


def test_a_spread_learns_a_histogram_and_plays_it():
    heads = SpreadHeads(32)
    logits = torch.full((1, 4000, heads.width), -20.0)
    of_velocity = logits[..., 9:].view(1, 4000, 2, 9, 32)[:, :, 0]
    of_velocity[..., 8] = of_velocity[..., 28] = 5.0  # ghosts and accents, nothing between
    cells = heads.read(logits, torch.ones(1, 4000, 9), chance(1, 4000, 1.0))
    velocity = cells[..., 9:18]
    ghosts, accents = (velocity > 0.25) & (velocity < 9 / 32), (velocity > 28 / 32) & (velocity < 29 / 32)
    assert (ghosts | accents).float().mean() > 0.999
    assert 0.47 < ghosts.float().mean() < 0.53
    at_zero = heads.read(logits, torch.ones(1, 4000, 9), chance(1, 4000, 0.0))
    assert at_zero[..., 18:].abs().max() < 1e-3
    assert at_zero[..., 9:18].std() < 1e-6


def test_temperature_zero_takes_the_likelier_side_and_a_tap_always_sounds():
    torch.manual_seed(0)
    network, told = GrooveVAE(TINY).eval(), torch.zeros(2, 16, TINY.control_width)
    with torch.no_grad():
        cells = network.play(torch.zeros(2, TINY.latent), told, chance(2, 16), every=torch.ones(2, 16, 1))
        again = network.play(torch.zeros(2, TINY.latent), told, chance(2, 16, seed=5), every=torch.ones(2, 16, 1))
    assert (cells[..., :9].sum(-1) >= 1).all()
    assert torch.equal(cells, again)


def test_interpolation_keeps_its_ends_and_its_length():
    one, other = torch.randn(2, 64, generator=torch.Generator().manual_seed(3))
    walk = interpolate(one, other, 5)
    torch.testing.assert_close(walk[[0, -1]], torch.stack([one, other]))
    assert walk[2].norm() > 0.9 * min(one.norm(), other.norm())


def test_a_width_of_nothing_is_refused():
    with pytest.raises(BadConfig, match="at least 1"):
        GrooveConfig(latent=0)


def ghosts_and_accents(windows=60):
    """Snares on every step: loud on the beat, soft between."""
    cells = torch.zeros(windows, 32, WIDTH)
    cells[..., 1], cells[..., 10] = 1.0, 0.2
    cells[:, ::4, 10] = 0.9
    return cells


def test_full_doubt_plays_everybodys_habit_and_none_plays_the_networks_own():
    heads = SpreadHeads(16).eval()
    heads.learn_habit(ghosts_and_accents())
    own = torch.zeros(1, 32, heads.width)
    own[..., 9:].view(1, 32, 2, 9, 16)[..., 8] = 20.0
    hits = torch.ones(1, 32, 9)
    assert heads.read(own, hits, chance(1, 32))[0, :, 10].tolist() == pytest.approx([8.5 / 16] * 32, abs=1e-3)
    heads.doubt.fill_(1e6)
    played = heads.read(own, hits, chance(1, 32))[0, :, 10]
    assert played[::4].tolist() == pytest.approx([0.9] * 8, abs=0.05)
    assert played[1::4].tolist() == pytest.approx([0.2] * 8, abs=0.05)
    later = heads.read(own[:, :1], hits[:, :1], chance(1, 1), step=3)
    assert later[0, 0, 10] == pytest.approx(float(played[3]))


def test_doubt_grows_with_drummers_that_the_network_gets_wrong():
    heads, cells = SpreadHeads(16).eval(), ghosts_and_accents()
    heads.learn_habit(torch.cat([cells, cells.roll(2, 1)]))  # others play their accents elsewhere
    sure = torch.zeros(len(cells), 32, 2, 9, 16)
    sure[..., 0, 1, 3], sure[..., 1, 1, 8] = 8.0, 8.0
    sure[:, ::4, 0, 1, 3], sure[:, ::4, 0, 1, 14] = 0.0, 8.0
    logits = torch.cat([torch.zeros(len(cells), 32, 9), sure.flatten(2)], -1)
    performance = torch.arange(len(cells)) // 4
    heads.calibrate(logits, cells, performance)
    assert heads.doubt[0] < 1.5
    heads.calibrate(logits.roll(1, 1), cells, performance)
    assert heads.doubt[0] == 3
