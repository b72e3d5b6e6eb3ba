"""A closer and slower look at a separator: BSS Eval v4 by museval, and how natural the vocals sound.

    look_closer(separate, corpus["test"][:3], corpus.stems, corpus.rate_hz)
    # {"museval_sdr_drums": 5.1, "museval_sir_drums": 9.8, …, "pesq_vocals": 2.1, "stoi_vocals": 0.83}

PESQ and STOI hear at 16 kHz and belong to speech: they are packages of their own (`pip install pesq pystoi`), and what is
not installed is left out with a line that says so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.music.audio import LISTENING_RATE_HZ, Audio
from models.separation.dataset import PreparedSong
from models.separation.metrics import bss_eval, is_silent
from models.separation.report import Separate

log = logging.getLogger(__name__)
EXCERPT_S = 10.0
SUNG = "vocals"


def look_closer(
    separate: Separate, songs: Sequence[PreparedSong], stems: Sequence[str], rate_hz: int, excerpt_s: float = EXCERPT_S
) -> dict[str, float]:
    """Judge the beginning of every song; medians over songs. museval takes two seconds for one of sound."""
    found: dict[str, list[float]] = {}
    for song in songs:
        true = song.stems()[..., : round(excerpt_s * rate_hz)]
        answer = separate(true.sum(0))
        scores = bss_eval(true, answer, rate_hz)
        for place, stem in enumerate(stems):
            if not is_silent(true[place]):
                for name, values in scores.items():
                    found.setdefault(f"museval_{name}_{stem}", []).append(float(values[place]))
        if SUNG in stems and not is_silent(true[stems.index(SUNG)]):
            place = stems.index(SUNG)
            for name, value in voice_quality(true[place], answer[place], rate_hz).items():
                found.setdefault(f"{name}_{SUNG}", []).append(value)
    return {name: float(np.median(values)) for name, values in found.items()}


def voice_quality(true: NDArray[np.float32], answer: NDArray[np.float32], rate_hz: int) -> dict[str, float]:
    """[c, t] each -> wide-band PESQ (1 to 4.6) and STOI (0 to 1), as far as they are installed."""
    heard, spoken = (Audio(x, rate_hz).mono().at_rate(LISTENING_RATE_HZ).samples[0] for x in (true, answer))
    found = {}
    for name, judge in {"pesq": _pesq, "stoi": _stoi}.items():
        try:
            found[name] = judge(heard, spoken)
        except ImportError:
            log.warning("%s is left out: it is not installed (pip install pesq pystoi)", name)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _pesq(true: NDArray[np.float32], answer: NDArray[np.float32]) -> float:
    from pesq import PesqError, pesq  # pyright: ignore[reportMissingImports]

    return float(pesq(LISTENING_RATE_HZ, true, answer, "wb", on_error=PesqError.RETURN_VALUES))


def _stoi(true: NDArray[np.float32], answer: NDArray[np.float32]) -> float:
    from pystoi import stoi  # pyright: ignore[reportMissingImports]

    return float(stoi(true, answer, LISTENING_RATE_HZ))
