"""Bring in weights of the published model, named and laid out as its makers did.

    network = network_of_reference(np.load("weights.npz"))        # arrays by the reference's names

The reference keeps each LSTM as one kernel [inputs + width, 4 width] with gates (i, g, f, o) and adds 1 to the forget
gate when it runs; PyTorch has two matrices, gates (i, f, g, o) and no such 1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from models.groove.encoding import N_DRUMS, WIDTH
from models.groove.network import GrooveConfig, GrooveVAE
from models.learning.checkpoint import load_weights
from models.music.errors import BadInput

LSTMS = {
    "encoder.*_l0": "encoder/cell_0/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell",
    "encoder.*_l0_reverse": "encoder/cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell",
    "decoder.0.*_l0": "decoder/multi_rnn_cell/cell_0/lstm_cell",
    "decoder.1.*_l0": "decoder/multi_rnn_cell/cell_1/lstm_cell",
}
DENSES = {
    "mu": "encoder/mu",
    "sigma": "encoder/sigma",
    "start": "decoder/z_to_initial_state",
    "output": "decoder/output_projection",
}


def network_of_reference(arrays: Mapping[str, np.ndarray], **settings: float) -> GrooveVAE:
    """Build the published network that the arrays fit, controls found from their shapes, and fill it."""
    encoder = _found(arrays, f"{LSTMS['encoder.*_l0']}/kernel")
    width = encoder.shape[1] // 4
    told = len(encoder) - width - WIDTH
    config = GrooveConfig(
        encoder_width=width,
        latent=_found(arrays, "encoder/mu/kernel").shape[1],
        decoder_widths=tuple(_found(arrays, f"{LSTMS[f'decoder.{i}.*_l0']}/bias").size // 4 for i in (0, 1)),
        controls="hits" if told == N_DRUMS else "none",
        **settings,  # type: ignore[arg-type]
    )
    network = GrooveVAE(config)
    load_weights(network, weights_of_reference(arrays), "reference")
    return network.eval()


def weights_of_reference(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Rename and lay out the reference's arrays as our state dict."""
    weights: dict[str, Tensor] = {}
    for ours, theirs in LSTMS.items():
        kernel, bias = _found(arrays, f"{theirs}/kernel"), _found(arrays, f"{theirs}/bias")
        width = kernel.shape[1] // 4
        i, g, f, o = np.split(kernel, 4, axis=1)
        bias_i, bias_g, bias_f, bias_o = np.split(bias, 4)
        kernel = np.concatenate([i, f, g, o], axis=1).T
        bias = np.concatenate([bias_i, bias_f + 1.0, bias_g, bias_o])
        parts = {"weight_ih": kernel[:, :-width], "weight_hh": kernel[:, -width:]}
        parts |= {"bias_ih": bias, "bias_hh": np.zeros_like(bias)}
        weights |= {ours.replace("*", name): _tensor(value) for name, value in parts.items()}
    for ours, theirs in DENSES.items():
        weights[f"{ours}.weight"] = _tensor(_found(arrays, f"{theirs}/kernel").T)
        weights[f"{ours}.bias"] = _tensor(_found(arrays, f"{theirs}/bias"))
    return weights


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def _found(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in arrays:
        raise BadInput(f"reference weights: no {name!r} among {len(arrays)} arrays; give a GrooVAE model's.")
    return arrays[name]
