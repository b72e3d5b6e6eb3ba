"""Weights by the names of the reference implementation (merlresearch/tf-locoformer, ESPnet), in our network.

    network = from_published(conf, weights)                     # conf: the separator's settings; weights: its state dict
    network.apart(spectrum[:, None])[:, :, 0]                   # as the reference: [b, t, f] -> [b, s, t, f]

Both variants are known: a state dict with a `band_split_module` is a band network. Neither a pickle nor ESPnet is
touched here: whoever has a .pth reads it with torch.load(..., weights_only=True) and gives what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from models.learning.checkpoint import load_weights
from models.music.config import nearest
from models.music.errors import BadConfig, BadInput
from models.separation.locoformer.bands import BandSplit
from models.separation.locoformer.blocks import rotary_frequencies
from models.separation.locoformer.config import LocoformerConfig
from models.separation.locoformer.network import Locoformer
from models.separation.songs import STEMS

SETTINGS = {
    "n_layers": "blocks",
    "emb_dim": "width",
    "num_groups": "groups",
    "n_heads": "heads",
    "attention_dim": "attention",
    "conv1d_kernel": "kernel",
    "conv1d_shift": "stride",
    "dropout": "dropout",
    "eps": "eps",
    "sample_rate": "rate_hz",
    "stft_size": "n_fft",
    "masking": "masking",
}
WORDS = {
    "norm_type": ("norm", {"rmsgroupnorm": "group", "layernorm": "layer"}),
    "tf_order": ("order", {"ft": "frequency first", "tf": "time first"}),
    "pos_enc": ("positions", {"rope": "rotary", "nope": "none"}),
}
ELSEWHERE = {"num_spk", "stereo", "ffn_type", "ffn_hidden_dim", "flash_attention", "input_dim"}
PATHS = {"along_frequency": "freq_path", "along_time": "frame_path"}


def from_published(conf: Mapping[str, Any], weights: Mapping[str, Tensor], **ours: Any) -> Locoformer:
    """Build the network of a reference configuration and fill it; `ours` sets what the reference has elsewhere (hop, stems)."""
    band = any(name.startswith("band_split_module.") for name in weights)
    config = config_of(conf, "band" if band else "full", **ours)
    network = Locoformer(config)
    left = dict(weights)
    found = _blocks(config, left) | (_bands(network, left) if band else _full(left))
    frequencies = rotary_frequencies(config.attention // config.heads)
    for name in [name for name in left if name.endswith(("rope.freqs", "pe.freqs"))]:
        if not torch.allclose(left.pop(name).float().cpu(), frequencies, rtol=1e-5):
            raise BadInput(f"{name}: rotary frequencies that were learned; only the usual ones are known here.")
    if left:
        raise BadInput(
            f"published weights: {len(left)} left over, the first is {next(iter(left))}. Check the settings."
        )
    load_weights(network, found, "published weights")
    return network.eval()


def config_of(conf: Mapping[str, Any], variant: str, **ours: Any) -> LocoformerConfig:
    """Say a reference configuration in our words."""
    chosen: dict[str, Any] = {"variant": variant, "channels": 2 if conf.get("stereo") else 1}
    for name, value in conf.items():
        if name in SETTINGS:
            chosen[SETTINGS[name]] = value
        elif name in WORDS:
            ours_name, words = WORDS[name]
            if value not in words:
                raise BadConfig(f"{name} is {value!r}; {nearest(str(value), words)}.")
            chosen[ours_name] = words[value]
        elif name not in ELSEWHERE:
            raise BadConfig(f"published settings: unknown {name!r}; {nearest(name, {*SETTINGS, *WORDS, *ELSEWHERE})}.")
    kinds, hidden = conf.get("ffn_type", "swiglu_conv1d"), conf.get("ffn_hidden_dim", 384)
    if {*([kinds] if isinstance(kinds, str) else kinds)} != {"swiglu_conv1d"}:
        raise BadConfig(f"ffn_type is {kinds!r}; only swiglu_conv1d is known here.")
    chosen["hidden"] = (hidden,) if isinstance(hidden, int) else tuple(hidden)
    count = conf.get("num_spk", 2)
    chosen["stems"] = STEMS if count == len(STEMS) else tuple(f"source {number}" for number in range(1, count + 1))
    return LocoformerConfig(**{**chosen, **ours})


def _blocks(config: LocoformerConfig, left: dict[str, Tensor]) -> dict[str, Tensor]:
    """The reference counts feed-forwards backwards: 0 stands after attention, 1 before."""
    found = {}
    norm = ("weight", "bias") if config.norm == "layer" else ("weight",)
    forwards = {"after": 0} | ({"before": 1} if len(config.hidden) == 2 else {})
    for block in range(config.blocks):
        for ours, theirs in PATHS.items():
            to, start = f"blocks.{block}.{ours}", f"blocks.{block}.{theirs}"
            norms = {f"{to}.attention.0": f"{start}.attn_norm"}
            for place, number in forwards.items():
                norms[f"{to}.{place}.0"] = f"{start}.ffn_norm.{number}"
                for part, conv in (("open", "conv1d"), ("close", "deconv1d")):
                    for kind in ("weight", "bias"):
                        found[f"{to}.{place}.1.{part}.{kind}"] = _taken(left, f"{start}.ffn.{number}.{conv}.{kind}")
            for name, their in norms.items():
                for kind in norm:
                    found[f"{name}.{kind}"] = _taken(left, f"{their}.{'gamma' if config.norm == 'group' else kind}")
            found[f"{to}.attention.1.enter.weight"] = _taken(left, f"{start}.attn.qkv.weight")
            found[f"{to}.attention.1.leave.weight"] = _taken(left, f"{start}.attn.aggregate_heads.0.weight")
    return found


def _full(left: dict[str, Tensor]) -> dict[str, Tensor]:
    names = {"into": "conv.0", "norm": "conv.1", "out": "deconv"}
    return {
        f"coder.{ours}.{kind}": _taken(left, f"{theirs}.{kind}")
        for ours, theirs in names.items()
        for kind in ("weight", "bias")
    }


def _bands(network: Locoformer, left: dict[str, Tensor]) -> dict[str, Tensor]:
    """Stack what the reference keeps band by band."""
    split = network.coder.bands
    assert isinstance(split, BandSplit)
    count, first, found = len(split.sizes), 0, {}
    way_in, way_out = "band_split_module.band_split_module", "band_split_module.bandwise_decoding_module"
    layers = {f"opening.{place}": (way_out, place, 0, count) for place in (0, 1, 3)}
    for run, (_, bands) in enumerate(split.runs):
        layers |= {f"gathering.{run}.{place}": (way_in, place, first, bands) for place in (0, 1)}
        layers[f"spreading.{run}"] = (way_out, 4, first, bands)
        first += bands
    for ours, (theirs, place, low, bands) in layers.items():
        for kind in ("weight", "bias"):
            members = [_taken(left, f"{theirs}.{band}.{place}.{kind}") for band in range(low, low + bands)]
            stacked = torch.stack(members)
            found[f"coder.bands.{ours}.{kind}"] = stacked.squeeze(-1) if stacked.ndim == 4 else stacked
    return found


def _taken(left: dict[str, Tensor], name: str) -> Tensor:
    if name not in left:
        raise BadInput(f"published weights: no {name}. Check that they belong to these settings.")
    return left.pop(name)
