"""GrooVAE: a performance of drums squeezed through a latent, and played again (Gillick et al. 2019).

    network = GrooveVAE(LAPTOP)
    loss, figures = network(heard, played, controls, generator)       # one training step
    mu, sigma = network.encode(heard, controls)
    cells = network.play(mu, controls, chance, hits=hits)                  # hits given: none is added, none removed

PUBLISHED and PUBLISHED_HITS are the paper's models, number for number. TINY, LAPTOP and STUDIO are the house's variant:
- controls "score": the decoder is told the hits, all or some, or a tapped rhythm (models/groove/cues.py);
- foresight: a bidirectional LSTM reads the controls first, so a step knows what comes after it, not only z's summary;
- feedback "hits": the decoder hears its own hits and not its own velocities, so when the hits are given nothing waits
  for the step before: a whole window is one call, and there is no exposure bias;
- spread heads (models/groove/heads.py), and some windows decoded from z = 0, which so becomes "nobody in particular".
b batch, t steps, c controls, d latent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.groove.cues import ALL
from models.groove.encoding import N_DRUMS, WIDTH
from models.groove.heads import Chance, MeanHeads, SpreadHeads
from models.music.errors import BadConfig

CONTROLS = {"none": 0, "hits": N_DRUMS, "score": N_DRUMS + 4}
"""Columns by kind; a score is 9 hits, whether they are all, and a tap's hit, velocity and offset."""


@dataclass(frozen=True)
class GrooveConfig:
    """What a groove network is. The defaults are the published humanising model."""

    encoder_width: int = 512
    """LSTM cells of the encoder, each direction."""
    latent: int = 256
    """Numbers a performance is squeezed into."""
    decoder_widths: tuple[int, ...] = (256, 256)
    """LSTM cells of the decoder's layers."""
    controls: Literal["none", "hits", "score"] = "none"
    """What encoder and decoder are told outright, see CONTROLS."""
    heads: Literal["means", "spread"] = "means"
    """One value each, or how likely every value is."""
    bins: int = 32
    """Values a spread tells apart."""
    feedback: Literal["all", "hits"] = "all"
    """What the decoder hears of its previous step."""
    foresight_width: int = 0
    """LSTM cells, each direction, that read the controls ahead for the decoder; 0 has none."""
    foresight_layers: int = 1
    """Layers of the foresight."""
    dropout: float = 0.7
    """Input dropout of every LSTM layer (the paper keeps 0.3)."""
    masked: bool = False
    """Count velocity and offset errors at hits alone."""
    free_bits: float = 48.0
    """Bits of KL that cost nothing, in total."""
    beta: float = 0.2
    """Weight of the KL above the free bits."""
    anonymous: float = 0.0
    """Share of training windows decoded from z = 0, so that 0 means the average player."""
    together: float = 0.5
    """Share of the timing's variance, when sampling, that all drums of a step have in common."""

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise BadConfig(f"dropout is {self.dropout:g}; give 0 to below 1 (try 0.2).")
        sizes = (self.encoder_width, self.latent, self.bins, self.foresight_layers, *self.decoder_widths)
        if min(sizes) < 1 or self.foresight_width < 0 or not self.decoder_widths:
            raise BadConfig(f"a width of {min(*sizes, self.foresight_width)}; every layer needs at least 1.")
        if not (0 <= self.anonymous < 1 and 0 <= self.together <= 1):
            raise BadConfig(f"anonymous is {self.anonymous:g}, together {self.together:g}; give 0 to below 1.")

    @property
    def control_width(self) -> int:
        return CONTROLS[self.controls]


PUBLISHED = GrooveConfig()
PUBLISHED_HITS = GrooveConfig(controls="hits")
_HOUSE = {
    "controls": "score", "heads": "spread", "feedback": "hits", "masked": True, "dropout": 0.3,
    "free_bits": 6.0, "beta": 1.0, "anonymous": 0.5,
}  # fmt: skip
TINY = GrooveConfig(16, 8, (16, 16), foresight_width=16, **_HOUSE)
LAPTOP = GrooveConfig(48, 16, (64,), foresight_width=64, foresight_layers=2, bins=24, **_HOUSE)
STUDIO = GrooveConfig(512, 256, (256, 256), foresight_width=256, foresight_layers=2, **_HOUSE)


class GrooveVAE(nn.Module):
    """The network; see the module's docstring for its four calls."""

    def __init__(self, config: GrooveConfig = PUBLISHED) -> None:
        super().__init__()
        self.config = config
        told, wide = config.control_width, config.encoder_width
        self.encoder = lstm(WIDTH + told, wide, bidirectional=True)
        self.mu, self.sigma = dense(2 * wide, config.latent, 0.001), dense(2 * wide, config.latent, 0.001)
        self.start = dense(config.latent, 2 * sum(config.decoder_widths), 0.001)
        self.foresight = None
        if told and config.foresight_width:
            ahead = config.foresight_width
            sizes = [told] + [2 * ahead] * (config.foresight_layers - 1)
            self.foresight = nn.ModuleList(lstm(size, ahead, bidirectional=True) for size in sizes)
            told += 2 * ahead
        self.echo = WIDTH if config.feedback == "all" else N_DRUMS
        sizes = [self.echo + config.latent + told, *config.decoder_widths[:-1]]
        self.decoder = nn.ModuleList(lstm(size, wide) for size, wide in zip(sizes, config.decoder_widths, strict=True))
        self.heads = MeanHeads() if config.heads == "means" else SpreadHeads(config.bins)
        beside = told if self.foresight else 0  # what was foreseen also reaches the heads directly
        self.output = dense(config.decoder_widths[-1] + beside, self.heads.width)

    def encode(self, heard: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and spread of z, each [b, d], for what was heard [b, t, 27] and told [b, t, c]."""
        _, (last, _) = self.encoder(self._dropped(torch.cat([heard, controls], -1)))
        both_ends = last.transpose(0, 1).flatten(1)  # the forward's last state, the backward's first
        return self.mu(both_ends), functional.softplus(self.sigma(both_ends))

    def decode(self, z: Tensor, controls: Tensor, echo: Tensor) -> Tensor:
        """Return logits [b, t, w] when all that the decoder hears of itself is known: echo [b, t, 27 or 9]."""
        before = functional.pad(echo, (0, 0, 1, -1))
        told = self._told(controls)
        x = torch.cat([before, z[:, None].expand(-1, echo.shape[1], -1), told], -1)
        for layer, state in zip(self.decoder, self._start(z), strict=True):
            x, _ = layer(self._dropped(x), state)
        return self.output(torch.cat([x, told], -1) if self.foresight else x)

    def play(
        self,
        z: Tensor,
        controls: Tensor,
        chance: Chance,
        hits: Tensor | None = None,
        firm: Tensor | None = None,
        every: Tensor | None = None,
    ) -> Tensor:
        """Return cells [b, t, 27]: given hits [b, t, 9] are played exactly, otherwise they are composed, as below."""
        if self.config.feedback == "all":
            drawn = self._drawn(chance, firm, every)
            struck_at = drawn if hits is None else lambda t, _: hits[:, t]
            return self._step_by_step(z, controls, lambda t, x: self._read(t, x, struck_at(t, x), chance))
        hits = self.compose(z, controls, chance, firm, every) if hits is None else hits
        return self.heads.read(self.decode(z, controls, hits), hits, chance)

    def compose(
        self, z: Tensor, controls: Tensor, chance: Chance, firm: Tensor | None = None, every: Tensor | None = None
    ) -> Tensor:
        """Draw hits [b, t, 9]: those that are firm [b, t, 9] sound in any case, and where every [b, t, 1] is set at
        least one drum does."""
        if self.config.feedback == "all":
            return self.play(z, controls, chance, None, firm, every)[..., :N_DRUMS]
        return self._step_by_step(z, controls, self._drawn(chance, firm, every), N_DRUMS)

    def _drawn(self, chance: Chance, firm: Tensor | None, every: Tensor | None) -> Callable[[int, Tensor], Tensor]:
        """Prepare to draw: what decides is thrown for every step at once, a step itself only compares."""
        bars = chance.thresholds()
        bars = bars if firm is None else bars.masked_fill(firm > 0.5, -math.inf)
        if every is None or not every.any():
            return lambda t, logits: (logits[:, :N_DRUMS] > bars[:, t]).to(logits)
        return lambda t, logits: never_silent(logits[:, :N_DRUMS], logits[:, :N_DRUMS] > bars[:, t], every[:, t])

    def _read(self, step: int, logits: Tensor, struck: Tensor, chance: Chance) -> Tensor:
        return self.heads.read(logits[:, None], struck[:, None], chance.at(step), step)[:, 0]

    def _step_by_step(
        self, z: Tensor, controls: Tensor, answer: Callable[[int, Tensor], Tensor], most: int | None = None
    ) -> Tensor:
        """Ask for each step's answer [b, k] to its logits, the first `most` of them, and let the next step hear it:
        [b, t, k]. All that hangs on no answer is done for every step at once."""
        told, states = self._told(controls), [(h[0], c[0]) for h, c in self._start(z)]
        (first, *_), cells_of = _weights(self.decoder[0]), [_weights(layer) for layer in self.decoder]
        constant = torch.cat([z[:, None].expand(-1, told.shape[1], -1), told], -1)
        prepared = functional.linear(constant, first[:, self.echo :], cells_of[0][2])
        from_echo, wide = first[:, : self.echo].T, self.config.decoder_widths[-1]
        weight, bias = self.output.weight[:most], self.output.bias[:most]
        beside = functional.linear(told, weight[:, wide:], bias) if self.foresight else bias.expand(*told.shape[:2], -1)
        from_top = weight[:, :wide].T
        answers, echo = [], z.new_zeros(len(z), self.echo)
        for step in range(told.shape[1]):
            gates = torch.addmm(prepared[:, step], echo, from_echo)
            for index, (into, recurrent, bias) in enumerate(cells_of):
                if index:
                    gates = functional.linear(states[index - 1][0], into, bias)
                states[index] = cell(gates, states[index], recurrent)
            answers.append(answer(step, torch.addmm(beside[:, step], states[-1][0], from_top)))
            echo = answers[-1][:, : self.echo]
        return torch.stack(answers, 1)

    def forward(
        self, heard: Tensor, played: Tensor, controls: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, dict[str, float]]:
        """Return what to minimise, a scalar, and its parts a window; a generator samples z, none takes its mean."""
        config = self.config
        mu, sigma = self.encode(heard, controls)
        z, named = mu, torch.ones(len(mu), device=mu.device)
        if generator is not None:
            noise = torch.randn(mu.shape, generator=generator, device=generator.device).to(mu)
            named = (torch.rand(len(mu), generator=generator, device=generator.device) >= config.anonymous).to(mu)
            z = (mu + sigma * noise) * named[:, None]
        logits = self.decode(z, controls, played[..., : self.echo])
        hits, velocity, offset = self.heads.loss(logits, played, config.masked)
        if config.controls == "score":
            hits = hits * (1 - controls[:, 0, ALL])  # who was told every hit has none to guess
        kl = divergence(mu, sigma)
        cost = (kl - config.free_bits * math.log(2)).clamp(min=0) * config.beta * named
        figures = dict(zip(("hits", "velocity", "offset"), map(_figure, (hits, velocity, offset)), strict=True))
        return (hits + velocity + offset + cost).mean(), {**figures, "kl": _figure(kl)}

    def _told(self, controls: Tensor) -> Tensor:
        ahead = controls
        for layer in self.foresight or ():
            ahead, _ = layer(self._dropped(ahead))
        return torch.cat([controls, ahead], -1) if self.foresight else controls

    def _start(self, z: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Turn z into each layer's (h, c), [1, b, width]; the reference orders them c, h."""
        sizes = [width for width in self.config.decoder_widths for _ in ("c", "h")]
        parts = [part[None].contiguous() for part in torch.tanh(self.start(z)).split(sizes, -1)]
        return list(zip(parts[1::2], parts[0::2], strict=True))

    def _dropped(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.config.dropout, self.training)


def _figure(losses: Tensor) -> float:
    return float(losses.detach().mean())


def divergence(mu: Tensor, sigma: Tensor) -> Tensor:
    """KL of N(mu, sigma²) from N(0, 1) in nats, summed over the latent: [b]."""
    return 0.5 * (mu.square() + sigma.square() - 1 - 2 * sigma.log()).sum(-1)


def interpolate(one: Tensor, other: Tensor, steps: int) -> Tensor:
    """Walk from one z [d] to another, both ends included: [steps, d], along the sphere where N(0, 1) lives."""
    share = torch.linspace(0, 1, steps, dtype=one.dtype)[:, None]
    cosine = functional.cosine_similarity(one, other, 0).clamp(-1, 1)
    angle = torch.arccos(cosine)
    if angle.abs() < 1e-4 or angle > math.pi - 1e-4:
        return one + share * (other - one)
    return (torch.sin((1 - share) * angle) * one + torch.sin(share * angle) * other) / torch.sin(angle)


def _weights(layer: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Return an LSTM layer's input and recurrent weights and its bias."""
    return tuple(getattr(layer, name) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"))  # type: ignore[return-value]


def cell(gates: Tensor, state: tuple[Tensor, Tensor], recurrent: Tensor) -> tuple[Tensor, Tensor]:
    """Take one LSTM step from the input's share of the gates [b, 4h]: the next (h, c)."""
    h, c = state
    i, f, g, o = torch.addmm(gates, h, recurrent.T).chunk(4, -1)
    c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(g))
    return torch.sigmoid(o) * torch.tanh(c), c


def never_silent(logits: Tensor, struck: Tensor, every: Tensor) -> Tensor:
    """Let the likeliest drum sound where every [b, 1] is set and none was struck [b, 9]."""
    likeliest = functional.one_hot(logits.argmax(-1), N_DRUMS) > 0
    silent = ~struck.any(-1, keepdim=True) & (every > 0.5)
    return torch.where(silent, likeliest, struck).to(logits)


def lstm(inputs: int, width: int, bidirectional: bool = False) -> nn.LSTM:
    """Make a layer as the reference starts it: Glorot over the joint kernel, forget bias 1, one bias in use."""
    layer = nn.LSTM(inputs, width, batch_first=True, bidirectional=bidirectional)
    bound = math.sqrt(6 / (inputs + width + 4 * width))
    for name, weight in layer.named_parameters():
        if name.startswith("weight"):
            nn.init.uniform_(weight, -bound, bound)
        else:
            nn.init.zeros_(weight)
            if name.startswith("bias_ih"):
                nn.init.ones_(weight[width : 2 * width].detach())
            else:
                weight.requires_grad_(False)  # PyTorch carries a second bias; the paper has one
    return layer


def dense(inputs: int, outputs: int, spread: float | None = None) -> nn.Linear:
    """Make a layer with bias 0 and Glorot-uniform weights, or normal ones of the given spread."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.bias)
    nn.init.xavier_uniform_(layer.weight) if spread is None else nn.init.normal_(layer.weight, 0, spread)
    return layer
