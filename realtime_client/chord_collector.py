"""Hear chords while they are played: a guess at the first note, the chord as soon as the hands are still.

    collector = ChordCollector()
    heard = collector.hear(message)           # HeardChord, or None: nothing new
    heard = collector.look(now_ns)            # at collector.next_look_ns, or at any time

A chord opens with its first note-on. Notes that come within ROLL join it, so that a rolled chord is one; it is settled
when no key has moved for STILL. What is struck together counts more than what still sounds, because hands and pedal leave
the last chord late. A single note is melody: it changes the chord only when it stays, and then only if another chord
explains what sounds much better. When one chord has followed another before, the first of its notes is enough to guess it.
"""

from __future__ import annotations

from typing import NamedTuple

from models.music.chords import Chord, fit, recognise
from realtime_client.messages import Heard
from realtime_client.midi_bytes import ALL_NOTES_OFF, ALL_SOUND_OFF, CONTROL_CHANGE, KIND, NOTE_OFF, NOTE_ON, PEDAL

STILL_NS, FEW_STILL_NS = 22_000_000, 50_000_000
"""Where fewer notes than a chord's were struck, more may follow."""
ROLL_NS = 70_000_000
STAYS_NS = 220_000_000
"""A single note that is held for so long may be more than melody."""
MUCH_BETTER = 1.0
CHORD_TONES = 3
"""So many pitch classes at once are a chord by themselves."""
PEDAL_DOWN = 64
SOFT = 0.6
"""A finger that catches the neighbour's key strikes it more softly than the loudest note by this."""


class HeardChord(NamedTuple):
    """A chord, guessed or settled."""

    chord: Chord
    first_note_ns: int
    settled: bool
    known: bool = False
    """Guessed because it came here before, not from its notes alone."""


class ChordCollector:
    """Everything in time comes from outside: messages carry theirs, and `look` is told it."""

    def __init__(self) -> None:
        self.latched: Chord | None = None
        """The chord that holds until another comes."""
        self.heard_ns = 0
        """When a key last went down."""
        self._keys: set[int] = set()
        self._pedalled: set[int] = set()
        self._pedal = False
        self._fresh: dict[int, int] = {}
        self._first_ns = 0
        self._still_at_ns = 0
        self._stays_at_ns = 0
        self._guessed: Chord | None = None
        self._follows: dict[tuple[Chord | None, int], Chord] = {}

    @property
    def is_held(self) -> bool:
        """Whether anything sounds."""
        return bool(self._keys or self._pedalled)

    @property
    def next_look_ns(self) -> int:
        """When to look again; 0 for not before the next message."""
        return min(filter(None, (self._still_at_ns, self._stays_at_ns)), default=0)

    def forget(self) -> None:
        """Let go of the chord: the next note opens another one, even the same."""
        self.latched = self._guessed = None
        self._first_ns = self._still_at_ns = self._stays_at_ns = 0

    def hear(self, message: Heard) -> HeardChord | None:
        """Take in a MIDI message."""
        if len(message.data) < 3:
            return None
        kind, number, value = message.data[0] & KIND, message.data[1], message.data[2]
        if kind == NOTE_ON and value:
            return self._strike(message.at_ns, number, value)
        if kind in (NOTE_ON, NOTE_OFF):
            self._keys.discard(number)
            if self._pedal:
                self._pedalled.add(number)
        elif kind == CONTROL_CHANGE and number == PEDAL:
            self._pedal = value >= PEDAL_DOWN
            self._pedalled = set(self._keys) if self._pedal else set()
        elif kind == CONTROL_CHANGE and number in (ALL_SOUND_OFF, ALL_NOTES_OFF):
            self._keys.clear()
            self._pedalled.clear()
        return None

    def look(self, now_ns: int) -> HeardChord | None:
        """Settle what has been still for long enough."""
        if 0 < self._still_at_ns <= now_ns:
            self._still_at_ns = 0
            return self._settle(self._named())
        if 0 < self._stays_at_ns <= now_ns:
            self._stays_at_ns = 0
            if self._keys.intersection(self._fresh):
                return self._settle(self._much_better())
        return None

    def _strike(self, at_ns: int, pitch: int, velocity: int) -> HeardChord | None:
        if not self._first_ns or at_ns - self.heard_ns > ROLL_NS:
            self._first_ns, self._guessed = at_ns, None
            self._fresh.clear()
        self.heard_ns = at_ns
        self._keys.add(pitch)
        if self._pedal:
            self._pedalled.add(pitch)
        self._fresh[pitch] = velocity
        few = len(self._classes()) < CHORD_TONES
        self._still_at_ns, self._stays_at_ns = at_ns + (FEW_STILL_NS if few else STILL_NS), at_ns + STAYS_NS
        remembered = self._remembered(pitch)
        guess = remembered or self._guess(pitch)
        if guess is None or guess in (self._guessed, self.latched):
            return None
        self._guessed = guess
        return HeardChord(guess, self._first_ns, settled=False, known=remembered is not None)

    def _remembered(self, pitch: int) -> Chord | None:
        """The chord that has followed this one before, if these notes can be its first; a single one is melody."""
        classes = self._classes()
        chord = self._follows.get((self.latched, pitch % 12))
        is_new = not self.latched or (len(classes) > 1 and not classes.issubset(self.latched.pitch_classes))
        return chord if chord and is_new and classes.issubset(chord.pitch_classes) else None

    def _guess(self, pitch: int) -> Chord | None:
        """The chord that these notes may become."""
        classes = self._classes()
        if self.latched and classes.issubset(self.latched.pitch_classes):
            return None  # the same again
        if len(classes) >= CHORD_TONES:
            return self._named()
        return None if self.latched or self._guessed else Chord(pitch % 12, "major")

    def _named(self) -> Chord | None:
        """The chord of what was struck together, and of what sounds beside it where that is too little."""
        classes = self._classes()
        if len(classes) >= CHORD_TONES:
            below = {key for key in self._keys if key < min(self._fresh)}
            return recognise(self._meant() | (below if len({key % 12 for key in below}) == 1 else set()))
        if self.latched and (len(classes) == 1 or classes.issubset(self.latched.pitch_classes)):
            return self.latched
        return recognise(self._meant() | self._keys | self._pedalled) or Chord(min(self._fresh) % 12, "major")

    def _meant(self) -> set[int]:
        """What was struck together, less what a finger has caught beside its key."""
        loud = SOFT * max(self._fresh.values())
        caught = {p for p, v in self._fresh.items() if v < loud and (p - 1 in self._fresh or p + 1 in self._fresh)}
        return self._fresh.keys() - caught

    def _classes(self) -> set[int]:
        return {pitch % 12 for pitch in self._meant()}

    def _much_better(self) -> Chord | None:
        """The chord of all that sounds, where the one that holds explains it badly."""
        sounding = self._keys | self._pedalled
        best = recognise(sounding)
        if best and self.latched and fit(best, sounding) - fit(self.latched, sounding) < MUCH_BETTER:
            return self.latched
        return best or self.latched

    def _settle(self, chord: Chord | None) -> HeardChord | None:
        changed = chord != self.latched or self._guessed not in (None, chord)
        if chord is None or not changed:
            return None
        if chord != self.latched:
            self._follows |= {(self.latched, each): chord for each in chord.pitch_classes}
        self.latched, self._guessed = chord, None
        return HeardChord(chord, self._first_ns, settled=True)
