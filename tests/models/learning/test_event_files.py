import sys

import numpy as np
import pytest

from models.learning.event_files import EventFiles
from models.music.audio import Audio
from models.music.errors import BadConfig


def test_tensorboard_finds_figures_sounds_and_pictures_by_step(tmp_path):
    song = Audio(np.sin(np.arange(800, dtype=np.float32) / 9)[None], 8_000)
    with EventFiles(tmp_path) as events:
        events.on_metrics(2, {"loss": 0.5})
        events.on_metrics(4, {"loss": 0.25})
        events.on_samples(4, {"take": song, "page": np.zeros((4, 6, 3), np.uint8)})

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    seen = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in seen.Scalars("loss")] == [(2, 0.5), (4, 0.25)]
    assert [(event.step, event.sample_rate) for event in seen.Audio("take")] == [(4, 8_000)]
    assert [(event.step, event.width, event.height) for event in seen.Images("page")] == [(4, 6, 4)]


def test_without_tensorboard_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for name in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(BadConfig, match="pip install tensorboard"):
        EventFiles(tmp_path)
