"""Who gives the beat: ourselves, a tapping foot, a MIDI clock, or FL Studio.

    conductor = Conductor(clock, "midi", tell)      # tell(word, text): something happened
    conductor.hear(data, at_ns)                     # every message that comes in; the clock follows
    conductor.look(now_ns)                          # now and then: has the beat been lost?

Until a beat comes, and after it was lost, the clock goes on by itself, so that a chord is always answered. A transport that
stopped is no lost beat: then the music stands. FL Studio's beacons give the tempo exactly and the place roughly; where it
sends a MIDI clock too, that gives the phase.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise

from realtime_client.clock import Clock, Timeline
from realtime_client.fl_studio.beacons import read_beacon
from realtime_client.messages import TICKS_PER_QUARTER
from realtime_client.phase_lock import PhaseLock
from realtime_client.settings import CLOCKS, RANGES

PULSE, START, CONTINUE, STOP, SONG_POSITION, SYSEX = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2, 0xF0
TRANSPORT = {START: 1, CONTINUE: 1, STOP: 1, SONG_POSITION: 3}
"""Their lengths in bytes."""
PULSES_PER_QUARTER = 24
PULSE_TICKS = TICKS_PER_QUARTER // PULSES_PER_QUARTER
SONG_POSITION_TICKS = TICKS_PER_QUARTER // 4
JUMP_TICKS = TICKS_PER_QUARTER // 2
"""Who is so far from where we are has gone elsewhere; who is nearer is only early or late."""
LOST_NS = {"midi": 500_000_000, "fl": 3_000_000_000}
BEACON_PULL = 0.1
"""How much of a beacon's small disagreement is believed."""
TAPS, TAP_PAUSE_NS = 8, 2_000_000_000
LOWEST_BPM, HIGHEST_BPM = RANGES["tempo_bpm"]
Tell = Callable[[str, str], None]


class Conductor:
    def __init__(self, clock: Clock, follows: str, tell: Tell) -> None:
        self.clock = clock
        self._tell = tell
        self._taps: deque[int] = deque(maxlen=TAPS)
        self.follow(follows)

    def follow(self, follows: str) -> None:
        """Listen to another; until it is heard, the beat goes on as it did."""
        if follows not in CLOCKS:
            return self._tell("refused", f"clock is {follows!r}; give one of {', '.join(CLOCKS)}.")
        self._follows = follows
        self.clock.source = "internal"
        self._lock = PhaseLock()
        self._pulse_ticks: float | None = None
        """The next pulse's place."""
        self._pulse_ns = self._heard_ns = 0
        self._song_ticks: float | None = None
        """Where the song goes on at the next start."""
        self._lost = False

    @property
    def _is_led(self) -> bool:
        return self.clock.source == self._follows != "internal"

    def hear(self, data: tuple[int, ...], at_ns: int) -> None:
        """Follow a message, if it comes from whom we follow."""
        kind = data[0]
        if kind == PULSE and self._follows != "internal":
            self._found(at_ns)
            self._pulse(at_ns)
        elif kind == SYSEX and self._follows == "fl":
            self._beacon(bytes(data), at_ns)
        elif TRANSPORT.get(kind) == len(data) and self._follows == "midi":
            self._found(at_ns)
            self._transport(kind, data, at_ns)

    def look(self, now_ns: int) -> None:
        """Go on alone when the beat has been lost."""
        silent_ns = now_ns - self._heard_ns
        if self._is_led and self.clock.timeline.running and silent_ns > LOST_NS[self._follows]:
            self.clock.source, self._lost = "internal", True
            self._lock = PhaseLock(self._lock.period_ns)
            tempo = f"{self.clock.timeline.tempo_bpm:.1f} BPM"
            self._tell("clock-lost", f"no {self._follows} clock for {silent_ns / 1e9:.1f} s; going on at {tempo}")

    def set_tempo(self, now_ns: int, tempo_bpm: float) -> None:
        if self._is_led:
            self._tell("refused", f"tempo comes from {self._follows}; choose the internal clock to set it.")
        elif not LOWEST_BPM <= tempo_bpm <= HIGHEST_BPM:
            self._tell("refused", f"tempo is {tempo_bpm:g}; give {LOWEST_BPM:g} to {HIGHEST_BPM:g} BPM.")
        else:
            self.clock.set_tempo(now_ns, tempo_bpm)

    def tap(self, now_ns: int) -> None:
        """Take a tap of the foot: from the second on the beat is there, and the tempo that of the taps."""
        if self._is_led:
            return self._tell("refused", f"the beat comes from {self._follows}; choose the internal clock to tap it.")
        if self._taps and now_ns - self._taps[-1] > TAP_PAUSE_NS:
            self._taps.clear()
        self._taps.append(now_ns)
        if len(self._taps) > 1:
            gaps = sorted(later - earlier for earlier, later in pairwise(self._taps))
            self.clock.set_tempo(now_ns, min(max(60e9 / gaps[len(gaps) // 2], LOWEST_BPM), HIGHEST_BPM))
            self.clock.leap(now_ns, 0, within=TICKS_PER_QUARTER)
            self.clock.source = "tap"

    def _pulse(self, at_ns: int) -> None:
        """Follow a 24th of a quarter."""
        self._pulse_ns = at_ns
        self._lock.hear(at_ns)
        if not self.clock.timeline.running:
            return
        here = self.clock.place(at_ns)
        ticks = _nearest_pulse(here) if self._pulse_ticks is None else self._pulse_ticks
        timeline = Timeline(at_ns, ticks, self.clock.timeline.tempo_bpm)
        if self._lock.is_locked:
            timeline = Timeline(round(self._lock.at_ns), ticks, 60e9 / (PULSES_PER_QUARTER * self._lock.period_ns))
        self.clock.take(timeline)
        if abs(timeline.ticks_at(at_ns) - here) > JUMP_TICKS:
            ticks = self._jump(ticks - self.clock.bar_ticks, at_ns)
        self._pulse_ticks = ticks + PULSE_TICKS

    def _transport(self, kind: int, data: tuple[int, ...], at_ns: int) -> None:
        if kind == STOP:
            return self.clock.stand(at_ns)
        if kind == SONG_POSITION:
            self._song_ticks = (data[1] | data[2] << 7) * SONG_POSITION_TICKS
            if not self.clock.timeline.running:
                return
        elif kind == START:
            self._song_ticks = 0.0
        self.clock.run(at_ns)
        self._lock = PhaseLock(self._lock.period_ns)  # the phase begins anew, the tempo is probably the same
        if self._song_ticks is not None:
            self._pulse_ticks = self._jump(self._song_ticks, at_ns)
            self._song_ticks = None

    def _beacon(self, data: bytes, at_ns: int) -> None:
        beacon = read_beacon(data)
        if beacon is None:
            return
        self._found(at_ns)
        clock, stood = self.clock, not self.clock.timeline.running
        clock.set_bar(at_ns, beacon.beats_a_bar)
        clock.set_tempo(at_ns, beacon.tempo_bpm)
        if not beacon.playing:
            return clock.stand(at_ns)
        clock.run(at_ns)
        if self._lock.is_locked:
            self._lock.period_ns = 60e9 / (PULSES_PER_QUARTER * beacon.tempo_bpm)
        ahead = clock.disagreement(at_ns, beacon.song_ticks)
        if stood or abs(ahead) > JUMP_TICKS:
            self._pulse_ticks = _nearest_pulse(self._jump(beacon.song_ticks, at_ns))
        elif at_ns - self._pulse_ns > LOST_NS["midi"]:  # no pulses: the beacons give the phase too
            clock.take(clock.timeline._replace(ticks=clock.timeline.ticks + BEACON_PULL * ahead))

    def _jump(self, song_ticks: float, at_ns: int) -> float:
        """Leap ahead to where the song's place is in its bar."""
        before = self.clock.place(at_ns)
        after = self.clock.leap(at_ns, song_ticks)
        if after - before > PULSE_TICKS:
            self._tell("jump", f"the song went to its quarter {song_ticks / TICKS_PER_QUARTER:.2f}")
        return after

    def _found(self, at_ns: int) -> None:
        self._heard_ns = at_ns
        self.clock.source = self._follows
        if self._lost:
            self._lost = False
            self._tell("clock-back", f"the {self._follows} clock is back")


def _nearest_pulse(ticks: float) -> int:
    return round(ticks / PULSE_TICKS) * PULSE_TICKS
