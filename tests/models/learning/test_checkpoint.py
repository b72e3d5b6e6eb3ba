from dataclasses import dataclass

import pytest
import torch
from torch import nn

from models.learning.checkpoint import load_model, save_model
from models.music.errors import BadInput


@dataclass(frozen=True)
class Size:
    width: int = 4


class Small(nn.Linear):
    def __init__(self, config: Size) -> None:
        super().__init__(config.width, 2)


def test_a_model_survives_its_folder(tmp_path):
    network = Small(Size())
    save_model(tmp_path / "model", network, Size(), "small", steps=12)
    loaded, facts = load_model(tmp_path / "model", "small", Size, Small)
    assert torch.equal(loaded.weight, network.weight)
    assert facts == {"steps": 12}
    assert not loaded.training


def test_half_precision_on_disk_is_full_precision_in_memory(tmp_path):
    save_model(tmp_path / "model", Small(Size()), Size(), "small", store_as=torch.float16)
    loaded, _ = load_model(tmp_path / "model", "small", Size, Small)
    assert loaded.weight.dtype == torch.float32


def test_another_kind_of_model_is_refused(tmp_path):
    save_model(tmp_path / "model", Small(Size()), Size(), "small")
    with pytest.raises(BadInput, match="holds a 'small' model; a 'groove' model is needed"):
        load_model(tmp_path / "model", "groove", Size, Small)
