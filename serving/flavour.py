"""What MLflow runs to load one of our models: `mlflow.pyfunc.load_model("models:/groove@champion").predict(arrays)`.

MLflow keeps this file beside the weights ("models from code"), so nothing is pickled. It plays the request through the same
player as Triton does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from serving.asker import whole
from serving.backends import open_player
from serving.families import family
from serving.in_process import InProcess


class _Played:
    """Apart from PythonModel and without types on predict: MLflow would want a schema from them, and we bring our own."""

    def load_context(self, context: Any) -> None:
        self._contract = family(context.model_config["name"]).contract
        folder = Path(context.artifacts["model"])
        self._asker = InProcess(folder, player=open_player(self._contract.name, folder))

    def predict(self, context, model_input, params=None):
        """Answer one request whole: arrays by the contract's names in, arrays by its names out."""
        return dict(whole(self._asker, self._contract, model_input).arrays)


class ServedModel(_Played, PythonModel):
    """A Jamflow model as MLflow sees it."""


set_model(ServedModel())
