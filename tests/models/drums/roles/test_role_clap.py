"""CLAP through its true loading code, with a tiny random model saved locally."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from models.drums.roles import clap
from models.drums.roles.assigner import RoleAssigner, RoleAssignerConfig
from models.drums.roles.clap import CLAP_RATE_HZ, ClapConfig, open_clap
from models.drums.roles.types import ROLES
from models.music.errors import BadConfig


@pytest.fixture(scope="module")
def tiny_clap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random CLAP of a few thousand weights, saved as transformers saves one."""
    import torch
    from transformers import (
        ClapAudioConfig,
        ClapFeatureExtractor,
        ClapModel,
        ClapProcessor,
        ClapTextConfig,
        RobertaTokenizerFast,
    )
    from transformers import ClapConfig as Sizes

    folder = tmp_path_factory.mktemp("tiny-clap")
    letters = [*"abcdefghijklmnopqrstuvwxyz,-", "Ġ"]
    words = {word: i for i, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", "<mask>", *letters])}
    tokenizer = RobertaTokenizerFast(vocab=words, merges=[])
    text = ClapTextConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, projection_dim=16,
    )  # fmt: skip
    audio = ClapAudioConfig(
        spec_size=64, num_mel_bins=16, patch_embeds_hidden_size=8, depths=[1, 1], num_attention_heads=[1, 2],
        hidden_size=16, projection_dim=16, patch_size=4, patch_stride=[4, 4], window_size=4, num_classes=4,
    )  # fmt: skip
    torch.manual_seed(0)
    sizes = Sizes(text_config=text.to_dict(), audio_config=audio.to_dict(), projection_dim=16)
    ClapModel(sizes).save_pretrained(folder)
    extractor = ClapFeatureExtractor(feature_size=16, max_length_s=1, truncation="rand_trunc", padding="repeatpad")
    ClapProcessor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(folder)
    return folder


def tone(seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * 220 * np.arange(round(seconds * CLAP_RATE_HZ)) / CLAP_RATE_HZ).astype(np.float32)


def test_a_local_clap_compares_sounds_with_the_prompts(tiny_clap, tmp_path):
    voice = open_clap(ClapConfig(model=str(tiny_clap), cache=str(tmp_path)))
    assert voice is not None
    cosines = voice.similarities([tone(0.2), tone(1.7)])
    assert cosines.shape == (2, len(ROLES))
    assert np.abs(cosines).max() <= 1 + 1e-5
    p = voice.probabilities(cosines)
    assert np.allclose(p.sum(1), 1)
    assert p[0, 0] / p[0, 1] == pytest.approx(np.exp((float(cosines[0, 0]) - float(cosines[0, 1])) / 0.07), rel=1e-3)


def test_text_embeddings_are_kept_by_prompt_and_model(tiny_clap, tmp_path):
    first = open_clap(ClapConfig(model=str(tiny_clap), cache=str(tmp_path)))
    assert first is not None
    [kept] = tmp_path.glob("*.npy")
    np.save(kept, np.zeros_like(first.text))
    again = open_clap(ClapConfig(model=str(tiny_clap), cache=str(tmp_path)))
    assert again is not None
    assert not again.text.any()  # it came from the disk
    other = open_clap(ClapConfig(model=str(tiny_clap), cache=str(tmp_path), prompts={"CORE": "a deep kick"}))
    assert other is not None
    assert other.text.any()
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_the_assigner_hears_clap_as_the_second_voice(tiny_clap, tmp_path):
    settings = {"clap": {"model": str(tiny_clap), "cache": str(tmp_path)}, "fusion": {"scorer": ""}}
    result = RoleAssigner(RoleAssignerConfig.from_dict(settings)).assign_audio(tone(0.5), CLAP_RATE_HZ, "tone")
    assert result.scores.clap is not None
    assert result.debug["weights"] == pytest.approx({"rule": 0.9, "clap": 0.1, "learned": 0.0})
    assert set(result.clap_similarities) == set(ROLES)


def test_without_weights_it_says_so_once_and_goes_on(caplog):
    clap._say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        voices = [open_clap(ClapConfig(model="nobody/has-this-clap")) for _ in range(2)]
    assert voices == [None, None]
    assert len([r for r in caplog.records if "nobody/has-this-clap" in r.getMessage()]) == 1


def test_the_shipped_prompts_are_the_users():
    assert ClapConfig().prompt_list() == [
        "kick drum, bass drum",
        "snare, clap",
        "hi-hat, hi hat cymbal",
        "tom, tom drum",
        "reverb tail, ambient, noise",
    ]
    with pytest.raises(BadConfig, match="CORE"):
        ClapConfig(prompts={"CORR": "kick"})
