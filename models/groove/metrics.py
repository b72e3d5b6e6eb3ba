"""How far a played groove is from a human's: errors beside distributions, since the mean wins one and loses the other.

    figures = measure(true, played, step_ms)                     # cells [n, 32, 27], [n, 32, 27], [n]
    low, high = interval(true, played, step_ms, performance, "timing_mae_ms")

Every figure counts the cells that the human struck. Timing in milliseconds at the performance's own tempo, velocity in
MIDI units. KL is of the human's histogram from the player's: 50 bins of ±half a sixteenth, 32 of velocity, 1e-6 added.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.groove.encoding import HITS, OFFSETS, VELOCITIES

Cells = NDArray[np.floating]
TIMING_BINS, VELOCITY_BINS, SMOOTHING = 50, 32, 1e-6
RESAMPLINGS = 10_000


def measure(true: Cells, played: Cells, step_ms: NDArray) -> dict[str, float]:
    """Return every figure of a playing against the human's."""
    struck = true[..., HITS] > 0.5
    lean, lean_played = (cells[..., OFFSETS][struck].astype(np.float64) / 2 for cells in (true, played))
    loud, loud_played = (cells[..., VELOCITIES][struck].astype(np.float64) * 127 for cells in (true, played))
    ms = np.broadcast_to(step_ms[:, None, None], struck.shape)[struck]
    return {
        "timing_mae_ms": float(np.abs((lean - lean_played) * ms).mean()),
        "timing_mse_16ths": float(np.square(lean - lean_played).mean()),
        "velocity_mae": float(np.abs(loud - loud_played).mean()),
        "velocity_rmse": float(np.sqrt(np.square(loud - loud_played).mean())),
        "timing_kl": divergence(lean, lean_played, TIMING_BINS, (-0.5, 0.5)),
        "velocity_kl": divergence(loud, loud_played, VELOCITY_BINS, (0.0, 128.0)),
        "timing_sd_ratio": float((lean_played * ms).std() / (lean * ms).std()),
        "velocity_sd_ratio": float(loud_played.std() / loud.std()),
        "same_step_correlation": same_step_correlation(struck, played[..., OFFSETS]),
    }


def divergence(true: NDArray, played: NDArray, bins: int, span: tuple[float, float]) -> float:
    """KL in nats of the true histogram from the played one."""
    p, q = (np.histogram(np.clip(x, *span), bins, span)[0] / len(x) + SMOOTHING for x in (true, played))
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


def same_step_correlation(struck: NDArray[np.bool_], offsets: Cells) -> float:
    """Correlate the leans of drums struck on one step: 0.5 for people, 1 for a sequencer with swing; 0 where none lean."""
    both = struck[..., :, None] & struck[..., None, :] & ~np.eye(struck.shape[-1], dtype=bool)
    one = np.broadcast_to(offsets[..., :, None], both.shape)[both]
    other = np.broadcast_to(offsets[..., None, :], both.shape)[both]
    if len(one) < 3 or one.std() < 1e-5:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def hit_f1(true: Cells, played: Cells) -> float:
    """Harmonic mean of the share of played hits that are right and of true hits that are played."""
    a, b = true[..., HITS] > 0.5, played[..., HITS] > 0.5
    return float(2 * (a & b).sum() / max(1, a.sum() + b.sum()))


def errors_by_performance(true: Cells, played: Cells, step_ms: NDArray, performance: NDArray) -> dict[str, NDArray]:
    """Sum what bootstrapping needs for each performance: hits, absolute timing and velocity errors."""
    struck = true[..., HITS] > 0.5
    late = np.abs(true[..., OFFSETS] - played[..., OFFSETS]) / 2 * step_ms[:, None, None] * struck
    soft = np.abs(true[..., VELOCITIES] - played[..., VELOCITIES]) * 127 * struck
    count = int(performance.max()) + 1
    return {
        name: np.bincount(performance, table.sum((1, 2)), count)
        for name, table in (("hits", struck), ("timing_mae_ms", late), ("velocity_mae", soft))
    }


def bootstrapped(
    sums: dict[str, NDArray], figure: str, against: dict[str, NDArray] | None = None, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval, over performances drawn again, of a mean error, or of how much less it is than another's."""
    there = sums["hits"] > 0
    hits, error = sums["hits"][there], sums[figure][there]
    if against is not None:
        error = against[figure][there] - error
    draws = np.random.default_rng(seed).integers(len(hits), size=(RESAMPLINGS, len(hits)))
    means = error[draws].sum(1) / hits[draws].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


Player = Callable[[Cells], Cells]
"""Takes cells of which it may look at the hits alone; returns them played."""


def quantised(train: Cells) -> Player:
    """Play on the grid at velocity 80."""
    return _table(np.zeros((1, 9)), np.full((1, 9), 80 / 127))


def global_mean(train: Cells) -> Player:
    """Play every hit alike: the training set's mean lean and velocity."""
    struck = train[..., HITS] > 0.5
    lean, loud = train[..., OFFSETS][struck].mean(), train[..., VELOCITIES][struck].mean()
    return _table(np.full((1, 9), lean), np.full((1, 9), loud))


def drum_mean(train: Cells) -> Player:
    """Play each drum at its mean."""
    return _table(*_means(train, (0, 1)))


def drum_and_step_mean(train: Cells) -> Player:
    """Play each drum at its mean on each sixteenth of the bar; a cell nobody struck, at its drum's."""
    by_bar = train.reshape(-1, 16, train.shape[-1])
    (lean, loud), (drum_lean, drum_loud) = _means(by_bar, (0,)), _means(train, (0, 1))
    return _table(np.where(np.isnan(lean), drum_lean, lean), np.where(np.isnan(loud), drum_loud, loud))


BASELINES: dict[str, Callable[[Cells], Player]] = {
    "quantised, velocity 80": quantised,
    "global mean": global_mean,
    "drum mean": drum_mean,
    "drum x step mean": drum_and_step_mean,
}


def _means(cells: Cells, over: tuple[int, ...]) -> tuple[NDArray, NDArray]:
    hits = (cells[..., HITS] > 0.5).astype(np.float64)
    count = hits.sum(over)
    count = np.where(count > 0, count, np.nan)
    lean, loud = ((cells[..., part] * hits).sum(over) / count for part in (OFFSETS, VELOCITIES))
    return np.atleast_2d(lean), np.atleast_2d(loud)


def _table(lean: NDArray, loud: NDArray) -> Player:
    """Play by a table [1 or 16, 9] of leans and velocities."""
    lean, loud = np.nan_to_num(lean), np.nan_to_num(loud, nan=80 / 127)

    def player(cells: Cells) -> Cells:
        hits = (cells[..., HITS] > 0.5).astype(np.float32)
        bars = cells.shape[-2] // len(lean)
        return np.concatenate([hits, hits * np.tile(loud, (bars, 1)), hits * np.tile(lean, (bars, 1))], axis=-1)

    return player
