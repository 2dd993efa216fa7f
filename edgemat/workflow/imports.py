"""Imports between modules, read from the source: nothing is run.

An import counts wherever it stands, also in a function that is called only now and then, but not
under ``if TYPE_CHECKING:``, which does not run. Beside import statements three things are read:

- A module that calls ``import_module`` reaches each module that one of its strings names, in full
  or within its own package. The face, the top package's own ``__init__``, is left out: what it
  loads by name it loads for users, since nothing inside imports the face.
- The packages of a module that is reached are reached as well: their ``__init__`` runs.
- A module that says ``__file__`` reads data from beside it: whatever its strings name there, such
  as a folder of templates.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

from edgemat.files import sha256_file

LOADER = "import_module"


class Source:
    """The code of one top-level package, read once: after a change, make a new one.

    Parameters
    ----------
    root:
        The folder that the package lies in.
    package:
        Its name. Other packages are not looked into.
    """

    def __init__(self, root: Path, package: str) -> None:
        self.root, self.package = root, package
        self.find = cache(self._find)
        self.module = cache(self._module)
        self.sha256 = cache(self._sha256)

    def _find(self, name: str) -> Path | None:
        """Return the file of a module, None where the package has no such module."""
        parts = name.split(".")
        if parts[0] != self.package or not all(part.isidentifier() for part in parts):
            return None
        place = self.root.joinpath(*parts)
        files = (place / "__init__.py", place.with_suffix(".py"))
        return next((file for file in files if file.is_file()), None)

    def imports(self, name: str, *, typing: bool = False) -> set[str]:
        """Return the modules of the package that a module imports, without its own packages.

        Parameters
        ----------
        typing:
            Whether imports under ``if TYPE_CHECKING:`` count as well.
        """
        module = self.module(name)
        named = [*(module.imported_for_types if typing else module.imported), *module.loaded]
        found = (next(filter(self.find, choices), None) for choices in named)
        return {one for one in found if one is not None} - {name}

    def reach(self, *names: str) -> set[str]:
        """Return the modules that may run when those named do, themselves among them."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.imports(name)
                waiting += filter(self.find, [name.rpartition(".")[0]])
        return found

    def _module(self, name: str) -> Module:
        """Return a module.

        Raises
        ------
        ModuleNotFoundError
            When the package has no such module.
        """
        file = self.find(name)
        if file is None:
            raise ModuleNotFoundError(f"{self.package} in {self.root} has no module {name}.")
        return _read(name, file, file.read_text(encoding="utf-8"))

    def _sha256(self, *names: str) -> str:
        """Return the hex SHA-256 over all code that :meth:`reach` finds, and its data."""
        digest = hashlib.sha256()
        for name in sorted(self.reach(*names)):
            module = self.module(name)
            digest.update(f"{name}\0{module.sha256}\0".encode())
            for file in module.data:
                digest.update(f"{file.relative_to(self.root)}\0{sha256_file(file)}\0".encode())
        return digest.hexdigest()


class Module:
    """One file's imports, also of other packages."""

    def __init__(self, name: str, file: Path, text: str) -> None:
        self.name, self.file, self._text = name, file, text
        self._tree = ast.parse(text, file.name)
        self._package = name if file.stem == "__init__" else name.rpartition(".")[0]

    @cached_property
    def imported(self) -> list[tuple[str, ...]]:
        """For each statement the names that it may import: the first that is a module is meant.

        ``from package import name`` means the module ``package.name``, or a name in ``package``.
        """
        return list(self._named(typing=False))

    @cached_property
    def imported_for_types(self) -> list[tuple[str, ...]]:
        """The same, with what is under ``if TYPE_CHECKING:``."""
        return list(self._named(typing=True))

    @cached_property
    def loaded(self) -> list[tuple[str, ...]]:
        """For each call of ``import_module`` the names that it may load, likewise."""
        if LOADER not in self._text or "." not in self.name:
            return []
        nodes = list(ast.walk(self._tree))
        if not any(isinstance(node, ast.Call) and _name(node.func) == LOADER for node in nodes):
            return []
        strings = {text.lstrip(".") for text in _strings(nodes)}
        return [(text, f"{self._package}.{text}") for text in strings]

    @cached_property
    def data(self) -> list[Path]:
        """Files beside the module that it reads, sorted."""
        if "__file__" not in self._text:
            return []
        names = {text for text in _strings(ast.walk(self._tree)) if _may_be_file(text)}
        places = {place for name in names for place in self.file.parent.glob(name)}
        files = {file for place in places for file in (place, *place.rglob("*"))}
        return sorted(f for f in files if f.is_file() and f.parent.name != "__pycache__")

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self._text.encode()).hexdigest()

    def _named(self, *, typing: bool) -> Iterator[tuple[str, ...]]:
        for node in _statements(self._tree, typing=typing):
            if isinstance(node, ast.Import):
                yield from ((alias.name,) for alias in node.names)
            else:
                base = self._base(node)
                yield from ((f"{base}.{alias.name}", base) for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        """Return the module that is imported from, in full."""
        if not node.level:
            return node.module or ""
        packages = self._package.split(".")
        return ".".join(filter(None, (*packages[: len(packages) + 1 - node.level], node.module)))


@cache
def _read(name: str, file: Path, text: str) -> Module:
    """Return a module; the same text is parsed once, whoever asks."""
    return Module(name, file, text)


def _statements(node: ast.AST, *, typing: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the statements that import, in the order of the file."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and not typing and _name(child.test) == "TYPE_CHECKING":
            for other in child.orelse:
                yield from _statements(ast.Module([other], []), typing=typing)
        elif not isinstance(child, ast.expr):
            yield from _statements(child, typing=typing)


def _name(node: ast.expr) -> str:
    """Return the last name of a dotted expression."""
    return getattr(node, "id", getattr(node, "attr", ""))


def _strings(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _may_be_file(text: str) -> bool:
    """Return whether a string may name what lies in a folder, or be a pattern of such names."""
    return text[:1] != "/" and "\n" not in text and any(letter.isalnum() for letter in text)
