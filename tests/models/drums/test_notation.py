"""Beats as General MIDI and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest

from models.drums.events import ROLES, Beat, Event
from models.drums.kit import Kit
from models.drums.notation import read_beat_midi, write_beat_midi
from models.drums.skeleton import SkeletonPlan, make_skeleton
from models.music.errors import BadMidi
from models.music.grid import Grid
from models.music.midi import read_midi, write_midi
from models.music.notes import Take


def random_beat(kit: Kit, seed: int) -> Beat:
    """Anything an event grid may say, colliding keys and hits before the beginning included."""
    generator = np.random.default_rng(seed)
    grid = Grid(round(float(generator.uniform(40, 240)), 3), int(generator.integers(1, 6)))
    events = []
    for _ in range(int(generator.integers(1, 80))):
        piece = kit.pieces[generator.integers(len(kit.pieces))]
        place = int(generator.integers(grid.bars)), int(generator.integers(16))
        feel = (
            round(float(generator.random()), 4),
            int(generator.integers(1, 17)),
            round(float(generator.normal(0, 60)), 3),
        )
        events.append(Event(*place, ROLES[generator.integers(5)], piece.sample_id, *feel, "groovae"))
    return Beat(grid, tuple(events))


@pytest.mark.parametrize("seed", range(12))
def test_a_beat_survives_midi_whole(kit: Kit, tmp_path: Path, seed: int):
    beat = random_beat(kit, seed)
    again = read_beat_midi(write_beat_midi(tmp_path / "beat.mid", beat, kit))
    assert again.events == beat.events
    assert again.grid == beat.grid


def test_a_last_hit_later_than_its_bar_adds_no_bar(kit: Kit, tmp_path: Path):
    late = Event(0, 15, "CORE", kit.pool("CORE")[0].sample_id, 0.9, micro_offset_ms=90.0)
    beat = Beat(Grid(211.826, 1), (late,))
    again = read_beat_midi(write_beat_midi(tmp_path / "beat.mid", beat, kit))
    assert (again.grid, again.events) == (beat.grid, beat.events)


def test_the_notes_are_general_midi_on_channel_ten(kit: Kit, tmp_path: Path):
    path = write_beat_midi(tmp_path / "beat.mid", make_skeleton(kit, SkeletonPlan(bpm=100, seed=3, texture=0)), kit)
    messages = [m for m in mido.MidiFile(path).tracks[0] if m.type == "note_on"]
    assert {m.channel for m in messages} == {9}
    assert {36, 38, 42} & {m.note for m in messages}
    assert read_midi(path).tempo_bpm == 100


def test_without_its_texts_a_beat_keeps_its_places_to_the_tick(kit: Kit, tmp_path: Path):
    beat = make_skeleton(kit, SkeletonPlan(bpm=120, texture=0))
    generator = np.random.default_rng(0)
    ticks = generator.integers(-100, 100, len(beat))
    ticks[0] = abs(ticks[0])
    late = [
        replace(e, micro_offset_ms=round(float(t) * 60_000 / 120 / 960, 3))
        for e, t in zip(beat.events, ticks, strict=True)
    ]
    beat = beat.with_events([e for e in late if (e.bar, e.step) != (0, 0)] + [late[0]])
    path = write_beat_midi(tmp_path / "beat.mid", beat, kit)
    write_midi(path, read_midi(path), drums=True)  # the texts are gone
    plain = read_beat_midi(path, kit)
    assert [(e.bar, e.step, e.role, e.sample_id, e.micro_offset_ms) for e in plain.events] == [
        (e.bar, e.step, e.role, e.sample_id, e.micro_offset_ms) for e in beat.events
    ]
    assert max(abs(a.vel - b.vel) for a, b in zip(plain.events, beat.events, strict=True)) <= 0.5 / 127 + 1e-4
    assert {e.source for e in plain.events} == {"midi"}


def test_a_note_moved_elsewhere_is_read_where_it_now_is(kit: Kit, tmp_path: Path):
    beat = Beat(Grid(120, 1), (Event(0, 0, "CORE", "dummy_00002", 0.81234), Event(0, 8, "CORE", "dummy_00002", 0.7)))
    path = write_beat_midi(tmp_path / "beat.mid", beat, kit)
    file = mido.MidiFile(path)
    second = [message for message in file.tracks[0] if message.type == "note_on"][1]
    second.time += 250  # a step and ten ticks later
    file.save(path)
    again = read_beat_midi(path)
    assert again.events[0] == beat.events[0]
    moved = again.events[1]
    assert (moved.step, moved.role, moved.sample_id, moved.source) == (9, "CORE", "dummy_00002", "midi")
    assert moved.micro_offset_ms == pytest.approx(10 * 500 / 960, abs=1e-3)


def test_a_deleted_note_takes_its_row_with_it(kit: Kit, tmp_path: Path):
    beat = make_skeleton(kit, SkeletonPlan(bpm=120, bars=1))
    path = write_beat_midi(tmp_path / "beat.mid", beat, kit)
    file = mido.MidiFile(path)
    file.tracks[0] = mido.MidiTrack(m for m in file.tracks[0] if not (m.type.startswith("note") and m.note == 38))
    file.save(path)
    gone = [event for event in beat.events if kit.piece(event.sample_id).key == 38]
    assert len(read_beat_midi(path)) == len(beat) - len(gone)


def test_a_new_tempo_keeps_the_places_and_the_samples(kit: Kit, tmp_path: Path):
    beat = make_skeleton(kit, SkeletonPlan(bpm=120, bars=2, seed=1))
    path = write_beat_midi(tmp_path / "beat.mid", beat, kit)
    file = mido.MidiFile(path)
    next(m for m in file.tracks[0] if m.type == "set_tempo").tempo = mido.bpm2tempo(90)
    file.save(path)
    again = read_beat_midi(path)
    assert again.grid.tempo_bpm == pytest.approx(90, abs=1e-3)
    assert [(e.bar, e.step, e.sample_id) for e in again.events] == [(e.bar, e.step, e.sample_id) for e in beat.events]


def test_midi_from_elsewhere_plays_on_the_kit(kit: Kit, tmp_path: Path):
    notes = [
        (36, 100, 0, 100),
        (42, 80, 470, 50),
        (39, 90, 965, 100),
        (54, 60, 1440, 50),
        (50, 70, 3600, 100),
        (62, 70, 3840, 60),
    ]
    path = write_midi(tmp_path / "other.mid", Take(np.array(notes), 96), drums=True)
    beat = read_beat_midi(path, kit)
    assert [(e.role, e.bar, e.step) for e in beat.events] == [
        ("CORE", 0, 0), ("MOTION", 0, 2), ("ACCENT", 0, 4), ("MOTION", 0, 6), ("FILL", 0, 15), ("FILL", 1, 0),
    ]  # fmt: skip
    assert [e.sample_id for e in read_beat_midi(path).events][:2] == ["gm_036", "gm_042"]
    assert beat.events[1].micro_offset_ms == pytest.approx(-10 / 960 * 625, abs=1e-3)


def test_only_the_drum_channel_of_a_song_is_read(kit: Kit, tmp_path: Path):
    drums = mido.MidiFile(write_midi(tmp_path / "d.mid", Take(np.array([(36, 100, 0, 100)])), drums=True))
    piano = mido.MidiFile(write_midi(tmp_path / "p.mid", Take(np.array([(60, 100, 0, 100)]))))
    drums.tracks.append(piano.tracks[0])
    drums.save(tmp_path / "song.mid")
    assert [event.role for event in read_beat_midi(tmp_path / "song.mid", kit).events] == ["CORE"]


@pytest.mark.parametrize(
    "texts", [["jamflow grid {", "jamflow event 36 {}"], ["jamflow grid {}", "jamflow event x {}"]]
)
def test_damaged_texts_end_in_one_line(tmp_path: Path, texts: list[str]):
    path = write_midi(tmp_path / "b.mid", Take(np.array([(36, 100, 0, 100)])), texts=[(0, text) for text in texts])
    with pytest.raises(BadMidi, match=r"b\.mid: its jamflow texts are damaged"):
        read_beat_midi(path)
