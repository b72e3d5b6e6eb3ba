"""A stranger's sounds (MIDI, recordings, archives) are read or refused in one line by an error of ours, whatever is in them: nothing else ever comes out.

Known blows first, by name; then whatever hypothesis thinks of.
"""

from __future__ import annotations

import io
import json
import struct
import tarfile
import warnings
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from strange import BEAT, ROW, SEVERAL, answered, torn

from backstage.storage import bring
from models.drums.kit import read_kit
from models.drums.notation import read_beat_midi, write_beat_midi
from models.groove.dataset import prepare
from models.groove.sequences import performance_of_file
from models.music.audio import find_audio, read_audio, write_audio
from models.music.midi import read_midi, read_score, write_midi
from models.music.notes import Take
from models.practice.drum_sounds import synthesise

# MIDI, sound, archives.


@pytest.fixture(scope="module")
def midi(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A plain file of drums, and one that carries a beat's rows."""
    folder = tmp_path_factory.mktemp("midi")
    notes = np.array([(36, 100, 0, 240), (38, 90, 960, 240), (42, 80, 1440, 240)])
    write_midi(folder / "plain.mid", Take(notes), drums=True, texts=[(0, "hey")])
    write_audio(folder / "kick.wav", synthesise("kick", np.random.default_rng(0)))
    (folder / "pools_1.json").write_text(json.dumps({"CORE_POOL": [ROW]}))
    write_beat_midi(folder / "beat.mid", BEAT, read_kit(folder / "pools_1.json"))
    return (folder / "plain.mid").read_bytes(), (folder / "beat.mid").read_bytes()


def _ticks(number: int) -> bytes:
    """A MIDI file's way to write a number, of any size."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | number & 0x7F)
    return bytes(reversed(groups))


def _midi(track: bytes, division: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, division) + b"MTrk" + struct.pack(">I", len(track)) + track


NOTE, END = b"\x00\x99\x24\x64", b"\x60\x89\x24\x00\x00\xff\x2f\x00"
MIDI_BLOWS = {
    "a delta of 300 bits": _midi(_ticks(2**300) + NOTE[1:] + END),
    "a delta of 70 bits": _midi(_ticks(2**70) + NOTE[1:] + END),
    "a delta beyond 32 bits": _midi(_ticks(2**33) + NOTE[1:] + END),
    "a note of 40 bits": _midi(NOTE + _ticks(2**40) + b"\x89\x24\x00\x00\xff\x2f\x00"),
    "a late note": _midi(NOTE + _ticks(2**31 - 1) + b"\x89\x24\x00" + NOTE + END),
    "no tempo": _midi(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE + END),
    "a meter of nothing": _midi(b"\x00\xff\x58\x04\x00\x00\x00\x00" + NOTE + END),
    "a meter of 2**255": _midi(b"\x00\xff\x58\x04\x04\xff\x18\x08" + NOTE + END),
    "frames for ticks": _midi(NOTE + END, division=0xE728),
    "one tick a quarter": _midi(NOTE + _ticks(2**27) + NOTE + END, division=1),
    "a text without end": _midi(b"\x00\xff\x01\x8f\xff\xff\x7f" + NOTE + END),
    "a damaged grid": _midi(b"\x00\xff\x01\x0fjamflow grid []\x00\xff\x01\x12jamflow event 36 {}" + NOTE + END),
    "a grid of brackets": _midi(b"\x00\xff\x01" + _ticks(60_013) + b"jamflow grid " + b"[" * 60_000 + NOTE + END),
    "a key": _midi(b"\x00\xff\x01" + _ticks(18 + 5000) + b"jamflow event " + b"9" * 5000 + b" {} " + NOTE + END),
}
MIDI_READERS = (read_midi, read_score, performance_of_file, read_beat_midi)


@pytest.mark.parametrize("name", MIDI_BLOWS)
def test_a_midi_file_made_to_hurt_is_read_or_refused(tmp_path, name):
    (tmp_path / "a.mid").write_bytes(MIDI_BLOWS[name])
    for read in MIDI_READERS:
        answered(read, tmp_path / "a.mid")
    answered(prepare, tmp_path, tmp_path / "prepared")


@pytest.mark.parametrize("which", [0, 1])
def test_whatever_stands_in_a_midi_file_it_is_read_or_refused(midi, tmp_path, which):
    @SEVERAL
    @given(torn(midi[which]))
    def reads(data):
        (tmp_path / "a.mid").write_bytes(data)
        for read in MIDI_READERS:
            answered(read, tmp_path / "a.mid")

    reads()


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    import soundfile

    folder = tmp_path_factory.mktemp("sounds")
    tone = np.sin(np.arange(3000) / 9) * 0.5
    for suffix in ("wav", "flac", "ogg", "aiff", "mp3"):
        soundfile.write(folder / f"a.{suffix}", tone, 44_100)
    return {file.suffix: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".aiff", ".mp3"])
def test_whatever_stands_in_a_sound_file_it_is_read_or_refused(sounds, tmp_path, suffix):
    @SEVERAL
    @given(torn(sounds[suffix]))
    def reads(data):
        (tmp_path / f"a{suffix}").write_bytes(data)
        heard = answered(read_audio, tmp_path / f"a{suffix}")
        assert heard is None or np.isfinite(heard.samples).all()

    reads()


def _archives() -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    kinds: list[Any] = ["w:", "w:gz", "w:bz2", "w:xz"]
    for kind in kinds:
        with io.BytesIO() as held:
            with tarfile.open(fileobj=held, mode=kind) as archive:
                for name in ("songs/a.wav", "songs/" + "long" * 40, "b.wav"):
                    member = tarfile.TarInfo(name)
                    member.size = 600
                    archive.addfile(member, io.BytesIO(b"la" * 300))
            made[f"a.tar.{kind[2:]}".rstrip(".")] = held.getvalue()
    for kind, number in {"stored": zipfile.ZIP_STORED, "deflated": 8, "bzip2": 12, "lzma": 14}.items():
        with io.BytesIO() as held:
            with zipfile.ZipFile(held, "w", number) as archive:
                archive.writestr("songs/a.wav", b"la" * 300)
                archive.writestr("b.wav", b"la" * 300)
            made[f"{kind}.zip"] = held.getvalue()
    return made


ARCHIVES = _archives()


@pytest.mark.parametrize("name", ARCHIVES)
def test_whatever_stands_in_an_archive_it_is_unpacked_inside_or_refused(tmp_path, name):
    number = iter(range(10**6))

    @SEVERAL
    @given(torn(ARCHIVES[name]))
    def reads(data):
        (tmp_path / name).write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of doubled names
            answered(bring, str(tmp_path / name), tmp_path / "in" / "here" / str(next(number)), find_audio)
        outside = [path.name for path in (tmp_path, tmp_path / "in") for path in path.iterdir()]
        assert set(outside) <= {name, "in", "here", "home"}
        assert not list((tmp_path / "in").rglob("*.part")) if (tmp_path / "in").exists() else True

    reads()
