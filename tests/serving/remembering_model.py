"""A session for tests: counts on from where it was, however often it is asked."""

import time

import numpy as np
import psutil

from serving.backends.backend import Backend
from serving.contract import Capacity, ModelContract, Patience, Tensor

REMEMBERING = ModelContract(
    name="remembering",
    inputs=(
        Tensor("count", "INT32", (1,), low=0, high=100_000),
        Tensor("pause_ms", "FP32", (1,), low=0, high=60_000, optional=True),
        Tensor("order", "INT32", (1,), low=0, high=9, optional=True),
    ),
    outputs=(Tensor("number", "INT64", (1,), join=0), Tensor("at_once", "INT64", (1,), join=0)),
    canary={"count": [2]},
    mode="session",
    patience=Patience(first_s=3.0, between_s=3.0, canary_s=0.8),
    capacity=Capacity(at_once=8, waiting=16, sessions=40, idle_s=3.0, memory_mb=40),
)
REPORT, GROW = 1, 2
MEGABYTE = 1_000_000


class Remembering:
    """One session. REPORT tells how many there are and what this process holds (MB); GROW keeps ten megabytes more."""

    def __init__(self, player):
        self.player, self.number, self.playing = player, 0, 0
        self.kept = bytearray(MEGABYTE // 2)
        player.sessions += 1

    @property
    def nbytes(self):
        return len(self.kept)

    def parts(self, request, cancelled):
        order = int(request.get("order", [0])[0])
        if order == 1:
            resident = psutil.Process().memory_info().rss // MEGABYTE
            yield {"number": np.array([self.player.sessions]), "at_once": np.array([resident])}
            return
        if order == 2:
            self.kept += bytearray(10 * MEGABYTE)
        self.playing += 1
        try:
            for _ in range(int(request["count"][0])):
                self.number += 1
                yield {"number": np.array([self.number - 1]), "at_once": np.array([self.playing])}
                time.sleep(float(request.get("pause_ms", [0])[0]) / 1000)
        finally:
            self.playing -= 1

    def close(self):
        self.player.sessions -= 1


class RememberingPlayer:
    sessions = 0

    def open(self):
        return Remembering(self)


class TritonPythonModel(Backend):
    contract = REMEMBERING

    def open_player(self, folder):
        return RememberingPlayer()
