"""Players are compared with people and with baselines that could have been right."""

import math
from dataclasses import replace

import numpy as np
import pytest

from models.jam.baselines import chord_tones_in, people, players_in
from models.jam.markov import LINE, PARTS, Markov, Moment, spoken, taught
from models.jam.offline import GRID, MARKOV, OTHERS, PEOPLE, TONES, compare, judge, nll_of, table
from models.jam.prepare import Preparing, prepare
from models.jam.roles import Roles
from models.music.errors import BadConfig, BadInput
from models.music.files import read_json
from models.music.midi import write_midi
from models.music.notes import PITCH
from models.practice.solos import write_solos


@pytest.fixture(scope="module")
def roles(tmp_path_factory) -> Roles:
    folder = tmp_path_factory.mktemp("solos")
    return prepare(write_solos(folder / "midi", 18, seed=5), folder / "roles", Preparing(processes=1))


@pytest.fixture(scope="module")
def markov(roles) -> Markov:
    return taught(roles["train"], roles["valid"])


def test_the_chances_of_a_moment_add_up_and_leave_out_what_cannot_be(roles, markov):
    sample = roles["test"][0]
    moment = Moment(2880)
    assert markov.chances("place", moment)[LINE] == 1.0  # a line begins with a bar
    for index, (part, symbol) in enumerate(spoken(sample)):
        chances = markov.chances(part, moment)
        assert chances.sum() == pytest.approx(1.0)
        if part == "place":
            assert chances[72:LINE].sum() == 0
            assert chances[: moment.earliest].sum() == 0 or moment.earliest > LINE
            symbol = min(symbol, 71) if symbol != LINE else symbol
        moment.take(part, symbol)
        if index > 200:
            break


def test_a_chain_is_surprised_less_by_what_it_learnt_than_by_new_tunes_and_most_by_nonsense(roles, markov):
    sample = roles["test"][0]
    notes = sample.lead.notes.copy()
    notes[:, PITCH] = np.random.default_rng(0).integers(30, 100, len(notes))
    nonsense = replace(sample, lead=sample.lead.with_notes(notes))
    learnt, new, wild = (nll_of(markov, each) for each in (roles["train"], roles["test"], [nonsense]))
    assert learnt < new < wild
    assert new < math.log(97) + math.log(4) + math.log(128) + math.log(16)


def test_nats_are_told_part_by_part_and_add_up(roles, markov):
    told = markov.nats(roles["test"][0])
    assert set(told) == set(PARTS)
    assert markov.nats(roles["test"][0], ("pitch",)) == {"pitch": pytest.approx(told["pitch"])}


def test_a_chain_plays_what_the_grid_can_say_and_the_same_for_the_same_die(markov):
    cells = [markov.play(8, 2880, np.random.default_rng(4)) for _ in range(2)]
    assert np.array_equal(*cells)
    assert cells[0][:, 0].max() < 8
    assert cells[0][:, 1].max() < 72
    places = cells[0][:, 0] * 96 + cells[0][:, 1]
    assert (np.diff(places) >= 0).all()


def test_random_chord_tones_are_chord_tones(roles):
    sample = roles["test"][0]
    line = chord_tones_in(roles["train"])(sample, np.random.default_rng(0))
    chords = sample.chords_at(line.notes[:, 2])
    assert all(
        pitch % 12 in chord.pitch_classes
        for pitch, chord in zip(line.notes[:, 0].tolist(), chords, strict=True)
        if chord
    )


def test_people_are_no_distance_from_themselves_and_baselines_are(roles, markov):
    figures = compare(roles, {}, bars=16, markov=markov).figures
    assert list(figures) == [PEOPLE, GRID, TONES, MARKOV, OTHERS]
    for figure in ("silence_distance", "gaps_distance", "pitch_js", "interval_js"):
        assert figures[PEOPLE][figure] == 0
        assert figures[MARKOV][figure] > 0
    assert figures[TONES]["chord_tones"] > figures[PEOPLE]["chord_tones"] > figures[MARKOV]["chord_tones"]
    assert figures[TONES]["interval_js"] > figures[OTHERS]["interval_js"]
    assert "nll" in figures[MARKOV]


def test_a_player_of_ones_own_stands_in_the_table_and_in_the_files(tmp_path, roles):
    figures = judge(roles, tmp_path / "evaluation", {"mine": people}, nll={"mine": 4.5}, bars=8)
    assert figures["nll"] == 4.5
    assert read_json(tmp_path / "evaluation/metrics.json")["nll"] == 4.5
    assert set(read_json(tmp_path / "evaluation/baselines.json")) == {PEOPLE, GRID, TONES, MARKOV, OTHERS}
    assert "mine" in (tmp_path / "evaluation/report.txt").read_text()
    assert (tmp_path / "evaluation/players.png").stat().st_size > 10_000


def test_lines_in_a_folder_are_played(tmp_path, roles, markov):
    for sample in roles["test"]:
        write_midi(tmp_path / "mine" / f"{sample.sample_id}.mid", sample.lead)
    report = compare(roles, players_in(str(tmp_path / "mine")), bars=8, markov=markov)
    assert report.figures["mine"]["silence_distance"] == pytest.approx(0, abs=1e-6)
    assert "mine" in table(report)
    next((tmp_path / "mine").iterdir()).unlink()
    with pytest.raises(BadInput, match=r"no \w+\.mid for"):
        compare(roles, players_in(str(tmp_path / "mine")), bars=8, markov=markov)


def test_what_cannot_be_compared_says_so(roles):
    assert players_in("") == {}
    with pytest.raises(BadInput, match="no such folder"):
        players_in("nowhere")
    with pytest.raises(BadConfig, match="split 'exam'"):
        compare(roles, {}, split="exam")
