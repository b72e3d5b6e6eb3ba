"""A stream for tests: counts in parts, and does what goes wrong when told so."""

import os
import time
from collections import Counter

import numpy as np

from models.music.errors import BadMidi
from serving.backends.backend import Backend
from serving.contract import Axis, Capacity, ModelContract, Patience, Tensor

COUNTING = ModelContract(
    name="counting",
    inputs=(
        Tensor("upto", "INT32", (1,), low=0, high=100_000),
        Tensor("pause_ms", "FP32", (1,), low=0, high=60_000, optional=True),
        Tensor("first", "INT64", (1,), optional=True),
        Tensor("order", "INT32", (1,), low=0, high=9, optional=True),
    ),
    outputs=(
        Tensor("number", "INT64", (1,), join=0),
        Tensor("line", "FP32", (2, Axis("t", 2, shortest=0))),
    ),
    canary={"upto": [2]},
    mode="stream",
    patience=Patience(first_s=3.0, between_s=3.0, canary_s=0.8),
    capacity=Capacity(at_once=8, waiting=1),
)
REFUSE, RAISE, BREAK, DIE, REPORT = 1, 2, 3, 4, 5


class CountingPlayer:
    """Counts from `first`, and tells with REPORT how far the count from there has come."""

    def __init__(self):
        self.made = Counter()

    def parts(self, request, cancelled):
        upto, first = int(request["upto"][0]), int(request.get("first", [0])[0])
        pause_ms, order = float(request.get("pause_ms", [0])[0]), int(request.get("order", [0])[0])
        if order == 5:
            yield part(self.made[first])
            return
        for number in range(first, first + upto):
            if order and number - first == upto // 2:
                self.go_wrong(order)
                yield {"number": np.array([number])}
            self.made[first] += 1
            yield part(number)
            time.sleep(pause_ms / 1000)

    def go_wrong(self, order):
        match order:
            case 1:
                raise BadMidi("the numbers do not swing. Give others.")
            case 2:
                raise ZeroDivisionError("a bug")
            case 4:
                os._exit(1)


def part(number):
    return {"number": np.array([number]), "line": np.full((2, number % 3), number, np.float32)}


class TritonPythonModel(Backend):
    contract = COUNTING

    def open_player(self, folder):
        return CountingPlayer()
