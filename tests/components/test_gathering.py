"""What the training pipeline is given is looked at before anything is kept."""

from types import SimpleNamespace

import pytest

from components.groove import gather_grooves
from models.music.errors import BadMidi


def test_data_without_midi_is_refused_by_the_name_its_owner_knows(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    with pytest.raises(BadMidi, match=r"mine: no MIDI in it; give a folder or an archive"):
        gather_grooves.python_func(str(tmp_path / "mine"), SimpleNamespace(path=str(tmp_path / "performances")))
