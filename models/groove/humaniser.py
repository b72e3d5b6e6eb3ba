"""Play drum hits as a human would.

    humaniser = Humaniser.load()                                     # the starter model, or a trained folder
    played = humaniser.humanise(take, timing=0.8, velocity=1.0)      # the same notes; temperature=1.0 to be surprised
    other = humaniser.vary(take, temperature=0.7, seed=3)
    beat = humaniser.tap(rhythm)
    rows = humaniser.play([GrooveRequest(...), GrooveRequest(...)])  # many at once, in one pass of the network

One z plays a whole take, so it has one character. Takes longer than a window are played in windows that overlap by
half and fade into each other: there is no seam. The dice are thrown a cell of the take, from the request's own seed,
and the network runs in float64, so a request's answer does not depend on who shares its batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.groove.cues import Mode, controls_for
from models.groove.dials import blend
from models.groove.encoding import HITS, N_DRUMS, Array, humanised, tapped
from models.groove.playing import WINDOW_BARS, Playing, cut, faded
from models.groove.request import MAX_BARS, GrooveRequest
from models.groove.sequences import four_four
from models.music.errors import BadInput
from models.music.notes import Take

if TYPE_CHECKING:
    from torch import Tensor

    from models.groove.network import GrooveVAE

STARTER = Path(__file__).parent / "starter"
HEARD = {"humanise": humanised, "vary": np.copy, "tap": tapped}
"""What there is to hear of a take, by mode."""


class Humaniser:
    """A trained groove network and the way from hits to its windows and back."""

    def __init__(self, network: GrooveVAE) -> None:
        self.network = network.double().eval()

    @classmethod
    def load(cls, folder: str | os.PathLike[str] = STARTER) -> Humaniser:
        """Load a trained model's folder."""
        from models.groove.network import GrooveConfig, GrooveVAE
        from models.learning.checkpoint import load_model

        network, _ = load_model(folder, "groove", GrooveConfig, GrooveVAE)
        return cls(network)

    def humanise(
        self, take: Take, timing: float = 1.0, velocity: float = 1.0, temperature: float = 0.0, seed: int = 0
    ) -> Take:
        """Return the same notes with a human's timing and velocities, as far as the two dials say."""
        [human] = self.play([request_for(take, "humanise", temperature, seed)])
        return take.with_notes(blend(take.notes, human, timing, velocity))

    def vary(self, take: Take, temperature: float = 0.7, seed: int = 0) -> Take:
        """Return another way to play a take: some hits go, others come, the more the warmer."""
        return take.with_notes(self.play([request_for(take, "vary", temperature, seed)])[0])

    def tap(self, take: Take, temperature: float = 0.5, seed: int = 0) -> Take:
        """Return a beat on the whole kit for a rhythm tapped on anything."""
        return take.with_notes(self.play([request_for(take, "tap", temperature, seed)])[0])

    def play(self, requests: Sequence[GrooveRequest]) -> list[NDArray[np.int32]]:
        """Answer many requests at once; in "humanise" the rows come back in the order of the hits, one for one."""
        config = self.network.config
        playings = [Playing(request, config.latent, config.together) for request in requests]
        self._cast(playings)
        if composed := [playing for playing in playings if playing.request.mode != "humanise"]:
            self._compose(composed)
        if playings:
            self._perform(playings)
        return [playing.rows() for playing in playings]

    def _told(self, mode: Mode, cells: Array) -> Array:
        if mode == "tap" and self.network.config.controls == "hits":
            raise BadInput('mode is "tap"; this model plays only hits that it is given. Load one with score controls.')
        return controls_for(self.network.config.controls, mode, cells)

    def _cast(self, playings: Sequence[Playing]) -> None:
        """Choose each z: nobody in particular, or a random player; the one we hear where there is a performance to go by."""
        listening = []
        for playing in playings:
            playing.z = playing.request.temperature * playing.dice.character
            if playing.request.mode == "vary" or self.network.config.controls == "none":
                listening.append(playing)
        if not listening:
            return
        heard = [cut(HEARD[playing.request.mode](playing.cells), WINDOW_BARS) for playing in listening]
        told = [cut(self._told("humanise", playing.cells), WINDOW_BARS) for playing in listening]
        mu, sigma = self._encode(np.concatenate(heard), np.concatenate(told))
        ends = np.cumsum([len(windows) for windows in heard])[:-1]
        for playing, middle, spread in zip(listening, np.split(mu, ends), np.split(sigma, ends), strict=True):
            playing.z = middle.mean(0) + spread.mean(0) * playing.z

    def _encode(self, heard: Array, controls: Array) -> tuple[Array, Array]:
        import torch

        with torch.inference_mode():
            mu, sigma = self.network.encode(torch.from_numpy(heard), torch.from_numpy(controls))
        return mu.numpy(), sigma.numpy()

    def _compose(self, playings: Sequence[Playing]) -> None:
        """Decide which drums sound where that is open, window beside window."""
        told, firm, every = [], [], []
        for playing in playings:
            vary, kept = playing.request.mode == "vary", playing.kept()
            told.append(self._told("vary", kept) if vary else self._told("tap", playing.cells))
            firm.append(kept[:, HITS] * vary)
            every.append(playing.score.max(1, keepdims=True) * (not vary))
        windows = self._decode(self.network.compose, playings, told, WINDOW_BARS, firm=firm, every=every)
        for playing, window in zip(playings, windows, strict=True):
            playing.score = window.reshape(-1, N_DRUMS)[: len(playing.cells)]

    def _perform(self, playings: Sequence[Playing]) -> None:
        """Give the hits that are decided their velocities and offsets, windows fading into each other."""
        told = []
        for playing in playings:
            tap = playing.request.mode == "tap"
            score = np.concatenate([playing.score, np.zeros((len(playing.score), 2 * N_DRUMS))], axis=1)
            told.append(self._told("tap", playing.cells) if tap else self._told("humanise", score))
        windows = self._decode(self.network.play, playings, told, 1, hits=[playing.score for playing in playings])
        for playing, window in zip(playings, windows, strict=True):
            playing.played = faded(window, len(playing.cells))

    @staticmethod
    def _decode(
        decoder: Callable[..., Tensor],
        playings: Sequence[Playing],
        told: list[Array],
        hop_bars: int,
        **tables: list[Array],
    ) -> list[Array]:
        """Run the decoder once over every window of every take: each take's [n, 32, k]."""
        import torch

        from models.groove.heads import Chance

        def stacked(parts: Sequence[Array]) -> torch.Tensor:
            return torch.from_numpy(np.concatenate([cut(part, hop_bars) for part in parts]))

        counts = [len(cut(part, hop_bars)) for part in told]
        each = np.repeat(np.arange(len(playings)), counts)
        temperature = np.array([playing.request.temperature for playing in playings])[each, None, None]
        dice = [playing.dice for playing in playings]
        chance = Chance(
            stacked([d.strikes for d in dice]),
            stacked([d.velocities for d in dice]),
            stacked([d.offsets for d in dice]),
            torch.from_numpy(temperature),
        )
        z = torch.from_numpy(np.stack([playing.z for playing in playings])[each])
        given = {name: stacked(parts) for name, parts in tables.items()}
        with torch.inference_mode():
            answer = decoder(z, stacked(told), chance, **given)
        return np.split(answer.numpy(), np.cumsum(counts)[:-1])


def request_for(take: Take, mode: Mode, temperature: float = 0.0, seed: int = 0) -> GrooveRequest:
    """Ask for a whole take, or say that it is not in 4/4 or too long."""
    four_four(take)
    if take.bars > MAX_BARS:
        raise BadInput(f"{take.label}: {take.bars} bars; at most {MAX_BARS} at once. Cut it into parts.")
    return GrooveRequest(take.notes, take.bars, mode, temperature, seed)
