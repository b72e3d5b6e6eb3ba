"""One choice of words names a model wherever a flag takes them: to play, to build upon, to judge."""

import pytest
from served_house import tiny_groove

from backstage.champions import model_folder
from models.music.errors import BadInput
from serving.families import family
from serving.voices import open_voice
from serving.where import Where


def played(name: str, voice: str):
    return open_voice(name, voice, Where()).folder


def built_upon(name: str, voice: str):
    with model_folder(name, voice, Where()) as folder:
        return folder


@pytest.fixture(params=[played, built_upon])
def found(request):
    return request.param


def test_where_nothing_is_served_or_registered_champion_and_starter_are_the_starter(found):
    assert found("groove", "champion") == found("groove", "starter") == family("groove").starter_folder


def test_a_folder_is_the_users_own_model(found, tmp_path):
    model = tiny_groove(tmp_path / "mine", seed=0)
    assert found("groove", str(model)) == model


def test_a_word_that_means_none_of_them_is_told_which_there_are(found):
    with pytest.raises(BadInput, match=r"voice is 'champoin'; give champion, starter or a trained model's folder\."):
        found("groove", "champoin")


def test_a_folder_that_is_no_whole_model_is_refused(found, tmp_path):
    (tmp_path / "config.json").write_text('{"kind": "groove"}')
    with pytest.raises(BadInput, match=r"manifest"):
        found("groove", str(tmp_path))


@pytest.mark.parametrize("voice", ["champion", "starter"])
def test_a_family_without_a_starter_says_so_with_the_way_out(found, voice):
    with pytest.raises(BadInput, match=r"separator_live: no starter model comes with it.*Train one, or give a model's"):
        found("separator_live", voice)
