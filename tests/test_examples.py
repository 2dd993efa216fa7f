"""Every example in a docstring, run in a folder where toys have the names of what is shipped.

An example says what a reader types: ``edgemat.quantize("portrait")``. A name is looked for in the
current folder first, and there the tests keep a narrow network for 64 x 64 px of that name, a
photograph and a recipe: so no example is left out, not even those that train.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from toy_artifacts import artifact, tflite_artifact

import edgemat
from edgemat.artifacts.artifact import GOLDEN, Feeding, MattingErrors
from edgemat.models import create_model

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
RECIPE = """
name = "quickstart"
[[models]]
name = "portrait-tuned"
architecture = "pspm-slim"
config = { width = 0.25 }
input_size = [64, 64]
targets = []
train = { start = "portrait", steps = 1, batch = 2, size = 64 }
[verify]
images = 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with toys of the names that examples use."""
    folder = tmp_path_factory.mktemp("examples")
    torch.manual_seed(0)
    network = create_model("pspm-slim", width=0.25).train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.rand(4, 3, 64, 64))

    def fill(inside: Path) -> None:
        save_file(network.state_dict(), inside / "weights.safetensors")
        pixels, alphas = np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 64, 64), np.float32)
        np.savez(inside / GOLDEN, pixels=pixels, alphas=alphas, truths=alphas)

    artifact(
        folder,
        fill,
        name="portrait",
        kind="float",
        architecture="pspm-slim",
        config={"width": 0.25},
        feeding=Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16),
        payload="weights.safetensors",
        scores={"unknown": MattingErrors(sad=1.0, mse=1.0, grad=1.0, conn=1.0)},
    )
    tflite_artifact(folder, name="portrait-tflite-int8")
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(folder / "photo.jpg")
    (folder / "recipes").mkdir()
    (folder / "recipes" / "quickstart.toml").write_text(RECIPE)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_examples_say_what_happens(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
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
