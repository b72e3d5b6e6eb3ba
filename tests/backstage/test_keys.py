import importlib.metadata
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from backstage.keys import pins, source_tree, stage_key
from backstage.source import SOURCE_ROOT
from pipelines.catalogue import entries

BODY = """
def rehearse(songs: Input[Dataset]) -> int:
    from components.room import rehearse
    return rehearse(songs.path)
"""
HOUSE = {
    "backstage/__init__.py": "",
    "backstage/door.py": "from models import words\n",
    "components/__init__.py": "",
    "components/room.py": "def rehearse(path):\n    from models.horns.trumpet import play\n",
    "components/stages.py": "@stage()\ndef rehearse(): ...\n",
    "models/__init__.py": "",
    "models/words.py": "",
    "models/horns/__init__.py": "",
    "models/horns/trumpet.py": "play = 1\n",
    "models/horns/presets.yaml": "tempo: 120\n",
    "models/horns/starter/weights.safetensors": "w",
    "models/horns/starter/CARD.md": "words\n",
    "models/horns/starter/loss.png": "picture",
    "models/strings/__init__.py": "",
    "models/strings/violin.py": "X = 1\n",
    "models/strings/presets.yaml": "tempo: 90\n",
}
HOUSE |= {
    place: (SOURCE_ROOT / place).read_text() for place in ("pyproject.toml", "constraints.txt", "images/Dockerfile")
}


@pytest.fixture
def key_after(tmp_path):
    """The key of a stage on python-audio, in a house of its own for every edit: file, old words, new words."""
    houses = iter(range(100))

    def ask(place: str = "", old: str = "", new: str = "", image: str = "python-audio") -> str:
        root = tmp_path / str(next(houses))
        for name, text in {**HOUSE, place or "models/nothing.md": HOUSE.get(place, "").replace(old, new)}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        assert not old or HOUSE[place] != (root / place).read_text(), "the edit edits"
        return stage_key(BODY, image, root)

    return ask


def pinned(package: str) -> str:
    return next(line for line in HOUSE["constraints.txt"].splitlines() if line.startswith(f"{package}=="))


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("components/room.py", "path", "folder"),
        ("models/horns/trumpet.py", "1", "2"),  # imported when the stage works
        ("models/words.py", "", "# by the door"),
        ("models/__init__.py", "", "# around"),
        ("models/horns/presets.yaml", "120", "121"),
        ("models/horns/starter/weights.safetensors", "w", "v"),
        ("constraints.txt", pinned("soundfile"), "soundfile==0.0.1"),
        ("constraints.txt", pinned("mlflow-skinny"), "mlflow-skinny==0.0.1"),
        ("constraints.txt", pinned("cffi"), "cffi==0.0.1"),  # nobody's but soundfile's
        ("pyproject.toml", '"soundfile",', '"soundfile", "tuner",'),
        ("images/Dockerfile", "ffmpeg", "ffmpeg sox"),
    ],
)
def test_an_edit_that_a_stage_can_notice_changes_its_key(key_after, place, old, new):
    assert key_after(place, old, new) != key_after()


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("models/strings/violin.py", "1", "2"),
        ("models/strings/presets.yaml", "90", "91"),
        ("components/stages.py", "...", "pass"),
        ("models/horns/starter/CARD.md", "words", "other words"),
        ("models/horns/starter/loss.png", "picture", "other picture"),
        ("constraints.txt", pinned("torch"), "torch==0.0.1"),
        ("constraints.txt", pinned("ruff"), "ruff==0.0.1"),
        ("pyproject.toml", '"demucs",', '"demucs", "tuner",'),
        ("pyproject.toml", "line-length = 120", "line-length = 100"),
        ("images/Dockerfile", "install torch", "install torch triton"),
    ],
)
def test_an_edit_elsewhere_does_not(key_after, place, old, new):
    assert key_after(place, old, new) == key_after()


def test_the_same_body_on_another_image_is_another_stage(key_after):
    assert key_after(image="python-torch") != key_after()
    changed = ("constraints.txt", pinned("torch"), "torch==0.0.1")
    assert key_after(*changed, image="python-torch") != key_after(image="python-torch")
    assert key_after(*changed, image="python-ops") == key_after(image="python-ops")


def test_a_pin_left_out_is_of_a_package_that_the_image_never_sees():
    """What other images name must not come along unnamed; the packages installed here know what brings what."""
    extras = tomllib.loads(HOUSE["pyproject.toml"])["project"]["optional-dependencies"]
    named = {_name(wanted) for extra in extras.values() for wanted in extra}
    for image in ("python-ops", "python-audio", "python-torch"):
        told = [line for line in pins(image)[1:] if line[0] != "-"]
        counted = {_name(pin) for pin in told}
        brought = _brought([wanted for wanted in told if "==" not in wanted])
        assert len(brought) > 80
        assert not (named - counted) & brought, f"name it in the Dockerfile, for {image}"


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", Requirement(requirement).name).lower()


def _brought(wanted: list[str]) -> set[str]:
    seen, todo = set(), [Requirement(line) for line in wanted]
    while todo:
        one = todo.pop()
        if (this := (_name(one.name), frozenset(one.extras))) not in seen:
            seen.add(this)
            try:
                needs = [Requirement(line) for line in importlib.metadata.requires(one.name) or []]
            except importlib.metadata.PackageNotFoundError:
                continue  # of another system, or of an image alone
            todo += [
                n for n in needs if not n.marker or any(n.marker.evaluate({"extra": e}) for e in one.extras or [""])
            ]
    return {name for name, _ in seen}


@pytest.fixture(scope="module")
def stages():
    return {entry.name: entry.load() for entry in entries().values() if entry.kind == "stage"}


def test_every_real_stage_reaches_its_room_and_far_from_all(stages):
    everything = source_tree().modules
    door = {"backstage.door", "backstage.tracking", "backstage.scribe"}
    for name, stage in stages.items():
        assert door <= stage.reached, name
        assert len(stage.reached) < 0.65 * len(everything), name
    sizes = sorted(len(stage.reached) for stage in stages.values())
    assert sizes[len(sizes) // 2] < 0.4 * len(everything), "the middle one"


def test_a_stage_of_one_family_does_not_reach_another(stages):
    groove, roles = stages["train-groove-model"], stages["train-role-scorer"]
    assert {"models.groove.network", "models.learning.training"} <= groove.reached
    assert not _below(groove, "models.drums", "models.separation", "serving.backends")
    assert not _below(roles, "models.groove", "models.separation", "serving.backends")
    assert not _below(stages["separate-drums"], "models.groove", "models.drums", "serving.backends")


def _below(stage, *packages: str) -> set[str]:
    return {module for module in stage.reached if module.startswith(packages)}


def test_a_stage_that_deploys_reaches_every_backend(stages):
    assert {"serving.backends.groove.model", "serving.backends.roles.model"} <= stages["deploy"].reached
