"""What two processes learn together in test_processes.py: each leaves its steps and its weights in <rank>.json."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from pathlib import Path

from test_training import PLAN, Line

from models.learning.processes import rank
from models.learning.training import train
from models.music.files import write_json


def teach(out: str, interrupt: bool = False, patience: int = 0, callbacks=()) -> None:
    """`interrupt`: the second process is told to stop at step 37; `patience`: the two judge differently."""
    lesson, plan = Line(), dataclasses.replace(PLAN, accumulate=2)
    if interrupt:
        lesson = Stopping()
    if patience:
        plan = dataclasses.replace(plan, steps=500, validate_every=5, patience=patience)
        lesson.validate = lambda network: {"loss": -time.monotonic() if rank() else 1.0}
    trained = train(lesson, plan, Path(out, "work"), callbacks)
    told = {
        "steps": trained.steps,
        "history": trained.history,
        "weights": trained.network.state_dict()["0.weight"].tolist(),
    }
    write_json(Path(out, f"{rank()}.json"), told)


class Stopping(Line):
    told = False

    def batch(self, step, generator):
        if step == 37 and rank() == 1 and not self.told:
            self.told = True
            os.kill(os.getpid(), signal.SIGTERM)
        return super().batch(step, generator)
