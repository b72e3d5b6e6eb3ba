"""Which of our modules a piece of code reaches: what it imports, lazily or not, and whatever that imports in turn.

    tree = SourceTree(root, ("models", "serving"))
    reached = tree.reached("from models.groove.train import teach")   # {"models", "models.groove", …}
    tree.digest(tree.files(reached))                                  # their sources and the data beside them

Imports are found by their words: `ast` takes thirty times as long, and every `jamflow run` would wait for it. Words can
mislead, by an example in a docstring, but only to count too much; a test asks `ast` whether it is ever too little. A
module that is chosen while the program runs counts as wide as its words leave it open: a literal that begins with
"serving.backends." and goes on with a variable is everything below that, a variable alone is everything there is.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

FROM = re.compile(r"from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]*(\([^)]*\)|.*)")
IMPORT = re.compile(r"import[ \t]+(.*)")
CHOSEN_LATE = [
    re.compile(rf"""{chooser}\(?\s*(?:[rf]*["']([A-Za-z][\w.]*))?""")
    for chooser in (
        *("import[_]module", "[_]_import__", "run[_]module", "run[_]path", "spec[_]from_file_location", '["]-m",'),
        *("importlib[.]resources(?:[.]files)?", "pkg[u]til"),
    )
]
"""What chooses a module or its data by a text, and how that text begins; in brackets, for here they choose none."""
FOLDER_OF = re.compile(r"([\w.]+)\.__path__")
QUOTED_PATH = re.compile(r"""["'](\w+(?:/\w+)+)["']""")
QUOTED = re.compile(r"""["'](\w+)(\.py)?["']""")
FOR_TYPES_ALONE = re.compile(r"^([ \t]*)if (?:typing\.)?TYPE_CHECKING:.*\n(?:\1[ \t]+.*\n|[ \t]*\n)*", re.MULTILINE)
READ_BY_NO_CODE = (".md", ".png", ".svg", ".pyc", ".part")
"""A card's words and pictures, and leftovers."""


class SourceTree:
    """Our rooms as they lie on the disk; every file is read once."""

    def __init__(self, root: Path, rooms: Sequence[str]) -> None:
        self.root = root
        self.modules: dict[str, Path] = {}
        self._data: dict[str, list[Path]] = {}
        self._contents: dict[Path, bytes] = {}
        self._lines: dict[Path, str] = {}
        self._imports: dict[str, set[str]] = {}
        for room in rooms:
            if (root / room).is_dir():
                self._look_into(root / room, package=room, owner=room)

    def reached(self, code: str) -> frozenset[str]:
        """Follow a piece of code to every module of ours that it can import."""
        found: set[str] = set()
        new = self._named_in(code)
        while new:
            found |= new
            new = set[str]().union(*map(self._imports_of, new)) - found
        return frozenset(found)

    def files(self, modules: Iterable[str]) -> list[Path]:
        """The sources of modules, and the data in the folders of their packages."""
        modules = set(modules)
        folders = modules.union(*map(_packages_around, modules))
        return [self.modules[m] for m in modules] + [file for folder in folders for file in self._data.get(folder, ())]

    def digest(self, files: Iterable[Path]) -> str:
        """One digest of files' places and contents."""
        return hashlib.sha256("".join(sorted(map(self._line, files))).encode()).hexdigest()

    def _look_into(self, folder: Path, package: str, owner: str) -> None:
        """Find modules, and the data of each package: what lies in its folder, and below it where no module does."""
        with os.scandir(folder) as entries:
            seen = [
                e
                for e in entries
                if not e.name.startswith((".", "__pycache__")) and not e.name.endswith(READ_BY_NO_CODE)
            ]
        files = [Path(entry.path) for entry in seen if entry.is_file()]
        if any(file.suffix == ".py" for file in files):
            owner = package
        for file in files:
            if file.suffix == ".py":
                self.modules[package if file.stem == "__init__" else f"{package}.{file.stem}"] = file
            else:
                self._data.setdefault(owner, []).append(file)
        for entry in seen:
            if entry.is_dir():
                self._look_into(Path(entry.path), f"{package}.{entry.name}", owner)

    def _imports_of(self, module: str) -> set[str]:
        if module not in self._imports:
            file = self.modules[module]
            package = module if file.stem == "__init__" else module.rpartition(".")[0]
            self._imports[module] = self._named_in(self._content(file).decode("utf-8"), package)
        return self._imports[module]

    def _named_in(self, code: str, package: str = "") -> set[str]:
        """The modules that a text names, with the packages around them, which are imported first."""
        named: set[str] = set()
        for name in _imported(FOR_TYPES_ALONE.sub("", code), package):
            if name.endswith("*"):
                named.update(module for module in self.modules if module.startswith(name[:-1]))
            elif name in self.modules:
                named.add(name)
        return named.union(*map(_packages_around, named)) & self.modules.keys()

    def _line(self, file: Path) -> str:
        if file not in self._lines:
            place = file.relative_to(self.root).as_posix()
            self._lines[file] = f"{hashlib.sha256(self._content(file)).hexdigest()}  {place}\n"
        return self._lines[file]

    def _content(self, file: Path) -> bytes:
        if file not in self._contents:
            self._contents[file] = file.read_bytes()
        return self._contents[file]


def _imported(code: str, package: str) -> Iterator[str]:
    """Every name that may be a module's; one that ends with * stands for all that begin so."""
    for dots, base, words in FROM.findall(code):
        if dots:
            base = ".".join([*package.split(".")[: len(package.split(".")) + 1 - len(dots)], base]).rstrip(".")
        yield base
        yield from (f"{base}.{word}" for word in re.findall(r"\w+|\*", words))
    for words in IMPORT.findall(code):
        yield from re.findall(r"[\w.]+", words)
    for choice in CHOSEN_LATE:
        yield from (f"{prefix}*" for prefix in choice.findall(code))
    if "__path__" in code:  # it names data by their place in a package
        for base in FOLDER_OF.findall(code):
            for path in QUOTED_PATH.findall(code):
                yield from _packages_around(f"{base}.{path.replace('/', '.')}")
    if "__file__" in code:  # it reads sources beside it as files
        for name, is_source in QUOTED.findall(code):
            yield f"{package}.{name}" if is_source else f"{package}.{name}.*"


def _packages_around(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]
