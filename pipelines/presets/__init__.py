"""Named sets of parameter values: `jamflow run train-groove --preset laptop`.

One file a pipeline (train-groove.yaml), one mapping a preset in it, parameter names as keys. Flags come before presets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.music.config import nearest, read_yaml
from models.music.errors import BadConfig

FOLDER = Path(__file__).parent


def preset(pipeline: str, name: str) -> dict[str, Any]:
    """Return the values of one preset of a pipeline."""
    file = FOLDER / f"{pipeline}.yaml"
    if not file.is_file():
        raise BadConfig(f"--preset {name}: {pipeline} has no presets. Leave the flag out.")
    known = read_yaml(file)
    if name not in known:
        raise BadConfig(f"--preset {name}: {pipeline} has no such preset; {nearest(name, known)}.")
    return dict(known[name] or {})
