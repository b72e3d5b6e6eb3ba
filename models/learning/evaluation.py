"""What an evaluation leaves: a folder with metrics.json, champion.json when the champion was heard beside, and pictures.

    figures = write_evaluation("evaluation", hear, "model", champion="champion/model")

`hear(folder)` measures one model's folder: its figures, and how to draw them. A champion that cannot be heard any more
(its network has changed, its data are no strangers to it) is left out with a warning: its registered figures must do then.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.music.errors import JamflowError
from models.music.files import whole_folder, write_json

log = logging.getLogger(__name__)
METRICS, CHAMPION = "metrics.json", "champion.json"


@dataclass(frozen=True)
class Heard:
    """What was measured of one model."""

    figures: dict[str, float]
    draw: Callable[[Path], None]
    """Write pictures and tables into a folder."""


def write_evaluation(
    out: str | os.PathLike[str],
    hear: Callable[[Path], Heard],
    model: str | os.PathLike[str],
    champion: str | os.PathLike[str] | None = None,
) -> dict[str, float]:
    """Measure a model, and the champion beside it on the same data; write the folder whole, return the model's figures."""
    heard = hear(Path(model))
    with whole_folder(out, replace=True) as part:
        write_json(part / METRICS, heard.figures)
        heard.draw(part)
        if champion is not None and (beside := _heard_still(hear, Path(champion))):
            write_json(part / CHAMPION, beside)
    return heard.figures


def _heard_still(hear: Callable[[Path], Heard], champion: Path) -> dict[str, float] | None:
    try:
        return hear(champion).figures
    except (JamflowError, KeyError, TypeError, ValueError) as error:  # whatever an old config.json lacks today
        log.warning("the champion was not heard on this data: %s", error)
        return None
