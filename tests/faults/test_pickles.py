"""Fault 6: a pickle in place of weights is refused, and what it would have run never runs."""

import pickle
from dataclasses import dataclass

import pytest
from torch import nn

from models.learning.checkpoint import load_model, save_model
from models.music.errors import BadInput
from models.music.files import manifest_of, write_json


@dataclass(frozen=True)
class Size:
    width: int = 4


class Small(nn.Linear):
    def __init__(self, config: Size) -> None:
        super().__init__(config.width, 2)


class Attack:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


def test_a_pickle_in_place_of_weights_is_refused_unread(tmp_path):
    folder = save_model(tmp_path / "model", Small(Size()), Size(), "small")
    (folder / "weights.safetensors").write_bytes(pickle.dumps(Attack(tmp_path / "marker")))
    write_json(folder / "manifest.json", manifest_of(folder))
    with pytest.raises(BadInput, match="Pickled weights are not loaded"):
        load_model(folder, "small", Size, Small)
    assert not (tmp_path / "marker").exists()
