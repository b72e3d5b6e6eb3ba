"""Pictures in one style, drawn without a screen and written whole.

with picture("loss.png", title="Loss", x="step", y="nats") as axes:
    axes.plot(steps, losses)
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from models.music.files import whole_file
from models.music.plain import readable

INK, PAPER = "#22252b", "#ffffff"
COLOURS = ("#2b6cb0", "#dd6b20", "#2f855a", "#b83280", "#805ad5", "#718096")


@contextlib.contextmanager
def picture(
    path: str | os.PathLike[str],
    *,
    title: str = "",
    x: str = "",
    y: str = "",
    rows: int = 1,
    columns: int = 1,
    inches: tuple[float, float] = (8.0, 4.0),
) -> Iterator[Any]:
    """Give axes to draw on (an array of them when rows or columns > 1); a PNG appears when the block ends well."""
    from cycler import cycler
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.titlelocation": "left",
        "font.size": 9.0,
        "legend.frameon": False,
        "figure.facecolor": PAPER,
    }
    with rc_context(style):  # type: ignore[arg-type]
        figure = Figure(figsize=inches, dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        axes, title = figure.subplots(rows, columns), readable(title)
        if rows * columns == 1:
            axes.set(title=title, xlabel=x, ylabel=y)
        else:
            figure.suptitle(title)
        yield axes
        with whole_file(path) as part:
            figure.savefig(part, format="png")


def confusion(path: str | os.PathLike[str], counts: ArrayLike, names: list[str], *, title: str) -> None:
    """Draw a confusion grid: truth down, answer across, each row's share in its cell."""
    table = np.asarray(counts, float)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    with picture(path, title=title, x="answer", y="truth", inches=(5.2, 4.6)) as axes:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(range(len(names)), names)
        for row, column in np.ndindex(*table.shape):
            colour = PAPER if shares[row, column] > 0.5 else INK
            axes.text(
                column,
                row,
                f"{shares[row, column]:.2f}\n{int(table[row, column])}",
                ha="center",
                va="center",
                color=colour,
            )
