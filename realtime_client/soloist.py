"""What the brain decides: which chord holds, when another solo begins, and when to rest. No sockets, no threads.

    soloist = Soloist(settings, now_ns)
    for each in soloist.hear(letter, now_ns): ...      # letters to send; for the worker Jobs, and Silence
    for each in soloist.look(now_ns): ...              # at soloist.next_look_ns, and whenever anything came

A chord that comes into silence is answered at once: the model's first note is played when it comes, and a tone of the chord
if that takes too long. While the solo goes on, a new chord changes it from the commit horizon on, and the solo is kept
ahead of the beat. When no chord has come for some bars it rests, and counts the bars: the server reads along, so that its
next entry is as quick as the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from models.music.chords import Chord
from models.music.notes import TICKS_PER_QUARTER
from realtime_client.chord_collector import ChordCollector, HeardChord
from realtime_client.fallback import fallback_phrase, pickup_pitch
from realtime_client.generation_worker import Came, Ended
from realtime_client.messages import Beat, Control, Harmony, Heard, Hello, Message, Note, Phrase, Played, Server
from realtime_client.prompt_builder import STEP
from realtime_client.settings import RANGES, JamSettings
from realtime_client.solo import Deed, Solo

PICKUP_NS = 35_000_000
PICKUP_VELOCITY = 88
PICKUP_TICKS = 2 * STEP
SOON = TICKS_PER_QUARTER
"""A first note that falls so soon is played when it comes, even where a pick-up was heard before."""
KNOBS = ("temperature", "top_p", "chord_bias", "lookahead_bars", "seed")


@dataclass
class Entry:
    """A chord that came into silence and waits for a first note."""

    trigger_ns: int
    sounded: bool = False


class Soloist:
    """One session's decisions; `hear` and `look` return what follows from them."""

    def __init__(self, settings: JamSettings, now_ns: int, remembered: str = "") -> None:
        self.chord: Chord | None = None
        self.resting = True
        self._deeds: list[Deed] = []
        self._solo = Solo(settings, now_ns, self._deeds.append)
        self._stopped = False
        self._collector = ChordCollector()
        self._entry: Entry | None = None
        self._asked_for: Chord | None = None
        """The chord that the plan was made for; another one waits until it is settled."""
        self._harmony: Harmony | None = None
        self._phrase: Phrase | None = None
        if remembered:
            self._remember(remembered, now_ns)

    @property
    def epoch(self) -> int:
        """The number of the solo's newest plan."""
        return self._solo.epoch

    @property
    def next_look_ns(self) -> int:
        """When to look at the latest; 0 for not before a letter (they come twenty times a second)."""
        entry = self._entry
        pickup_ns = entry.trigger_ns + PICKUP_NS if entry and not entry.sounded else 0
        return min(filter(None, (self._collector.next_look_ns, pickup_ns)), default=0)

    @property
    def memory(self) -> str:
        """What another brain needs to go on."""
        knobs = {name: getattr(self._solo.settings, name) for name in ("style", *KNOBS)}
        playing = self.chord if not self.resting else None
        return json.dumps({"chord": str(playing or ""), "stopped": self._stopped, "knobs": knobs})

    def hear(self, letter: Message | Came | Ended, now_ns: int) -> list[Deed]:
        """Take in a letter."""
        match letter:
            case Heard():
                self._chord_heard(self._collector.hear(letter), now_ns)
            case Beat():
                self._keep_time(letter)
            case Came():
                self._note_came(letter, now_ns)
            case Ended():
                self._solo.job_ended(letter, now_ns)
            case Played() if letter.source != "model":
                self._solo.prompt.play(
                    (letter.pitch, letter.velocity, letter.onset_ticks, max(1, letter.duration_ticks))
                )
            case Server():
                self._solo.server_changed(letter, now_ns)
            case Control():
                self._turned(letter, now_ns)
            case Hello(who) if who != "main":
                self._greeted(who)
        return self.look(now_ns)

    def look(self, now_ns: int) -> list[Deed]:
        """Do what is due."""
        self._chord_heard(self._collector.look(now_ns), now_ns)
        if self._solo.runs:
            if self.resting:
                self._solo.mark_time(now_ns)
            else:
                self._pick_up(now_ns)
                self._rest_if_alone(now_ns)
                if not self.resting and self.chord == self._asked_for:
                    self._solo.go_on(now_ns)
        done = self._deeds.copy()
        self._deeds.clear()
        return done

    # Chords

    def _chord_heard(self, heard: HeardChord | None, now_ns: int) -> None:
        if heard is None:
            return
        self.chord = heard.chord
        place = self._solo.pulse.place(heard.first_note_ns) if self._solo.pulse else 0
        self._solo.prompt.harmony(place, heard.chord)
        if not self._stopped and (self.resting or heard.chord != self._asked_for):
            self._answer(heard, now_ns)
        self._harmony = Harmony(now_ns, heard.first_note_ns, place, str(heard.chord), heard.settled, self.epoch)
        self._deeds.append(self._harmony)

    def _answer(self, heard: HeardChord, now_ns: int) -> None:
        """A chord that is new: other notes from here on."""
        if self.resting:
            self._entry, self._asked_for = Entry(heard.first_note_ns), None
        begins, self.resting = self.resting, False
        self._make_phrase()
        if not self._solo.runs:
            return
        waits = self._entry is not None and not self._entry.sounded
        if self._is_worth_asking(heard):
            self._begin(now_ns, 0 if waits else self._solo.commit, heard.first_note_ns)
        elif begins:
            self._solo.plan(now_ns, 0)

    def _is_worth_asking(self, heard: HeardChord) -> bool:
        """Whether to ask for a guess: it keeps the server busy until a first note, be it right or wrong."""
        return heard.settled or heard.known or self._solo.is_quick

    def _begin(self, now_ns: int, ahead: int, trigger_ns: int = 0) -> None:
        """Let a solo over the chord that holds begin so far ahead of now."""
        self._asked_for = self.chord
        self._solo.begin(now_ns, ahead, trigger_ns)

    def _make_phrase(self) -> None:
        pulse, chord = self._solo.pulse, self.chord
        if pulse and chord:
            made = fallback_phrase(chord, pulse.beat.beats_a_bar, pulse.beat.tempo_bpm, self._solo.settings.seed)
            if made != self._phrase:
                self._phrase = made
                self._deeds.append(made)

    # First notes

    def _pick_up(self, now_ns: int) -> None:
        """Play a tone of the chord when the model takes too long for a first note."""
        entry, pulse = self._entry, self._solo.pulse
        if not entry or entry.sounded or now_ns < entry.trigger_ns + PICKUP_NS or not self.chord or not pulse:
            return
        entry.sounded = True
        place, pitch = pulse.place(now_ns), pickup_pitch(self.chord)
        self._deeds.append(Note(self.epoch, pitch, PICKUP_VELOCITY, place, PICKUP_TICKS, "pickup", at_once=True))

    def _note_came(self, came: Came, now_ns: int) -> None:
        pulse, at_once = self._solo.pulse, False
        if not pulse or not self._solo.awaits(came.job):
            return
        if entry := self._entry:
            at_once = not entry.sounded or came.note[2] < pulse.place(now_ns) + SOON
            self._entry = None
        self._solo.take(came.note, at_once)

    # Time

    def _keep_time(self, beat: Beat) -> None:
        before = self._solo.pulse
        self._solo.keep_time(beat, self.chord)
        if before is None or before.beat.beats_a_bar != beat.beats_a_bar:
            self._make_phrase()

    def _rest_if_alone(self, now_ns: int) -> None:
        bars, pulse = self._solo.settings.rest_after_bars, self._solo.pulse
        if bars and pulse and not self._collector.is_held and now_ns - self._collector.heard_ns > bars * pulse.bar_ns:
            self._rest(pulse.bar_line(pulse.place(now_ns)) + pulse.bar_length)

    def _rest(self, ticks: int) -> None:
        """Play nothing from here on, until a chord comes."""
        self.resting, self._entry = True, None
        self._collector.forget()
        self._solo.rest(ticks)

    # Words from outside

    def _turned(self, control: Control, now_ns: int) -> None:
        name, value = control
        if name in ("stop", "panic") and self._solo.pulse:
            self._stopped = name == "stop"
            self._rest(self._solo.pulse.place(now_ns))
        elif name == "start":
            self._stopped = False
        elif name == "style":
            self._knob(name, str(value), now_ns)
        elif name in KNOBS:
            low, high = RANGES.get(name, (0, 2**31))
            number = min(high, max(low, float(value)))
            self._knob(name, int(number) if name == "seed" else number, now_ns)

    def _knob(self, name: str, value: str | float, now_ns: int) -> None:
        self._solo.settings = self._solo.settings._replace(**{name: value})
        if name != "lookahead_bars" and not self.resting and self._solo.runs:
            self._begin(now_ns, self._solo.commit)

    def _greeted(self, who: str) -> None:
        """Tell whoever has just begun how things stand."""
        if who == "rt":
            self._solo.pulse = None  # its ticks begin anew
            self._entry = None
            if self._phrase:
                self._deeds.append(self._phrase)
        self._deeds.append(self._solo.server)
        if self._harmony:
            self._deeds.append(self._harmony)

    def _remember(self, text: str, now_ns: int) -> None:
        """Go on where another brain has ended."""
        kept = json.loads(text)
        self._solo.settings = self._solo.settings._replace(**kept["knobs"])
        self._stopped = bool(kept["stopped"])
        if kept["chord"]:
            self.chord = self._asked_for = self._collector.latched = Chord.parse(kept["chord"])
            self._collector.heard_ns = now_ns
            self.resting = False
