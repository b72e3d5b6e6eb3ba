"""Play a beat on a kit: sample-accurate, dynamic, never clipped.

    loop = render(beat, read_kit("pools_1.json"), rate_hz=44_100)      # stereo Audio
    write_audio("render_1.wav", loop)

- An event begins on the sample nearest to its step's time plus its micro-offset. The file begins at bar 0, as the MIDI
  beside it does: a hit that is early on the very first step begins with the file.
- Velocity is loudness and tone: gain = vel^1.5, and a softer hit is duller (its treble is blended towards a low-passed
  copy of the sample), as on a real drum.
- Samples are levelled to one peak, then roles sit in a mix: hats below the snare, textures below everything.
- Short MOTION sounds are hats and choke one another; cymbals and all other drums ring out, beyond the last bar too.
- One gain for the whole loop keeps its true peak (four times oversampled) below -1 dBFS: nothing is limited or clipped,
  so balance and attacks stay as they were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.drums.events import Beat, Event, Role
from models.drums.kit import Kit, load_sounds
from models.music.audio import HOUSE_RATE_HZ, Audio
from models.music.errors import BadConfig, BadInput

CEILING_DB = -1.0
_HEADROOM_DB = 0.1  # what one oversampling filter reads less than another
OVERSAMPLING = 4
MAX_MINUTES = 60
ROLE_LEVEL_DB: dict[Role, float] = {"CORE": -2.0, "ACCENT": -4.0, "FILL": -5.0, "MOTION": -11.0, "TEXTURE": -16.0}
SAMPLE_PEAK, SILENT_PEAK = 0.9, 1e-4
LOUDNESS_CURVE = 1.5
DULL_CUTOFF_HZ = 1_800.0
HAT_SECONDS = 0.6
"""A MOTION sound that falls to -40 dB within this time is a hat."""
CHOKE_MS, TEXTURE_RELEASE_MS = 6.0, 120.0

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class _Drum:
    """A sample ready to be struck."""

    bright: Samples
    dull: Samples
    is_hat: bool


@dataclass(frozen=True)
class _Strike:
    """One event in samples: where it begins and how long it sounds before it fades."""

    event: Event
    drum: _Drum
    start: int
    length: int
    fade: int

    @property
    def end(self) -> int:
        return self.start + self.length


def render(beat: Beat, kit: Kit, rate_hz: int = HOUSE_RATE_HZ) -> Audio:
    """Play every event; the result is stereo, whole bars long or longer where a tail rings on."""
    if not 8_000 <= rate_hz <= 192_000:
        raise BadConfig(f"render_sr is {rate_hz}; give 8000 to 192000 Hz (try 44100).")
    loop_frames = round(beat.grid.bars * beat.grid.bar_seconds * rate_hz)
    if loop_frames > MAX_MINUTES * 60 * rate_hz:
        minutes = loop_frames / rate_hz / 60
        raise BadInput(
            f"{beat.label}: {minutes:.0f} minutes of beat; at most {MAX_MINUTES} are rendered. Use fewer bars."
        )
    sounds = load_sounds(kit, rate_hz, {event.sample_id for event in beat.events})
    drums = {sample_id: _tuned(sound) for sample_id, sound in sounds.items()}
    strikes = _strikes(beat, drums, rate_hz)
    mix = np.zeros((2, max([loop_frames, *(strike.end for strike in strikes)])), np.float32)
    for strike in strikes:
        _strike(mix, strike)
    return Audio(under_ceiling(mix), rate_hz, f"{beat.label} rendered")


def true_peak_db(samples: Samples) -> float:
    """Measure the peak between the samples, four times oversampled, in dBFS."""
    from scipy.signal import resample_poly

    peak = float(np.abs(samples).max())
    if peak == 0:
        return -np.inf
    highest = peak
    for begin, end in _loud_spans(samples, peak / 2):  # elsewhere even the curve between samples stays below the peak
        curve = resample_poly(samples[:, begin:end], OVERSAMPLING, 1, axis=1)
        highest = max(highest, float(np.abs(curve).max()))
    return 20 * float(np.log10(highest))


def under_ceiling(samples: Samples) -> Samples:
    """Turn the whole down, if it must be, so that its true peak stays below the ceiling; never up."""
    excess_db = true_peak_db(samples) - (CEILING_DB - _HEADROOM_DB)
    return samples if excess_db <= 0 else samples * np.float32(10 ** (-excess_db / 20))


def _tuned(sound: Audio) -> _Drum:
    from scipy.signal import lfilter

    bright = sound.samples * np.float32(SAMPLE_PEAK / sound.peak if sound.peak > SILENT_PEAK else 1.0)
    keep = np.exp(-2 * np.pi * DULL_CUTOFF_HZ / sound.rate_hz)
    dull = np.asarray(lfilter([1 - keep], [1, -keep], bright), np.float32)
    loud = np.flatnonzero(np.abs(sound.samples).max(0) > 0.01 * sound.peak)
    return _Drum(bright, dull, len(loud) == 0 or loud[-1] < HAT_SECONDS * sound.rate_hz)


def _strikes(beat: Beat, drums: dict[str, _Drum], rate_hz: int) -> list[_Strike]:
    """Place every event; the one that ends a sound early is the next hat, or a texture's own length."""
    starts = np.maximum(0, np.rint(beat.onset_seconds() * rate_hz)).astype(int).tolist()
    hat_starts = np.unique([start for start, e in zip(starts, beat.events, strict=True) if _is_hat(e, drums)])
    step_frames = beat.grid.step_seconds * rate_hz
    strikes = []
    for start, event in zip(starts, beat.events, strict=True):
        drum = drums[event.sample_id]
        length, fade = drum.bright.shape[1], 0
        if event.role == "TEXTURE":
            gate, fade = round(event.dur_steps * step_frames), round(TEXTURE_RELEASE_MS * rate_hz / 1000)
            length = min(length, gate + fade)
        elif _is_hat(event, drums) and (later := hat_starts[hat_starts > start]).size:
            gate, fade = int(later[0]) - start, round(CHOKE_MS * rate_hz / 1000)
            length = min(length, gate + fade)
        cut = length < drum.bright.shape[1]
        strikes.append(_Strike(event, drum, start, length, min(fade, length) if cut else 0))
    return strikes


def _is_hat(event: Event, drums: dict[str, _Drum]) -> bool:
    return event.role == "MOTION" and drums[event.sample_id].is_hat


def _strike(mix: Samples, strike: _Strike) -> None:
    """Add one hit to the mix, in place: the mix is this module's own."""
    event, drum = strike.event, strike.drum
    gain = event.vel**LOUDNESS_CURVE * 10 ** (ROLE_LEVEL_DB[event.role] / 20)
    brightness = 0.2 + 0.8 * event.vel
    sound = drum.bright[:, : strike.length] * np.float32(gain * brightness)
    if brightness < 1:
        sound += drum.dull[:, : strike.length] * np.float32(gain * (1 - brightness))
    if strike.fade:
        sound[:, -strike.fade :] *= np.cos(np.linspace(0, np.pi / 2, strike.fade, dtype=np.float32)) ** 2
    mix[:, strike.start : strike.end] += sound


def _loud_spans(samples: Samples, threshold: float, block: int = 2048, margin: int = 64) -> list[tuple[int, int]]:
    """Give the spans whose samples pass a threshold, neighbours joined, with room for a filter at both ends."""
    frames = samples.shape[1]
    heights = np.abs(samples).max(0)
    peaks = np.maximum.reduceat(heights, np.arange(0, frames, block))
    loud = np.flatnonzero(peaks > threshold)
    runs = np.split(loud, np.flatnonzero(np.diff(loud) > 1) + 1)
    return [(max(0, run[0] * block - margin), min(frames, (run[-1] + 1) * block + margin)) for run in runs]
