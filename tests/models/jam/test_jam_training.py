"""Teaching: a line is learnt, its chords are heard, and a style rides on a base that stays as it was."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from soloists import STYLES, toy_sample, write_toy_roles

from models.jam.config import TINY, JamConfig
from models.jam.lesson import JamLesson, nats_a_note, read_preset
from models.jam.network import JamNetwork, merged, style_weights, with_style
from models.jam.repertoire import Repertoire, Style, read_repertoire, save_repertoire
from models.jam.texts import NOTHING, Window, questions, texts_of, windows
from models.jam.train import teach_base, teach_style
from models.jam.vocabulary import CHORD, STYLE, TRANSPOSED
from models.learning.training import train
from models.music.errors import BadConfig, BadInput

SAMPLES = [toy_sample(number, STYLES[number % 2], "train") for number in range(40)]
CONFIG = dataclasses.replace(TINY, styles=STYLES)
TEXTS = texts_of(SAMPLES, CONFIG)
PRESET = read_preset("tiny")


def lesson(network=None, texts=TEXTS, **changed):
    return JamLesson(network or JamNetwork(CONFIG), 128, texts, texts[:2], dataclasses.replace(PRESET, **changed))


def over_other_chords(words):
    return np.where((words >= CHORD()) & (words < CHORD(CHORD.size)), TRANSPOSED[1][words], words)


@pytest.fixture(scope="module")
def roles(tmp_path_factory):
    return write_toy_roles(tmp_path_factory.mktemp("toys") / "roles")


@pytest.fixture(scope="module")
def base(roles, tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "model"
    return folder, teach_base(roles, folder, "tiny")


def test_what_is_told_is_not_asked_for():
    asked, _, answers = questions([Window(TEXTS[0].window(0, 2), 0), Window(TEXTS[1].window(0, 3), 0)])
    assert asked.shape == answers.shape
    assert (answers != NOTHING).sum() == 5 + 3 * 4 * 5  # a bar line, and four notes, in each bar
    assert not ((answers >= CHORD()) & (answers < CHORD(CHORD.size))).any()


def test_a_step_has_the_same_windows_again_and_another_step_has_others():
    drawn = lesson()
    first, again = (drawn.batch(3, torch.Generator().manual_seed(1))[0] for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, drawn.batch(4, torch.Generator().manual_seed(2))[0])


@pytest.mark.parametrize(
    ("kept", "is_kept"),
    [
        ({"chords_kept": 1.0}, lambda words: not ((words > CHORD()) & (words < CHORD(CHORD.size))).any()),
        ({"style_kept": 1.0}, lambda words: words[1] == STYLE()),
        ({"chords_kept": 0.0, "style_kept": 0.0}, lambda words: words[1] != STYLE() and CHORD() not in words[:-20]),
    ],
)
def test_now_and_then_something_is_kept_from_it(kept, is_kept):
    none = {"chords_kept": 0.0, "next_kept": 0.0, "style_kept": 0.0, "transpose": 0}
    drawn, dice = lesson(**(none | kept)), np.random.default_rng(0)
    assert all(is_kept(drawn.drawn(dice)) for _ in range(20))


def test_windows_are_transposed_with_their_chords():
    drawn, dice = lesson(chords_kept=0.0, next_kept=0.0, style_kept=0.0), np.random.default_rng(0)
    known = {tuple(TRANSPOSED[shift][text.window(0, 2)][4:]) for text in TEXTS for shift in range(-6, 7)}
    starts = [tuple(drawn.drawn(dice)[4 : 4 + 2 * 16]) for _ in range(60)]
    assert sum(start in known for start in starts) >= 1  # those that begin at a first bar


def test_a_window_is_never_longer_than_is_read_at_once():
    assert all(len(window.words) <= 100 for text in TEXTS for window in windows(text, 100, overlap=0.5))
    assert sum(len(window.words) - 4 for window in windows(TEXTS[0], 100)) == sum(map(len, TEXTS[0].bars))


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.7])
def test_every_word_of_a_line_is_asked_for_once(overlap):
    for config in (CONFIG, dataclasses.replace(CONFIG, form="band")):
        text = texts_of(SAMPLES[:1], config)[0]
        lines = windows(text, 150, overlap)
        answers = questions(lines).answers
        assert int((answers != NOTHING).sum()) == 16 + 3 * 64
        assert (lines[1].heard > 4) == (overlap > 0 or config.form == "band")


def test_it_learns_and_it_listens(tmp_path):
    torch.manual_seed(0)
    taught = lesson(transpose=0, chords_kept=0.0, next_kept=0.0)
    plan = dataclasses.replace(PRESET.plan, steps=220, validate_every=220)
    network = train(taught, plan, tmp_path).network
    lines = [window for text in TEXTS for window in windows(text, 128)]
    right = nats_a_note(network, lines)
    moved = [line._replace(words=over_other_chords(line.words)) for line in lines]
    assert right["loss"] < 3.0  # 9.6 where nothing is known
    assert nats_a_note(network, moved)["pitch_nats"] > right["pitch_nats"] + 0.3


def test_a_base_is_read_as_it_was_saved(base, roles):
    folder, trained = base
    repertoire = read_repertoire(folder)
    assert repertoire.names == ("any", "falling", "rising")
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
    assert repertoire.facts["best"]["loss"] == trained.best["loss"]
    assert len(repertoire.facts["heard"]) == 12
    for name, weight in trained.network.state_dict().items():
        assert torch.allclose(repertoire.base[name], weight, atol=0.02)


def test_a_style_rides_on_a_base_that_stays_as_it_was(base, roles, tmp_path):
    folder, _ = base
    teach_style(roles, folder, "rising", tmp_path / "styled", "tiny")
    before, after = read_repertoire(folder), read_repertoire(tmp_path / "styled")
    assert all(torch.equal(before.base[name], weight) for name, weight in after.base.items())
    assert list(after.styles) == ["rising"]
    projection = "llama.model.layers.0.mlp.up_proj.weight"
    assert torch.equal(after.weights(1)[projection], before.weights(1)[projection])
    assert not torch.equal(after.weights(2)[projection], before.weights(2)[projection])
    assert after.decoder(0) is after.decoder(1)
    assert after.decoder(2) is not after.decoder(1)
    assert (tmp_path / "styled" / "weights.safetensors").stat().st_size < 250_000


def test_a_merged_style_plays_what_a_switched_one_plays(network):
    words, base = torch.arange(60)[None] * 7, network.state_dict()
    styled = with_style(copy.deepcopy(network), 4, 2.0).eval()
    one = JamNetwork(TINY).eval()
    with torch.no_grad():
        for name, weight in styled.named_parameters():
            if "lora" in name:
                weight.normal_(std=0.2)
        one.load_state_dict(merged(base, style_weights(styled), 2.0))
        switched, plain = styled(words), network(words)
        assert torch.allclose(one(words), switched, atol=1e-5)
        assert not torch.allclose(plain, switched, atol=0.1)
        with styled.llama.disable_adapter():  # type: ignore[operator]
            assert torch.allclose(styled(words), plain, atol=1e-6)


def test_an_unknown_style_is_told_its_nearest_neighbour(base, roles, tmp_path):
    with pytest.raises(BadInput, match="style 'risin': no sample of the split has it; did you mean 'rising'"):
        teach_style(roles, base[0], "risin", tmp_path / "styled", "tiny")
    with pytest.raises(BadInput, match="style 'bebop': there are any, falling, rising"):
        read_repertoire(base[0]).place_of("bebop")
    with pytest.raises(BadInput, match="jam: style is 7; there are 0 any, 1 falling, 2 rising"):
        read_repertoire(base[0]).decoder(7)


def test_a_config_that_cannot_be_is_refused():
    with pytest.raises(BadConfig, match="every head needs a multiple of 16 numbers"):
        JamConfig(width=100)
    with pytest.raises(BadConfig, match="use letters, digits"):
        JamConfig(styles=("../escape",))


def test_a_folder_of_another_kind_is_refused(tmp_path):
    folder = save_repertoire(tmp_path / "model", Repertoire(TINY, {"llama.x": torch.zeros(1)}, {"a": Style({}, 1.0)}))
    (folder / "config.json").write_text("{}")
    with pytest.raises(BadInput, match=r"config\.json is missing or differs"):
        read_repertoire(folder)
