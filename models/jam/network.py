"""The soloist's network: a Llama decoder of transformers; a style is a LoRA of peft on top of it.

    network = JamNetwork(LAPTOP)
    expected = network(words, beside)               # [b, t], [b, t, 2] -> [b, t, v]; beside: see harmony.py
    styled = with_style(network, rank=8)            # the same network; only its LoRA learns
    weights = style_weights(styled)                 # {"model.layers.0.self_attn.q_proj.a": …, ".b": …}
    network.load_state_dict(merged(network.state_dict(), weights, scale=2.0))

b batch, t words, v vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from models.jam.config import NORM_EPSILON, ROTARY_BASE, JamConfig
from models.jam.harmony import DEGREES, STEPS, beside_words
from models.jam.vocabulary import CHORD, PAD, PITCH, SIZE, TABLE
from models.music.chords import chord_of

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""What a style bends."""


class JamNetwork(nn.Module):
    """Says which word comes next."""

    def __init__(self, config: JamConfig) -> None:
        from transformers import LlamaConfig, LlamaForCausalLM

        super().__init__()
        self.config = config
        self.llama = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=TABLE,
                hidden_size=config.width,
                intermediate_size=config.hidden,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                num_key_value_heads=config.heads,
                max_position_embeddings=config.context,
                rms_norm_eps=NORM_EPSILON,
                rope_parameters={"rope_type": "default", "rope_theta": ROTARY_BASE},
                attention_dropout=config.dropout,
                tie_word_embeddings=False,
                pad_token_id=PAD(),
                bos_token_id=None,
                eos_token_id=None,
            )
        )

        begin_with_music(self.llama.model.embed_tokens.weight, self.llama.lm_head.weight)
        self.register_buffer("degrees", torch.from_numpy(DEGREES), persistent=False)
        self.register_buffer("steps", torch.from_numpy(STEPS), persistent=False)

    def forward(self, words: Tensor, beside: Tensor | None = None) -> Tensor:
        if beside is None:
            beside = torch.from_numpy(np.stack([beside_words(line) for line in words.cpu().numpy()])).to(words.device)
        embedding = self.llama.get_input_embeddings()
        heard = embedding(words) + embedding(beside).sum(-2)
        return self.as_melody(self.llama(inputs_embeds=heard, use_cache=False).logits, beside)

    def as_melody(self, logits: Tensor, beside: Tensor) -> Tensor:
        """What harmony.as_melody does, for gradients."""
        tables = self.get_buffer("degrees"), self.get_buffer("steps")
        degrees, steps = (logits.gather(-1, table[beside[..., k]]) for k, table in enumerate(tables))
        before, pitches, after = logits[..., :SIZE].split(
            [PITCH.first, PITCH.size, SIZE - PITCH.first - PITCH.size], -1
        )
        return torch.cat([before, pitches + degrees + steps, after], -1)


def begin_with_music(*tables: Tensor) -> None:
    """Let pitches of a class begin alike, pitches of an octave too, and a chord as its tones: [v, width] each."""
    with torch.no_grad():
        for table in tables:
            classes, octaves = (torch.randn(12, table.shape[1]) * 0.02 for _ in range(2))
            for pitch in range(PITCH.size):
                table[PITCH(pitch)] = classes[pitch % 12] + octaves[pitch // 12]
            for number in range(1, CHORD.size):
                chord = chord_of(number)
                assert chord is not None
                table[CHORD(number)] = classes[list(chord.pitch_classes)].mean(0) + classes[chord.root] / 2


def with_style(network: JamNetwork, rank: int, scale: float, dropout: float = 0.0) -> JamNetwork:
    """Freeze a network and let a LoRA learn on top of it."""
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        r=rank,
        lora_alpha=scale * rank,  # type: ignore[arg-type]  (peft divides by the rank again)
        lora_dropout=dropout,
        target_modules=list(PROJECTIONS),
        task_type="CAUSAL_LM",
    )
    network.llama = get_peft_model(network.llama, settings)  # type: ignore[assignment, arg-type]
    return network


def style_weights(styled: nn.Module) -> dict[str, Tensor]:
    """What a style has learnt: two thin matrices for each projection, by its name in the base's state dict."""
    names = {".lora_A.default.weight": ".a", ".lora_B.default.weight": ".b"}
    return {
        "llama." + name.removeprefix("llama.base_model.model.").replace(theirs, ours): weight.detach().cpu()
        for name, weight in styled.state_dict().items()
        for theirs, ours in names.items()
        if name.endswith(theirs)
    }


def merged(base: Mapping[str, Tensor], style: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """The weights of a base that plays a style."""
    bent = dict(base)
    for name in style:
        if name.endswith(".a"):
            place = name.removesuffix(".a")
            bent[f"{place}.weight"] = base[f"{place}.weight"] + scale * style[f"{place}.b"] @ style[name]
    return bent
