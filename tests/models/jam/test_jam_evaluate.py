"""Judging: a soloist beside people and chance, a style beside its base, and never by what taught it."""

import dataclasses

import numpy as np
import pytest
import torch
from soloists import STYLES, random_network, toy_sample, write_toy_roles

from models.jam.config import TINY
from models.jam.evaluate import judge, over_each_others_bands, sweep
from models.jam.generate import Generating, generate
from models.jam.network import style_weights, with_style
from models.jam.repertoire import Repertoire, Style, save_repertoire
from models.music.errors import BadInput
from models.music.files import read_json
from models.music.midi import read_midi, read_score, write_midi

CONFIG = dataclasses.replace(TINY, styles=STYLES)


@pytest.fixture(scope="module")
def roles(tmp_path_factory):
    return write_toy_roles(tmp_path_factory.mktemp("toys") / "roles")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    network = random_network(CONFIG)
    base = {name: weight.clone() for name, weight in network.state_dict().items()}
    styled = with_style(network, 2, 1.0)
    with torch.no_grad():
        for name, weight in styled.named_parameters():
            if "lora_B" in name:
                weight.fill_(0.05)
    repertoire = Repertoire(CONFIG, base, {"rising": Style(style_weights(styled), 1.0)}, {"heard": ["rising-00"]})
    return save_repertoire(tmp_path_factory.mktemp("model") / "model", repertoire)


def test_a_soloist_is_judged_beside_people_chance_and_a_chain(roles, model, tmp_path):
    figures = judge(roles, model, tmp_path / "evaluation", champion=model, style="rising", bars=4)
    assert figures == read_json(tmp_path / "evaluation" / "metrics.json")
    assert figures["nll"] == pytest.approx(sum(figures[f"{part}_nats"] for part in ("bar", "place", "pitch", "length")))
    assert figures["nll"] > 10  # it was taught nothing
    assert figures["style_gain"] != 0
    champion = read_json(tmp_path / "evaluation" / "champion.json")
    assert champion["nll"] == figures["nll"]
    beside = read_json(tmp_path / "evaluation" / "baselines.json")
    assert {"people", "random chord tones", "Markov, order 3"} <= set(beside)
    assert beside["Markov, order 3"]["nll"] < figures["nll"]


def test_pieces_that_taught_it_may_not_examine_it(roles, model, tmp_path):
    with pytest.raises(BadInput, match=r"1 of these pieces taught it, rising-00 first\. Give others"):
        judge(roles, model, tmp_path / "evaluation", split="train")


def test_another_tunes_chords_and_band_last_as_long_as_the_lead():
    samples = [toy_sample(1, "rising", "test", bars=8), toy_sample(2, "falling", "test", bars=3)]
    strange = over_each_others_bands(samples)
    assert np.array_equal(strange[0].lead.notes, samples[0].lead.notes)
    assert [sample.bars for sample in strange] == [8, 3]
    heard = [strange[0].chords_at(np.array([bar * 3840]))[0] for bar in range(8)]
    assert heard == [samples[1].chords[bar % 3][1] for bar in range(8)]
    lows = {int(at // 3840): pitch for pitch, _, at, _ in strange[0].conditioning.notes[::-1]}
    assert [lows[bar] for bar in range(3, 6)] == [lows[bar] for bar in range(3)]
    assert strange[0].conditioning.meter == samples[0].conditioning.meter


def test_what_is_kept_in_mind_is_swept_as_users_did(roles, model, tmp_path):
    found = sweep(roles, model, tmp_path / "sweep", [32, 128], bars=4)
    assert list(found) == ["primer 32", "primer 128"]
    assert read_json(tmp_path / "sweep" / "metrics.json")["dead_air_32"] == found["primer 32"]
    assert (tmp_path / "sweep" / "dead_air.png").stat().st_size > 1000


def test_a_solo_is_generated_over_a_file(model, tmp_path):
    band = toy_sample(3, "rising", "test", bars=6).conditioning
    write_midi(tmp_path / "band.mid", band)
    wished = Generating("rising", bars=4, seed=3, chord_bias=1.0, primer_max_tokens=64)
    count = generate(model, tmp_path / "band.mid", tmp_path / "solo.mid", wished)
    tracks = {track.name: track for track in read_score(tmp_path / "solo.mid").tracks}
    assert set(tracks) == {"Conditioning", "Lead"}
    assert len(tracks["Lead"].notes) == count > 0
    assert max(note.time for note in tracks["Lead"].notes) < 4 * 3840
    assert read_midi(tmp_path / "solo.mid").tempo_bpm == pytest.approx(band.tempo_bpm, abs=0.01)


@pytest.mark.parametrize(
    ("wished", "sentence"),
    [
        ({"bars": 1000}, "bars is 1000"),
        ({"primer_max_tokens": -1}, "primer_max_tokens -1"),
        ({"style": "bebop"}, "style 'bebop': there are any, falling, rising"),
        ({"temperature": 9.0}, "temperature is 9; give 0 to 4"),
    ],
)
def test_what_cannot_be_generated_is_said_in_a_sentence(model, tmp_path, wished, sentence):
    write_midi(tmp_path / "band.mid", toy_sample(3, "rising", "test", bars=2).conditioning)
    with pytest.raises(BadInput, match=sentence):
        generate(model, tmp_path / "band.mid", tmp_path / "solo.mid", Generating(**wished))
