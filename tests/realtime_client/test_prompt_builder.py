"""What the model is told: a beginning that stays, within what a request may hold, for hours."""

from itertools import pairwise

import numpy as np
import pytest

from models.music.chords import Chord
from models.music.notes import ONSET
from realtime_client.prompt_builder import HOP_BARS, KEPT_BARS, PromptBuilder, commit_ticks
from realtime_client.quantile import percentile
from serving.contracts.jam import JAM

BAR = 3840
AM7, D7 = Chord.parse("Am7"), Chord.parse("D7")
FAR = 1_000_000 * BAR


def test_places_are_told_from_a_bar_line_on():
    prompt = PromptBuilder(7 * BAR, BAR)
    prompt.harmony(7 * BAR + 100, AM7)
    prompt.play((60, 90, 7 * BAR + 240, 480))
    cue = prompt.cue(8 * BAR, 9 * BAR, tempo_bpm=140.0)
    assert (cue.start_ticks, cue.horizon_ticks, cue.tempo_bpm) == (BAR, BAR, 140.0)
    assert cue.chords == ((100, AM7),)
    assert cue.primer == [(60, 90, 240, 480)]


def test_a_chord_takes_back_what_was_said_about_later():
    prompt = PromptBuilder(0, BAR)
    prompt.harmony(0, AM7)
    prompt.harmony(1000, Chord.parse("D"))
    prompt.harmony(1000, D7)
    prompt.harmony(2000, D7)
    assert prompt.cue(BAR, 2 * BAR).chords == ((0, AM7), (1000, D7))


def test_what_will_not_be_played_is_forgotten_and_late_news_find_their_place():
    prompt = PromptBuilder(0, BAR)
    for onset in (0, 480, 960, 1440):
        prompt.play((60, 90, onset, 240))
    prompt.cut(960)
    prompt.play((72, 90, 240, 240))
    assert np.asarray(prompt.cue(960, BAR).primer)[:, ONSET].tolist() == [0, 240, 480]


def test_hours_fit_into_a_request_and_its_beginning_seldom_moves():
    prompt, starts, bars = PromptBuilder(FAR, BAR), [], 2000
    for bar in range(bars):
        at = FAR + bar * BAR
        prompt.harmony(at, AM7 if bar % 2 else D7)
        for place in range(0, BAR, 160):
            prompt.play((60, 90, at + place, 80))
        cue = prompt.cue(at + BAR, at + 2 * BAR)
        JAM.check(cue.arrays())
        starts.append(at + BAR - cue.start_ticks)
    leaps = [b - a for a, b in pairwise(starts) if a != b]
    assert set(leaps) == {HOP_BARS * BAR}
    assert cue.start_ticks <= (KEPT_BARS + HOP_BARS) * BAR
    assert cue.start_ticks > 16 * BAR, "more than a server reads"


def test_a_chord_that_began_long_ago_still_holds():
    prompt = PromptBuilder(0, BAR)
    prompt.harmony(0, AM7)
    assert prompt.cue(500 * BAR, 501 * BAR).chords == ((0, AM7),)


@pytest.mark.parametrize(("ticks", "place"), [(0, 0), (1, 40), (40, 40), (41, 80)])
def test_a_solo_begins_at_a_place_of_the_models_grid(ticks, place):
    assert PromptBuilder(BAR, BAR).on_grid(BAR + ticks) == BAR + place


def test_the_commit_horizon_is_a_sixteenth_or_what_an_answer_takes():
    assert commit_ticks(120, 10) == 240
    assert commit_ticks(120, 230) == 480
    assert percentile([5.0, 1.0, 3.0], 0.95) == 5.0
    assert percentile([], 0.5) == 0.0
