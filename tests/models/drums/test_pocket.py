"""Handing a beat to a groove model and taking its feel back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.drums.events import Beat, Event, read_beat
from models.drums.kit import Kit
from models.drums.pocket import make_groove, make_variation
from models.drums.session import lay_groove, lay_skeleton
from models.drums.skeleton import SkeletonPlan, make_skeleton
from models.music.errors import BadInput
from models.music.grid import Grid
from models.music.notes import ONSET, PITCH, VELOCITY, as_notes


class Drummer:
    """A player whose feel is known: everything 24 ticks late, as loud as its place in the list."""

    def __init__(self) -> None:
        self.heard = np.zeros((0, 4), np.int32)

    def __call__(self, hits: np.ndarray, bars: int, seed: int) -> np.ndarray:
        self.heard = hits
        played = hits.copy()
        played[:, ONSET] += 24
        played[:, VELOCITY] = 1 + np.arange(len(hits)) % 127
        return played


def test_velocity_and_timing_come_from_the_player_and_nothing_else_changes(kit: Kit):
    beat = make_skeleton(kit, SkeletonPlan(bpm=120, fill_prob=1.0))
    played = make_groove(beat, kit, Drummer())
    drums = [e for e in played.events if e.role != "TEXTURE"]
    assert {e.micro_offset_ms for e in drums} == {12.5}
    assert {e.source for e in drums} == {"groovae"}
    assert [(e.bar, e.step, e.role, e.sample_id) for e in played.events] == [
        (e.bar, e.step, e.role, e.sample_id) for e in beat.events
    ]


def test_each_hit_gets_its_own_velocity_back(kit: Kit):
    beat = make_skeleton(kit, SkeletonPlan(bpm=120, fill_prob=1.0, texture=0))
    drummer = Drummer()
    played = make_groove(beat, kit, drummer)
    struck = {(h[ONSET], h[PITCH]): 1 + i % 127 for i, h in enumerate(drummer.heard.tolist())}
    for event in played.events:
        place = beat.grid.tick_of(event.bar, event.step), kit.piece(event.sample_id).key
        assert event.vel == pytest.approx(struck[place] / 127, abs=1e-4)


def test_the_player_hears_hits_on_their_steps_in_order_and_no_texture(kit: Kit):
    beat = make_skeleton(kit, SkeletonPlan(bpm=120))
    late = beat.with_events([Event(e.bar, e.step, e.role, e.sample_id, e.vel, e.dur_steps, 9.0) for e in beat.events])
    drummer = Drummer()
    make_groove(late, kit, drummer)
    assert np.array_equal(as_notes(drummer.heard), drummer.heard)
    assert np.all(drummer.heard[:, ONSET] % 240 == 0)
    assert len(drummer.heard) == sum(e.role != "TEXTURE" for e in beat.events)


def test_a_texture_passes_through_untouched(kit: Kit):
    beat = make_skeleton(kit, SkeletonPlan(bpm=120))
    textures = [e for e in beat.events if e.role == "TEXTURE"]
    assert [e for e in make_groove(beat, kit, Drummer()).events if e.role == "TEXTURE"] == textures


def test_half_a_feel_is_half_the_way(kit: Kit):
    beat = Beat(Grid(120, 1), (Event(0, 0, "CORE", "dummy_00001", 0.5),))
    half = make_groove(beat, kit, Drummer(), timing=0.5, velocity=0.0)
    assert (half.events[0].micro_offset_ms, half.events[0].vel) == (6.25, 0.5)


def test_a_player_who_adds_notes_is_refused_unless_a_variation_was_asked_for(kit: Kit):
    def busy(hits: np.ndarray, bars: int, seed: int) -> np.ndarray:
        return np.array([[36, 100, 0, 240], [38, 90, 970, 240], [46, 80, 1900, 240]], np.int32)

    beat = make_skeleton(kit, SkeletonPlan(bpm=120, bars=1))
    with pytest.raises(BadInput, match="answered other notes"):
        make_groove(beat, kit, busy)
    varied = make_variation(beat, kit, busy)
    assert [(e.role, e.step) for e in varied.events if e.role != "TEXTURE"] == [
        ("CORE", 0),
        ("ACCENT", 4),
        ("MOTION", 8),
    ]


def test_a_beat_of_textures_has_nothing_to_play(kit: Kit):
    beat = Beat(Grid(120, 1), (Event(0, 0, "TEXTURE", "dummy_00011", 0.5, 16),))
    with pytest.raises(BadInput, match="0 drum hits"):
        make_groove(beat, kit, Drummer())


def test_a_session_writes_the_groove_with_its_grid(pools_json: Path, tmp_path: Path):
    lay_skeleton(pools_json, tmp_path, SkeletonPlan(bpm=120, bars=1))
    laid = lay_groove(tmp_path, tmp_path, pools_json, tmp_path, Drummer())
    assert (laid.number, laid.sound) == (2, tmp_path / "render_groovae_2.wav")
    for name in (
        "event_grid_groovae_2.json",
        "render_groovae_2.png",
        "grid_2.json",
        "render_groovae_2.wav",
        "render_groovae_2.mid",
    ):
        assert (tmp_path / name).is_file()
    assert read_beat(tmp_path / "grid_2.json", tmp_path / "event_grid_groovae_2.json").events[0].source == "groovae"
