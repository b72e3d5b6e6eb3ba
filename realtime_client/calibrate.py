"""How late your sound comes: you tap along to clicks, and every later session makes up for it.

for line in calibrate(settings): print(line)

The clicks leave by the output port as solos do, you hear them through your DAW and tap any key with them. The median of
sixteen taps is the offset: notes then leave earlier by as much, so that a solo sounds with the beat that you hear.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from models.music.errors import BadInput
from realtime_client.band import Band
from realtime_client.messages import TICKS_PER_QUARTER, Heard, Known, Note, Plan, Played
from realtime_client.midi_bytes import KIND, NOTE_ON
from realtime_client.session import remember
from realtime_client.settings import JamSettings

CLICK, CLICK_VELOCITY, CLICK_TICKS = 76, 100, 120
LISTENED, TAPPED, NEEDED = 4, 16, 8
"""Clicks to find the beat, clicks to tap with, and taps that a median needs."""
NEAR_NS = 250_000_000


def calibrate(settings: JamSettings) -> Iterator[str]:
    """Play clicks, listen to taps, keep the offset."""
    yield f"{LISTENED} clicks to listen to, then tap any key of your keyboard with each of {TAPPED} more."
    due_ns, taps_ns = _tapped(settings._replace(offset_ms=0.0))
    off_ms = [min((tap - due for due in due_ns), key=abs) / 1e6 for tap in taps_ns]
    near = [each for each in off_ms if abs(each) * 1e6 < NEAR_NS]
    if len(near) < NEEDED:
        raise BadInput(
            f"calibrate: {len(near)} taps were heard near a click, {NEEDED} are needed."
            " `jamflow jam devices` shows the ports; does your DAW play what comes from ours?"
        )
    late_ms = statistics.median(near)
    spread_ms = statistics.median(abs(each - late_ms) for each in near)
    remember(-late_ms)
    yield f"{len(near)} taps, {abs(late_ms):.0f} ms {'after' if late_ms >= 0 else 'before'} the clicks, give or take {spread_ms:.0f}."
    yield f"Notes now leave {abs(late_ms):.0f} ms {'earlier' if late_ms >= 0 else 'later'}; --offset-ms overrules it."


def _tapped(settings: JamSettings) -> tuple[list[int], list[int]]:
    """When each click was due, and when each key went down."""
    due_ns: list[int] = []
    taps_ns: list[int] = []
    with Band(settings, names=("rt",)) as band:
        band.wait_until_it_plays()
        assert band.status is not None, "it plays"
        first = (band.status.ticks // TICKS_PER_QUARTER + 2) * TICKS_PER_QUARTER
        clicks = LISTENED + TAPPED
        band.send(Plan(1, first))
        for number in range(clicks):
            band.send(Note(1, CLICK, CLICK_VELOCITY, first + number * TICKS_PER_QUARTER, CLICK_TICKS))
        band.send(Known(1, first + clicks * TICKS_PER_QUARTER))
        end = time.monotonic() + (clicks + 3) * 60 / settings.tempo_bpm
        while time.monotonic() < end:
            for letter in band.tend():
                if isinstance(letter, Played):
                    due_ns.append(letter.due_ns)
                elif isinstance(letter, Heard) and letter.data[0] & KIND == NOTE_ON and letter.data[2]:
                    taps_ns.append(letter.at_ns)
    return due_ns[LISTENED:], taps_ns
