import ast
from pathlib import Path

import pytest

from backstage.closure import SourceTree
from backstage.keys import ROOMS
from backstage.source import SOURCE_ROOT

BAND = {
    "models/__init__.py": "",
    "models/drums.py": "TEMPO = 120\n",
    "models/bass.py": "import models.drums\n",
    "models/horns/__init__.py": "from models.horns.trumpet import play\n",
    "models/horns/trumpet.py": "def play():\n    from .mutes import (\n        cup,  # the usual one\n    )\n",
    "models/horns/mutes/__init__.py": "",
    "models/horns/mutes/cup.py": "from ... import bass\n",
    "models/horns/settings.yaml": "a: 1\n",
    "models/horns/CARD.md": "words\n",
    "models/horns/starter/weights.safetensors": "w",
    "models/horns/starter/loss.png": "picture",
    "models/strings/__init__.py": "",
    "models/strings/violin.py": "X = 1\n",
    "models/strings/viola.py": "X = 2\n",
    "models/strings/bows.json": "{}",
}


@pytest.fixture
def band(tmp_path):
    """A small house of modules; more can be built in."""

    def build(more: dict[str, str] | None = None) -> SourceTree:
        for place, text in {**BAND, **(more or {})}.items():
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text(text)
        return SourceTree(tmp_path, ("models",))

    return build


@pytest.mark.parametrize(
    ("code", "reached"),
    [
        ("import os, torch", ""),
        ("import models.drums as d", "models models.drums"),
        ("from models import bass, strings", "models models.bass models.drums models.strings"),
        ("from models.strings import violin as v", "models models.strings models.strings.violin"),
        ("from models.horns.mutes import cup", "models models.bass models.drums models.horns models.horns.mutes models.horns.mutes.cup models.horns.trumpet"),
        ("def late():\n    if late:\n        import models.bass", "models models.bass models.drums"),
        ("try: import models.bass\nexcept ImportError: pass", "models models.bass models.drums"),
        ("from models.strings import *", "models models.strings models.strings.viola models.strings.violin"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from models import bass\n\n    import models.horns\nimport models.drums", "models models.drums"),
        ("if typing.TYPE_CHECKING:\n    from models import bass\nelse:\n    import models.drums", "models models.drums"),
    ],
)  # fmt: skip
def test_imports_are_followed_to_their_end_wherever_they_stand(band, code, reached):
    assert " ".join(sorted(band().reached(code))) == reached


@pytest.mark.parametrize(
    ("code", "reached"),
    [
        ('import_module(f"models.strings.{name}")', "models models.strings models.strings.viola models.strings.violin"),
        ('import_module("models.strings.viol" + which)', "models models.strings models.strings.viola models.strings.violin"),
        ('run([sys.executable, "-m", "models.bass"])', "models models.bass models.drums"),
        ('importlib.resources.files("models.strings")', "models models.strings models.strings.viola models.strings.violin"),
        ('importlib.import_module("demucs.htdemucs")', ""),
    ],
)  # fmt: skip
def test_a_module_chosen_late_counts_as_wide_as_its_words_leave_it_open(band, code, reached):
    assert " ".join(sorted(band().reached(code))) == reached


@pytest.mark.parametrize(
    "code",
    [
        "importlib.import_module(name)",
        '__import__(f"{room}.drums")',
        'importlib.import_module(f".{name}", __package__)',
        'runpy.run_module(argv[0], run_name="__main__")',
        'subprocess.run([sys.executable, "-m", module])',
        "load = importlib.import_module",
        "from importlib.resources import files",
    ],
)
def test_what_cannot_be_followed_is_everything(band, code):
    tree = band()
    assert tree.reached(code) == set(tree.modules)


def test_a_source_that_is_read_as_a_file_counts(band):
    more = {
        "models/shelf.py": 'ALONE = Path(__file__).with_name("drums.py")\nFOLDER = Path(__file__).parent / "strings"\n',
        "models/words.py": 'SECTIONS = ("strings", "drums.py")\n',
    }
    tree = band(more)
    strings = {"models.strings", "models.strings.viola", "models.strings.violin"}
    assert tree.reached("import models.shelf") == {"models", "models.shelf", "models.drums"} | strings
    assert tree.reached("import models.words") == {"models", "models.words"}


def test_data_counts_with_the_packages_around_it_but_no_words_and_pictures(band):
    tree = band()
    beside = lambda code: {file.name for file in tree.files(tree.reached(code)) if file.suffix != ".py"}  # noqa: E731
    assert beside("import models.horns.mutes.cup") == {"settings.yaml", "weights.safetensors"}
    assert beside("import models.strings.viola") == {"bows.json"}
    assert beside("import models.drums") == set()
    named = band({"models/shelf.py": 'import models\nSTARTER = Path(models.__path__[0], "horns/starter")\n'})
    assert "weights.safetensors" in {file.name for file in named.files(named.reached("import models.shelf"))}


def test_in_our_own_source_no_import_is_missed():
    """Found by their words, imports must be all that `ast` finds; what is meant for types alone is left out by both."""
    tree = SourceTree(SOURCE_ROOT, ROOMS)
    for module, file in tree.modules.items():
        reached = tree.reached(f"import {module}")
        missed = _imports_by_ast(module, file) & set(tree.modules) - reached
        assert not missed, f"{module} imports {missed}"


def _imports_by_ast(module: str, file: Path) -> set[str]:
    package = module.split(".") if file.stem == "__init__" else module.split(".")[:-1]
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            todo += node.orelse
        else:
            todo += ast.iter_child_nodes(node)
    return found
