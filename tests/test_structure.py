"""How the source is laid out: who imports whom, how long files are, what is documented."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from toy_source import write_source

from edgemat.workflow.imports import Source

ROOT = Path(__file__).parents[1]
SOURCE = Source(ROOT, "edgemat")
FOLDERS = ("edgemat", "quantize", "convert", "bench")
ROOMS = (
    *("ground", "images", "models", "artifacts", "matting", "data", "scoring", "training"),
    *("experiments", "quantize", "convert", "bench", "recipe", "report", "serve", "workflow"),
    *("cli", "face"),
)
"""From the ground up; each may import those before it.

The ground are the files that lie in ``edgemat`` itself; the face is its ``__init__``.
"""
FILES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
}
MAX_LINES, MEDIAN_LINES = 400, 150
# written apart, so that this file does not hold them
MACHINE_PATHS = tuple("/" + name + "/" for name in ("work", "tmp/w", "root"))


def module_of(name: str) -> str:
    """Return a file's module; quantize, convert and bench are linked into edgemat."""
    parts = ("edgemat", *Path(name).with_suffix("").parts)
    return ".".join(parts[name.startswith("edgemat/") :]).removesuffix(".__init__")


def arrows(source: Source, modules: Iterable[str]) -> dict[str, set[str]]:
    """Return what each module imports: also inside functions, also for types alone."""
    return {module: source.imports(module, typing=True) for module in modules}


def room_of(source: Source, module: str) -> str:
    """Return the room of a module: a folder's name, "ground" or "face"."""
    _, *names = module.split(".")
    if not names:
        return "face"
    if len(names) == 1 and source.module(module).file.name != "__init__.py":
        return "ground"
    return names[0]


def upward(source: Source, modules: Iterable[str], rooms: Sequence[str]) -> list[str]:
    """Return the arrows from a room to a higher one."""
    rank = {room: number for number, room in enumerate(rooms)}
    return [
        f"{module} imports {found}"
        for module, imported in arrows(source, modules).items()
        for found in sorted(imported)
        if rank[room_of(source, found)] > rank[room_of(source, module)]
    ]


def circle(source: Source, modules: Iterable[str]) -> list[str]:
    """Return modules that each import the next and the last of them the first, if there are."""
    try:
        TopologicalSorter(arrows(source, modules)).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def tracked() -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git repository")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_room_imports_a_higher_one() -> None:
    modules = [module_of(name) for name in FILES]
    assert {room_of(SOURCE, module) for module in modules} == set(ROOMS)
    assert not upward(SOURCE, modules, ROOMS)


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert not circle(SOURCE, [module_of(name) for name in FILES])


def test_imports_are_absolute() -> None:
    relative = [
        name
        for name, tree in FILES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


@pytest.mark.parametrize(
    "text",
    [
        "from toy.roof.leaf import x",
        "import toy.roof",
        "from toy import roof",
        "def f():\n    from toy.roof import leaf",
        "if TYPE_CHECKING:\n    import toy.roof.leaf",
        "from toy import __version__",
    ],
)
def test_an_arrow_upward_is_found(tmp_path: Path, text: str) -> None:
    below = {"low": "", "room__": "", "roof__": "", "roof__leaf": "from toy.room import a"}
    modules = ["toy", "toy.low", "toy.room", "toy.room.a", "toy.roof", "toy.roof.leaf"]
    rooms = ("ground", "room", "roof", "face")
    level = write_source(tmp_path / "level", room__a="import toy.low", **below)
    assert upward(level, modules, rooms) == []
    raised = write_source(tmp_path / "raised", room__a=text, **below)
    assert [arrow.split()[0] for arrow in upward(raised, modules, rooms)] == ["toy.room.a"]
    assert circle(raised, modules) or "leaf" not in text


def test_a_circle_is_found(tmp_path: Path) -> None:
    files = {"a": "def f():\n    import toy.b", "b": "from toy import c"}
    modules = ["toy", "toy.a", "toy.b", "toy.c"]
    assert circle(write_source(tmp_path / "line", c="", **files), modules) == []
    closed = "if TYPE_CHECKING:\n    from toy.a import f"
    found = circle(write_source(tmp_path / "round", c=closed, **files), modules)
    assert set(found) == {"toy.a", "toy.b", "toy.c"}


def test_most_files_are_short() -> None:
    lengths = [len((ROOT / name).read_text().splitlines()) for name in FILES]
    assert statistics.median(lengths) < MEDIAN_LINES


@pytest.mark.parametrize("name", FILES)
def test_files_can_be_held_in_mind(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("name", FILES)
def test_what_is_public_is_documented(name: str) -> None:
    from edgemat.convert.mil_ops import OPERATIONS

    # A function of the ML Program executor is the operation of its name, which Apple documents.
    operations = {getattr(f, "__name__", "") for f in OPERATIONS.values()}
    bare = [
        node.name
        for node in FILES[name].body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not (name.startswith("convert/mil_") and node.name in operations)
    ]
    assert not bare
    assert ast.get_docstring(FILES[name])


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    named = [
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if any(machine.encode() in path.read_bytes() for machine in MACHINE_PATHS)
    ]
    assert not named


def test_no_compiled_file_is_tracked() -> None:
    compiled = [path.name for path in tracked() if "__pycache__" in path.parts]
    assert not compiled


# Importing them must not need what the light install lacks.
LIGHT = (
    "edgemat.matting.matte",
    "edgemat.matting.runtime",
    "edgemat.matting.foreground",
    "edgemat.images",
    "edgemat.artifacts.artifact",
    "edgemat.recipe.schema",
    "edgemat.doctor",
    "edgemat.cli.tables",
    "edgemat.cli",
    "edgemat.bench.devices.host",
    "edgemat.scoring.bounds",
    "edgemat.convert.backends",
)
HEAVY = (
    "torch torchvision safetensors nncf coremltools coreai coreai_torch litert_torch matplotlib "
    "skimage jinja2 scipy numba pymatting"
)
BLOCK = f"""
import importlib, importlib.abc, sys

class NotInstalled(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY!r}.split():
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
"""


def test_the_light_install_needs_no_torch() -> None:
    code = f"{BLOCK}for name in {LIGHT!r}: importlib.import_module(name)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr


def test_no_two_files_of_tests_share_a_name() -> None:
    """pytest imports them by it, and would take neither."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py")]
    assert len(names) == len(set(names))
