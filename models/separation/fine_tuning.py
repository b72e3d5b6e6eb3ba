"""A network of demucs' that goes on learning, with the lesson of ours; its folder plays as any other of demucs' does.

    trained = fine_tune(corpus, SeparationTraining(plan, start="htdemucs"), "mine", "mine-work")
    load_separator("mine")

A bag of several is not taught: give the folder of one of its networks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from models.learning.checkpoint import CONFIG, WEIGHTS
from models.learning.processes import leads
from models.learning.training import Callback, Trained, train
from models.music.errors import BadInput
from models.music.files import whole_folder, write_json
from models.separation.dataset import Corpus
from models.separation.htdemucs import HTDemucs
from models.separation.lesson import SeparationLesson, SeparationTraining
from models.separation.stems import DEMUCS
from models.separation.weights import find_bag


def fine_tune(
    corpus: Corpus,
    training: SeparationTraining,
    out: str | Path,
    work: str | Path,
    callbacks: Sequence[Callback],
    told: Callable[[Trained], dict[str, Any]],
) -> Trained:
    """Teach the network that a training starts from, resuming from `work`, and save it whole at `out`."""
    network = one_network(training.start, corpus)
    segment_s = float(network.segment)
    lesson = SeparationLesson(corpus, training, network, segment_s)
    trained = train(lesson, training.plan_for(corpus, segment_s), work, callbacks)
    if leads():
        save(out, trained.network.cpu(), **told(trained), start=training.start)
    return trained


def one_network(start: str, corpus: Corpus) -> Any:
    """Load the one network of a model, if it knows the stems and the rate of the songs."""
    bag = HTDemucs.load(find_bag(start)).network
    if len(bag.models) != 1:
        raise BadInput(f"{start}: a bag of {len(bag.models)}; one network is taught. Give the folder of one of them.")
    [network] = bag.models
    if (tuple(network.sources), network.samplerate) != (corpus.stems, corpus.rate_hz):
        theirs = f"{', '.join(network.sources)} at {network.samplerate} Hz"
        raise BadInput(f"{start}: separates {theirs}; the songs were prepared otherwise. Prepare them again.")
    return network


def save(folder: str | Path, network: Any, **facts: Any) -> None:
    """Write weights as demucs' own library writes them: the class and what it is made with stand beside the tensors."""
    args, kwargs = network._init_args_kwargs
    kind = f"{type(network).__module__}.{type(network).__qualname__}"
    made = {"klass": kind, "args": json.dumps(args, default=_fraction), "kwargs": json.dumps(kwargs, default=_fraction)}
    with whole_folder(folder, replace=True) as part:
        tensors = {name: tensor.detach().contiguous().clone() for name, tensor in network.state_dict().items()}
        save_file(tensors, part / WEIGHTS, made)
        write_json(part / CONFIG, {"kind": DEMUCS, "facts": facts})


def _fraction(value: Any) -> dict[str, Any]:
    if not isinstance(value, Fraction):
        raise TypeError(f"{value!r} cannot be written down")
    return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
