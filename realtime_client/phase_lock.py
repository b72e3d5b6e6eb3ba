"""When each pulse of a clock really is, told from when pulses came: a phase-locked loop with a gate.

    lock = PhaseLock()
    lock.hear(perf_counter_ns())            # at every pulse
    lock.at_ns, lock.period_ns              # when the latest pulse was meant, and how far it is to the next

Who comes more than GATE_NS away from where it was expected moves nothing; twelve such in a row are a new tempo or a new
place, and the lock is made anew from them. Every pulse counts as one, however late: a MIDI port delays, it does not lose.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

KP, KI = 0.05, 0.001
GATE_NS = 6_000_000
NEW_LOCK = 12
"""Pulses outside the gate, one after another."""
SHORTEST_NS, LONGEST_NS = 5_000_000, 150_000_000
"""No music has other periods (500 and 17 BPM): a burst of pulses that were held up is no new tempo."""


class PhaseLock:
    def __init__(self, period_ns: float = 0.0) -> None:
        self.at_ns = 0.0
        self.period_ns = period_ns
        self._outside: deque[int] = deque(maxlen=NEW_LOCK)

    @property
    def is_locked(self) -> bool:
        return self.period_ns > 0

    def hear(self, at_ns: int) -> None:
        """Take one more pulse."""
        expected_ns = self.at_ns + self.period_ns if self.at_ns else at_ns
        error_ns = at_ns - expected_ns
        if self.is_locked and abs(error_ns) <= GATE_NS:
            self._outside.clear()
            self.at_ns = expected_ns + KP * error_ns
            self.period_ns += KI * error_ns
            return
        self.at_ns = expected_ns if self.is_locked else at_ns
        self._outside.append(at_ns)
        if len(self._outside) == NEW_LOCK:
            period_ns, latest_ns = _steady(self._outside)
            if SHORTEST_NS <= period_ns <= LONGEST_NS:
                self.period_ns, self.at_ns = period_ns, latest_ns
                self._outside.clear()


def _steady(pulses_ns: Sequence[int]) -> tuple[float, float]:
    """Lay a steady beat through pulses by Theil and Sen, whom stray pulses do not pull: its period and its last pulse."""
    count = len(pulses_ns)
    slopes = [(pulses_ns[b] - pulses_ns[a]) / (b - a) for a in range(count) for b in range(a + 1, count)]
    period = _median(slopes)
    return period, _median([at_ns + (count - 1 - n) * period for n, at_ns in enumerate(pulses_ns)])


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
