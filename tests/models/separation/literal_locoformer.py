"""TF-Locoformer as its formulas say it, step by step and slowly, on weights by their published names.

weights = draw_weights(conf, bands, generator)      # what a published state dict would hold
answer = literal(conf, weights, spectrum, bands)    # complex [m, t, f] -> [s, m, t, f], in float64
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any  # arrays of floats or of complex numbers, whose types are not worth the telling here


def draw_weights(conf: dict[str, Any], bands: list[int], generator: np.random.Generator) -> dict[str, Array]:
    """Draw a state dict with the reference's names and shapes; without bands, the full variant's."""
    d, a, k, hidden = conf["emb_dim"], conf["attention_dim"], conf["conv1d_kernel"], conf["ffn_hidden_dim"]
    sides, shapes = (2 if conf.get("stereo") else 1), {}
    norm = ["gamma"] if conf["norm_type"] == "rmsgroupnorm" else ["weight", "bias"]
    for block in range(conf["n_layers"]):
        for path in ("freq_path", "frame_path"):
            start = f"blocks.{block}.{path}"
            for number, width in enumerate(reversed(hidden)):
                shapes |= {f"{start}.ffn_norm.{number}.{kind}": (d,) for kind in norm}
                shapes[f"{start}.ffn.{number}.conv1d.weight"] = (2 * width, d, k)
                shapes[f"{start}.ffn.{number}.conv1d.bias"] = (2 * width,)
                shapes[f"{start}.ffn.{number}.deconv1d.weight"] = (width, d, k)
                shapes[f"{start}.ffn.{number}.deconv1d.bias"] = (d,)
            shapes |= {f"{start}.attn_norm.{kind}": (d,) for kind in norm}
            shapes[f"{start}.attn.qkv.weight"] = (3 * a, d)
            shapes[f"{start}.attn.aggregate_heads.0.weight"] = (d, a)
    if not bands:
        shapes |= {"conv.0.weight": (d, 2, 3, 3), "conv.0.bias": (d,), "conv.1.weight": (d,), "conv.1.bias": (d,)}
        shapes |= {"deconv.weight": (d, 2 * conf["num_spk"], 3, 3), "deconv.bias": (2 * conf["num_spk"],)}
    for band, size in enumerate(bands):
        start, values = f"band_split_module.band_split_module.{band}", 2 * sides * size
        shapes |= {f"{start}.0.weight": (values,), f"{start}.0.bias": (values,)}
        shapes |= {f"{start}.1.weight": (d, values, 1), f"{start}.1.bias": (d,)}
        start, out = f"band_split_module.bandwise_decoding_module.{band}", 2 * conf["num_spk"] * values
        shapes |= {f"{start}.0.weight": (d,), f"{start}.0.bias": (d,)}
        shapes |= {f"{start}.1.weight": (4 * d, d, 1), f"{start}.1.bias": (4 * d,)}
        shapes |= {f"{start}.3.weight": (4 * d, 4 * d, 1), f"{start}.3.bias": (4 * d,)}
        shapes |= {f"{start}.4.weight": (out, 4 * d, 1), f"{start}.4.bias": (out,)}
    drawn = {name: 0.3 * generator.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    return {name: weight.astype(np.float64) for name, weight in drawn.items()}  # what float32 can hold


def literal(conf: dict[str, Any], w: dict[str, Array], spectrum: Array, bands: list[int]) -> Array:
    x = split(w, spectrum, bands) if bands else encode(w, spectrum)  # [t, f or bands, d]
    for block in range(conf["n_layers"]):
        for letter in conf["tf_order"]:
            path = {"f": "freq_path", "t": "frame_path"}[letter]
            rows = x if letter == "f" else x.swapaxes(0, 1)
            rows = np.stack([along(conf, w, f"blocks.{block}.{path}", row) for row in rows])
            x = rows if letter == "f" else rows.swapaxes(0, 1)
    if not bands:
        return decode(w, x, conf["num_spk"])
    answer = spread(w, x, bands, conf["num_spk"], len(spectrum))
    return answer * spectrum if conf["masking"] else answer


def along(conf: dict[str, Any], w: dict[str, Array], name: str, x: Array) -> Array:
    """[l, d] -> [l, d]"""

    def normed(x: Array, norm: str) -> Array:
        if conf["norm_type"] == "layernorm":
            centred = x - x.mean(-1, keepdims=True)
            scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + conf["eps"])
            return scaled * w[f"{norm}.weight"] + w[f"{norm}.bias"]
        groups = x.reshape(len(x), conf["num_groups"], -1)
        size = np.sqrt((groups**2).mean(-1, keepdims=True))
        return (groups / (size + conf["eps"])).reshape(x.shape) * w[f"{norm}.gamma"]

    def fed(x: Array, number: int) -> Array:
        return x + feed(conf, w, f"{name}.ffn.{number}", normed(x, f"{name}.ffn_norm.{number}"))

    if len(conf["ffn_hidden_dim"]) == 2:
        x = fed(x, 1)
    x = x + attend(conf, w, f"{name}.attn", normed(x, f"{name}.attn_norm"))
    return fed(x, 0)


def feed(conf: dict[str, Any], w: dict[str, Array], name: str, x: Array) -> Array:
    kernel, step, length = conf["conv1d_kernel"], conf["conv1d_shift"], len(x)
    pad = kernel - step
    total = math.ceil((length + 2 * pad - kernel) / step) * step + kernel
    padded = np.zeros((total, x.shape[1]))
    padded[pad : pad + length] = x
    out = np.zeros_like(padded)
    into, back = w[f"{name}.conv1d.weight"], w[f"{name}.deconv1d.weight"]
    for start in range(0, total - kernel + 1, step):
        both = sum(into[:, :, j] @ padded[start + j] for j in range(kernel)) + w[f"{name}.conv1d.bias"]
        value, gate = np.split(both, 2)
        hidden = value * gate / (1 + np.exp(-gate))
        for j in range(kernel):
            out[start + j] += back[:, :, j].T @ hidden
    return out[pad : pad + length] + w[f"{name}.deconv1d.bias"]


def attend(conf: dict[str, Any], w: dict[str, Array], name: str, x: Array) -> Array:
    query, key, value = np.split(x @ w[f"{name}.qkv.weight"].T, 3, axis=1)
    heads, size = conf["n_heads"], query.shape[1] // conf["n_heads"]
    turns = np.arange(len(x))[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
    rotation = np.exp(1j * turns) if conf.get("pos_enc", "rope") == "rope" else np.ones_like(turns)
    seen = []
    for head in range(heads):
        q, k, v = (part[:, head * size : (head + 1) * size] for part in (query, key, value))
        q, k = ((part[:, ::2] + 1j * part[:, 1::2]) * rotation for part in (q, k))
        score = (q @ k.conj().T).real / math.sqrt(size)
        share = np.exp(score - score.max(1, keepdims=True))
        seen.append(share / share.sum(1, keepdims=True) @ v)
    return np.concatenate(seen, 1) @ w[f"{name}.aggregate_heads.0.weight"].T


def encode(w: dict[str, Array], spectrum: Array) -> Array:
    parts = np.pad(np.concatenate([spectrum.real, spectrum.imag]), ((0, 0), (1, 1), (1, 1)))
    _, t, f = spectrum.shape
    windows = np.stack([parts[:, i : i + t, j : j + f] for i in range(3) for j in range(3)], -1)
    x = np.einsum("ctfk,dck->dtf", windows, w["conv.0.weight"].reshape(*w["conv.0.weight"].shape[:2], 9))
    return group_norm(x + w["conv.0.bias"][:, None, None], w["conv.1.weight"], w["conv.1.bias"]).transpose(1, 2, 0)


def decode(w: dict[str, Array], x: Array, stems: int) -> Array:
    t, f, _ = x.shape
    out = np.zeros((2 * stems, t + 2, f + 2))
    for i in range(3):
        for j in range(3):
            out[:, i : i + t, j : j + f] += np.einsum("tfd,do->otf", x, w["deconv.weight"][:, :, i, j])
    out = out[:, 1:-1, 1:-1] + w["deconv.bias"][:, None, None]
    return (out[::2] + 1j * out[1::2])[:, None]


def split(w: dict[str, Array], spectrum: Array, bands: list[int]) -> Array:
    found, low = [], 0
    for band, size in enumerate(bands):
        name = f"band_split_module.band_split_module.{band}"
        part = spectrum[:, :, low : low + size]  # [m, t, bins]
        flat = np.stack([part.real, part.imag]).transpose(3, 0, 1, 2).reshape(-1, part.shape[1])
        normed = group_norm(flat, w[f"{name}.0.weight"], w[f"{name}.0.bias"])
        found.append((w[f"{name}.1.weight"][..., 0] @ normed).T + w[f"{name}.1.bias"])
        low += size
    return np.stack(found, 1)


def spread(w: dict[str, Array], x: Array, bands: list[int], stems: int, sides: int) -> Array:
    found = []
    for band, size in enumerate(bands):
        name = f"band_split_module.bandwise_decoding_module.{band}"
        y = group_norm(x[:, band].T, w[f"{name}.0.weight"], w[f"{name}.0.bias"])
        for place in (1, 3, 4):
            y = w[f"{name}.{place}.weight"][..., 0] @ y + w[f"{name}.{place}.bias"][:, None]
            y = np.tanh(y) if place == 1 else y
        value, gate = np.split(y, 2)
        real, imaginary = (value / (1 + np.exp(-gate))).reshape(2, stems, sides, size, -1)
        found.append(real + 1j * imaginary)
    return np.concatenate(found, 2).swapaxes(2, 3)


def group_norm(x: Array, weight: Array, bias: Array, eps: float = 1e-5) -> Array:
    shape = (-1, *[1] * (x.ndim - 1))
    return (x - x.mean()) / np.sqrt(x.var() + eps) * weight.reshape(shape) + bias.reshape(shape)
