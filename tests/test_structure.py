"""How the source is laid out: who imports whom, how long files are, what is documented."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("edgemat", "quantize", "convert", "bench")  # each may import those before it
ABOVE_ALL = {
    f"edgemat/{name}.py"
    for name in (
        "cli/__init__",
        "cli/__main__",
        "cli/artifacts",
        "cli/common",
        "cli/compressing",
        "cli/data",
        "cli/inventory",
        "cli/quality",
        "cli/measuring",
        "cli/photo",
        "cli/recipes",
        "export",
        "photo",
        "loading",
        "pipeline",
        "report",
        "report_data",
        "report_latency",
        "report_plots",
        "report_view",
        "stages/__init__",
        "stages/common",
        "stages/converting",
        "stages/judging",
        "stages/pruning",
        "stages/quantizing",
        "stages/sensitivity",
        "stages/sparsity",
        "stages/training",
    )
}
FILES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for layer in LAYERS
    for path in sorted((ROOT / layer).rglob("*.py"))
}
MAX_LINES = 400
# written apart, so that this file does not hold them
MACHINE_PATHS = tuple("/" + name + "/" for name in ("work", "tmp/w", "root"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that are imported when the code runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imported(node)


def tracked() -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git repository")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_imports_are_read() -> None:
    text = "import a.b\nif TYPE_CHECKING:\n    import c\ndef f():\n    from d import e\n"
    assert list(imported(ast.parse(text))) == ["a.b", "d", "d.e"]


@pytest.mark.parametrize("name", [name for name in FILES if name not in ABOVE_ALL])
def test_a_lower_package_never_imports_a_higher_one(name: str) -> None:
    rank = LAYERS.index(name.split("/")[0])
    above = {m for m in imported(FILES[name]) if m.split(".")[0] in LAYERS[rank + 1 :]}
    assert not above


def test_only_those_above_all_import_each_other() -> None:
    """What looks down on all packages is no library: nothing below may lean on it.

    `edgemat/__init__.py` names some of them as text, for users.
    """
    modules = {name.removesuffix(".py").replace("/", ".") for name in ABOVE_ALL}
    for name, tree in FILES.items():
        if name not in ABOVE_ALL:
            assert not modules & set(imported(tree)), name


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
HEAVY = "torch torchvision safetensors nncf coremltools litert_torch matplotlib skimage jinja2"
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
