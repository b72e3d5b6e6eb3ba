"""The fast decoder: a soloist's weights inside ONNX Runtime, and what a player keeps in memory of what was read.

    decoder = OnnxDecoder(weights, config, "int8")    # one thread; many players share it
    reader = decoder.open()                           # keys and values of its own
    logits = reader.follow(words)                     # after the last of them: [v]
    logits = reader.follow([*words, 402])             # reads one word
    logits = reader.follow(changed)                   # goes back to where they part, and on from there

What a reader answers depends on the words alone, whatever it read before (with 8-bit weights, up to their rounding).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.jam.config import JamConfig
from models.jam.graph import Precision, Weights, memories, memory_shape, onnx_model
from models.jam.harmony import as_melody, beside_words
from models.jam.vocabulary import SIZE, TABLE
from models.music.errors import BadInput

Logits = NDArray[np.float32]
AT_ONCE = 64
"""Words that are read together: whoever stops the work waits for no more."""


class Reader(ABC):
    """What a player has read, and what it expects after it. Threads take turns."""

    nbytes: int
    """What it keeps in memory."""

    def __init__(self, context: int) -> None:
        self.context = context
        self.words = np.zeros(0, np.int64)
        """What it has read."""
        self.expected: Logits = np.zeros(SIZE, np.float32)
        """What it expects next, [v]."""

    def follow(self, words: Sequence[int] | NDArray[np.int64]) -> Logits:
        """Read words from the beginning; those that were read already are not read again. Returns [v]."""
        for _ in self.portions(words):
            pass
        return self.expected

    def portions(self, words: Sequence[int] | NDArray[np.int64]) -> Iterator[None]:
        """The same, portion by portion: whoever leaves between two has only read the beginning."""
        words = np.asarray(words, np.int64)
        same = self._in_common(words)
        if same < len(words) or same < len(self.words):
            self.rewind(min(same, len(words) - 1))
            for begin in range(len(self.words), len(words), AT_ONCE):
                self.expected = self.read(words[begin : begin + AT_ONCE])[-1]
                yield

    def rewind(self, length: int) -> None:
        """Forget all but the first words."""
        self.words = self.words[:length]

    def read(self, words: NDArray[np.int64]) -> Logits:
        """Read further words: what is expected after each of them, [t, v]."""
        total = len(self.words) + len(words)
        if not len(words) or total > self.context:
            raise BadInput(f"jam: {total} words to read; 1 to {self.context} fit. Give fewer bars.")
        every = np.concatenate([self.words, words])
        beside = beside_words(every, len(self.words))
        expected = as_melody(self._read(words, beside), beside)
        self.words = every
        return expected

    @abstractmethod
    def _read(self, words: NDArray[np.int64], beside: NDArray[np.int64]) -> Logits:
        """The network's logits after each word, [t, TABLE]."""

    def _in_common(self, words: NDArray[np.int64]) -> int:
        length = min(len(words), len(self.words))
        differ = np.flatnonzero(words[:length] != self.words[:length])
        return int(differ[0]) if len(differ) else length


class Decoder(Protocol):
    """One soloist's weights, ready to be read with by many."""

    config: JamConfig

    def open(self) -> Reader: ...


class OnnxDecoder:
    """On the CPU, in ONNX Runtime."""

    def __init__(self, weights: Weights, config: JamConfig, precision: Precision = "int8") -> None:
        import onnxruntime

        self.config, self.precision = config, precision
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # a second one makes the tail longer
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        model = onnx_model(weights, config, precision)
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def open(self) -> OnnxReader:
        return OnnxReader(self)


class OnnxReader(Reader):
    """Keys and values of what was read, in memory that never moves."""

    def __init__(self, decoder: OnnxDecoder) -> None:
        import onnxruntime

        super().__init__(decoder.config.context)
        self._session = decoder.session
        self._binding = self._session.io_binding()
        shape = memory_shape(decoder.config)
        self._memory = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32))
            for name in memories(decoder.config)
        }
        for name, value in self._memory.items():
            self._binding.bind_ortvalue_input(f"{name}_before", value)
            self._binding.bind_ortvalue_output(f"{name}_after", value)
        self.nbytes = len(self._memory) * math.prod(shape) * 4

    def _read(self, words: NDArray[np.int64], beside: NDArray[np.int64]) -> Logits:
        total = len(self.words) + len(words)
        told = {"words": words[None], "beside": beside[None]}
        told |= {"last": np.array([total - 1], np.int32), "total": np.array([total], np.int32)}
        for name, value in told.items():  # the binding knows no more than where they are
            self._binding.bind_cpu_input(name, value)
        logits = np.empty((1, len(words), TABLE), np.float32)
        self._binding.bind_output("logits", "cpu", 0, np.float32, logits.shape, logits.ctypes.data)
        self._session.run_with_iobinding(self._binding)
        return logits[0]
