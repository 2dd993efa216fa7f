"""`import edgemat`: what a user finds there, and that three of its names are packages as well."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pickle
import pydoc
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from test_structure import BLOCK

import edgemat
from edgemat.callable_package import CallablePackage
from edgemat.images import write_image

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "convert", "quantize")


def python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, elsewhere."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)


def run_python(code: str, cwd: Path) -> str:
    """Return what code prints."""
    result = python(code, cwd)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_names_are_listed_once_and_alike() -> None:
    tree = ast.parse((ROOT / "edgemat" / "__init__.py").read_text())
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    typed = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == {name: module for name, module in edgemat._PUBLIC.items() if name in typed}
    assert {*typed, "EdgematError"} == {*edgemat._PUBLIC}
    assert edgemat.__all__ == sorted(edgemat._PUBLIC)
    assert {*edgemat.__all__} <= {*dir(edgemat)}


@pytest.mark.parametrize("name", edgemat.__all__)
def test_public_names_are_documented_and_typed(name: str) -> None:
    public = getattr(edgemat, name)
    assert inspect.getdoc(public)
    function = edgemat.find_public(name)
    if inspect.isfunction(function):
        annotated = inspect.get_annotations(function)
        assert {*annotated} == {*inspect.signature(function).parameters, "return"}


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "edgemat.__version__"}


def test_nothing_inside_imports_the_face() -> None:
    """A module may be imported from `edgemat`, a public name may not."""
    for folder in ("edgemat", "quantize", "convert", "bench", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    assert "edgemat" not in [alias.name for alias in node.names], path
                elif isinstance(node, ast.ImportFrom) and node.module == "edgemat":
                    for alias in node.names:
                        importlib.import_module(f"edgemat.{alias.name}")


# Packages that can be called


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_stands_for_the_function_of_its_name(name: str) -> None:
    package = importlib.import_module(f"edgemat.{name}")
    function = edgemat.find_public(name)
    assert getattr(edgemat, name) is package
    assert isinstance(package, CallablePackage)
    assert inspect.signature(package) == inspect.signature(function)
    shown = pydoc.plain(pydoc.render_doc(package))
    assert f"edgemat.{name}({'artifacts' if name == 'bench' else 'artifact'}: " in shown
    first, *_, last = inspect.getdoc(function).splitlines()
    assert first in shown and last.strip() in shown
    assert pickle.loads(pickle.dumps(package)) is package


@pytest.mark.parametrize(
    "before", ["", "import edgemat.quantize", "import edgemat.quantize.spec as s; s.QuantSpec"]
)
def test_a_package_is_called_whatever_was_imported(before: str, tmp_path: Path) -> None:
    code = f"""
{before}
import edgemat
try:
    edgemat.quantize("nothing")
except edgemat.EdgematError as error:
    print(error.message)
from edgemat.quantize import ptq
from edgemat.quantize.spec import QuantSpec
from edgemat import quantize
print(ptq.__name__, QuantSpec.__module__, quantize.ptq is ptq, callable(quantize))
"""
    message, found = run_python(code, tmp_path).splitlines()
    assert message == "There is no artefact nothing, and edgemat brings no model of that name."
    assert found == "edgemat.quantize.ptq edgemat.quantize.spec True True"


def test_a_dotted_name_is_patched_and_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgemat.quantize.spec import QuantSpec

    assert pickle.loads(pickle.dumps(QuantSpec)) is QuantSpec
    monkeypatch.setattr("edgemat.quantize.spec.QuantSpec", "patched")
    assert importlib.import_module("edgemat.quantize.spec").QuantSpec == "patched"


@pytest.mark.long
def test_a_type_checker_sees_functions_and_modules(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import edgemat\n"
        "import edgemat.quantize.spec as spec\n"
        "from edgemat.quantize import ptq\n"
        "from edgemat.quantize.spec import QuantSpec\n"
        "made: edgemat.Artifact = edgemat.quantize('portrait', mode='ptq')\n"
        "file: edgemat.Artifact = edgemat.convert(made, 'tflite-int8')\n"
        "valid: list[str] = [result.verdict for result in edgemat.bench([file])]\n"
        "same: type[spec.QuantSpec] = QuantSpec\n"
        "edgemat.quantize('portrait', mode='both')\n"
        "ptq.no_such_function()\n"
    )
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(script)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    wrong = [line for line in result.stdout.splitlines() if "error:" in line]
    assert len(wrong) == 2, result.stdout
    assert 'script.py:9: error: Argument "mode" to "quantize"' in wrong[0]
    assert 'script.py:10: error: Module has no attribute "no_such_function"' in wrong[1]


# The light install


def test_the_light_install_mattes_and_says_what_it_lacks(tmp_path: Path) -> None:
    code = f"""{BLOCK}
import numpy as np
import edgemat
from edgemat.errors import MissingToolError
print(edgemat.matte(np.full((64, 64, 3), 90, np.uint8)).shape)
print(hasattr(edgemat, "load"), hasattr(edgemat, "convert"))
for call in (
    lambda: edgemat.quantize("portrait"),
    lambda: edgemat.verify("portrait"),
    lambda: edgemat.create_model("pspm-slim"),
):
    try:
        call()
    except MissingToolError as error:
        print(error)
"""
    lines = run_python(code, tmp_path).splitlines()
    assert lines[0] == "(64, 64)"
    assert lines[1] == "False True"
    assert len(lines) == 5
    for line, extra in zip(lines[2:], ("deploy", "deploy", "train"), strict=True):
        # whichever of the packages is asked for first
        needed, _, rest = line.removeprefix("This needs ").partition(", ")
        assert needed in ("torch", "safetensors", "nncf")
        assert rest == f'which is not installed. Run: pip install "edgemat[{extra}]"'


def test_the_light_install_does_all_that_its_commands_say_without_scipy(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", np.full((64, 64, 3), 90, np.uint8))
    bench = "['bench', 'portrait', '--threads', '1', '--runs', '2', '--seconds', '0', *kept]"
    code = f"""{BLOCK}
from edgemat.cli import app
import edgemat.matting.video.cut, edgemat.serve.app, edgemat.workflow.api.matte_files
kept = ['--history', 'history.sqlite', '-o', 'latency.json']
for arguments in (
    ['matte', 'photo.png', '-o', 'cut.png'],
    ['matte', 'photo.png', '-o', 'blurred.jpg', '--blur', '7'],
    ['devices'],
    {bench},
):
    status = app(arguments, standalone_mode=False)
    assert not status or arguments[0] == 'bench', arguments  # whose times may scatter
"""
    run_python(code, tmp_path)
    made = {path.name for path in tmp_path.iterdir()}
    assert {"cut.png", "blurred.jpg", "latency.json"} <= made


def test_errors_of_mattes_say_what_they_need(tmp_path: Path) -> None:
    code = f"""{BLOCK}
import edgemat
from edgemat.errors import MissingToolError
print(hasattr(edgemat, "matting_errors"))
try:
    edgemat.matting_errors
except MissingToolError as error:
    print(error)
"""
    assert run_python(code, tmp_path).splitlines() == [
        "False",
        'This needs scipy, which is not installed. Run: pip install "edgemat[evaluate]"',
    ]


def test_the_light_install_shows_help(tmp_path: Path) -> None:
    code = f"{BLOCK}import edgemat; help(edgemat); help(edgemat.quantize)"
    shown = run_python(code, tmp_path)
    assert "edgemat - edgemat: image matting on phones" in shown
    assert "edgemat.quantize(artifact: " in shown
