"""A model for tests: gives back what it got, or does what goes wrong when told so."""

import os
import time

from models.music.errors import BadMidi
from serving.backends.backend import Backend
from serving.contract import Axis, ModelContract, Tensor

ECHO = ModelContract(
    name="echo",
    inputs=(
        Tensor("numbers", "INT32", (Axis("n", 1000, shortest=0), 4)),
        Tensor("sound", "FP32", (Axis("n", 1000),), optional=True),
        Tensor("order", "INT32", (1,), low=0, high=9, optional=True),
    ),
    outputs=(
        Tensor("numbers", "INT32", (Axis("n", 1000, shortest=0), 4)),
        Tensor("company", "INT64", (1,)),
    ),
    canary={"numbers": [[0, 1, 2, 3]]},
    max_batch=8,
)
REFUSE, RAISE, SLEEP, DIE = 1, 2, 3, 4


class EchoPlayer:
    def play(self, requests):
        import numpy as np

        for request in requests:
            match int(request.get("order", [0])[0]):
                case 1:
                    raise BadMidi("the numbers do not swing. Give others.")
                case 2:
                    raise ZeroDivisionError("a bug")
                case 3:
                    time.sleep(0.6)
                case 4:
                    os._exit(1)
        return [{"numbers": request["numbers"], "company": np.array([len(requests)])} for request in requests]


class TritonPythonModel(Backend):
    contract = ECHO

    def open_player(self, folder):
        return EchoPlayer()
