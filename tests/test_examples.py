"""Every example in a docstring, and that of docs/tasks/python.md, run.

An example says what a reader types, ``edgemat.quantize("portrait")``, where toys have the shipped
names; see `toy_examples`. None is left out, not even those that train.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from toy_examples import write_toys

import edgemat

ROOT = Path(__file__).parents[1]
FOLDERS = {"edgemat": ROOT / "edgemat"} | {
    f"edgemat.{name}": ROOT / name for name in ("quantize", "convert", "bench")
}
MODULES = sorted(
    ".".join([package, *path.relative_to(folder).with_suffix("").parts]).removesuffix(".__init__")
    for package, folder in FOLDERS.items()
    for path in folder.rglob("*.py")
    if ">>> " in path.read_text()
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toys(tmp_path_factory.mktemp("examples"))


# They quantize, train and convert from beginning to end, as the pipeline's tests do.
HEAVY = (
    "edgemat.quantize.ptq",
    *(f"edgemat.workflow.api.{name}" for name in ("compress", "importing", "mobile", "scores")),
)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.long if name in HEAVY else ()) for name in MODULES],
)
def test_examples_say_what_happens(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    # no globals: an example imports all that it uses, as a reader must
    examples = [test for test in finder.find(module, globs={}) if test.examples]
    assert examples, "the sign >>> stands where no example is found"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for example in examples:
        runner.run(example, out=said.append)
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize("name", edgemat.__all__)
def test_public_names_have_examples_that_run(name: str) -> None:
    public = edgemat.find_public(name)
    assert ">>> " in (inspect.getdoc(public) or "")
    assert "+SKIP" not in (inspect.getdoc(public) or "")
    assert public.__module__ in MODULES


@pytest.mark.long
def test_the_page_of_python_begins_with_what_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    page = (ROOT / "docs/tasks/python.md").read_text()
    snippet = re.search(r"^```python\n(.*?)^```", page, re.M | re.S)
    assert snippet is not None
    said: list[Any] = []
    exec(compile(snippet[1], "python.md", "exec"), {"print": said.append})
    psnr, sad, passed, latencies = said
    assert psnr > 0 and sad >= 0
    assert len(passed) == 2 and {type(verdict) for verdict in passed} == {bool}
    assert [latency > 0 for latency in latencies] == [True]


INNER = {
    "edgemat.models": ("create_matting", "create_model", "list_models", "model_info"),
    "edgemat.models.blocks.sampling": ("create_sampling",),
    "edgemat.models.count": ("count", "count_operations", "count_parameters", "on_paper"),
    "edgemat.models.deploy": ("prepare_for_float16", "to_deploy"),
    "edgemat.models.encoders.encoder": ("Encoder",),
    "edgemat.models.info": ("ModelInfo", "Printed"),
    "edgemat.models.pruned": ("fit_channels", "shapes_of"),
    "edgemat.quantize.blocks": ("find_blocks", "keep"),
    "edgemat.quantize.frozen": ("freeze",),
    "edgemat.quantize.pruning.budget": ("macs",),
    "edgemat.quantize.pruning.prune": ("prune",),
    "edgemat.quantize.pruning.sparse": ("mask_weights",),
    "edgemat.quantize.ptq": ("prepare_for_int8", "quantize_ptq"),
    "edgemat.quantize.spec": ("QuantSpec",),
}
"""What is called by who builds on the rooms below the face."""


@pytest.mark.parametrize("module", INNER)
def test_what_rooms_are_called_by_has_examples(module: str) -> None:
    for name in INNER[module]:
        assert ">>> " in (inspect.getdoc(getattr(importlib.import_module(module), name)) or ""), (
            name
        )
