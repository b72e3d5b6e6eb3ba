# name=Jamflow
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Jamflow's ear inside FL Studio: tells where the song is, and does what it is asked to.

Put it in a folder Jamflow of FL's Settings/Hardware folder; docs/live.md tells where that is and what to click. FL lets a
script have no sockets, files or threads, so all goes as SysEx through the MIDI port that FL has given it, and at FL's own
events: OnIdle may never come. The letters are those of beacons.py; only what FL itself brings is imported here.
"""

import device
import general
import mixer
import transport
import ui

HEAD = bytes((0xF0, 0x7D, 0x4A, 0x46, 1))
END = bytes((0xF7,))
BEACON, HINT, COMMAND = b"B", b"H", b"C"
LONGEST = 1000
STOP, START, RECORD, TELL = range(4)
WIDTHS = (1, 3, 5, 3, 1, 1)
TICKS_PER_QUARTER = 960
ABSOLUTE_TICKS = 2
SLOWEST_MILLI_BPM = 1000  # FL's slowest is 10 BPM, which some builds write as 10 and some as 10000


class Place:
    """Where FL is, read in one go."""

    def __init__(self):
        tempo = mixer.getCurrentTempo()
        self.milli_bpm = int(round(tempo if tempo >= SLOWEST_MILLI_BPM else tempo * 1000))
        self.playing = bool(transport.isPlaying())
        self.recording = bool(transport.isRecording())
        quarter, bar = max(1, general.getRecPPQ()), max(1, general.getRecPPB())
        fl_ticks = max(0, int(transport.getSongPos(ABSOLUTE_TICKS)))
        self.ticks = fl_ticks * TICKS_PER_QUARTER // quarter
        self.bar = fl_ticks // bar + 1
        self.beat = fl_ticks % bar // quarter + 1
        self.beats_a_bar = max(self.beat, bar // quarter)

    def written(self):
        flags = (1 if self.playing else 0) | (2 if self.recording else 0)
        numbers = (flags, self.milli_bpm, self.ticks, self.bar, self.beat, self.beats_a_bar)
        body = b"".join(sevens(number, width) for number, width in zip(numbers, WIDTHS))
        return HEAD + BEACON + body + END

    def is_news_after(self, told):
        """Whether something is not as whoever heard the last beacon must think it is."""
        if told is None:
            return True
        mode = (self.milli_bpm, self.playing, self.recording, self.beats_a_bar)
        if mode != (told.milli_bpm, told.playing, told.recording, told.beats_a_bar):
            return True
        moved = self.ticks - told.ticks
        return moved < 0 or moved > (2 * TICKS_PER_QUARTER if self.playing else 0)  # while playing, each beat is told


class Bridge:
    """What was told and seen last, so that nothing is told twice and no loop is missed."""

    def __init__(self):
        self.told, self.seen_ticks = None, 0

    def tell(self, always=False):
        if not device.isAssigned():  # no output port of the same number as the input
            self.told = None
            return
        place = Place()
        if always or place.ticks < self.seen_ticks or place.is_news_after(self.told):
            device.midiOutSysex(place.written())
            self.told = place
        self.seen_ticks = place.ticks

    def hear(self, event):
        letter = bytes(event.sysex or b"")
        kind, body = letter[len(HEAD) : len(HEAD) + 1], letter[len(HEAD) + 1 : -1]
        if len(letter) > LONGEST or not letter.startswith(HEAD) or not letter.endswith(END):
            return
        if kind == HINT:
            ui.setHintMsg(body.decode("ascii", "replace"))
        elif kind == COMMAND and len(body) == 1:
            self.obey(body[0])
        else:
            return
        event.handled = True

    def obey(self, wanted):
        # start() and record() toggle: ask first.
        if wanted == STOP:
            transport.stop()
        elif wanted == START and not transport.isPlaying():
            transport.start()
        elif wanted == RECORD and not transport.isRecording():
            transport.record()
        self.tell(always=True)


def sevens(number, width):
    number = min(max(number, 0), (1 << 7 * width) - 1)
    return bytes(number >> 7 * place & 0x7F for place in reversed(range(width)))


bridge = Bridge()


def OnInit():
    if device.isAssigned():
        ui.setHintMsg("Jamflow listens")
    else:
        ui.setHintMsg("Jamflow: give this input an output with the same port number")
    bridge.tell(always=True)


def OnDeInit():
    bridge.told = None


def OnSysEx(event):
    bridge.hear(event)


def OnUpdateBeatIndicator(value):
    if value:  # 1 at a bar, 2 at a beat, 0 when the light goes out
        bridge.tell(always=True)


def OnRefresh(flags):
    bridge.tell()


def OnProjectLoad(status):
    bridge.tell(always=True)


def OnIdle():
    bridge.tell()
