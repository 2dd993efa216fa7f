"""Keys of steps: another argument or other code is another key, and nothing else is."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toy_artifacts import artifact, tflite_artifact

from edgemat.artifacts.artifact import GOLDEN, Artifact, Feeding
from edgemat.data.sections import PEOPLE, DataSection
from edgemat.recipe.schema import Recipe
from edgemat.report.data import CutOut, ModelRun
from edgemat.workflow.identity import describe
from edgemat.workflow.imports import Source
from edgemat.workflow.step import SOURCE, Drawn, Step
from edgemat.workflow.steps import ModelSteps, measure_step, photo_step, report_step

RECIPE: dict[str, Any] = {
    "name": "toy",
    "models": [
        {
            "name": "hair",
            "architecture": "pspm-slim",
            "input_size": [64, 64],
            "data": {"kinds": "portrait"},
            "train": {"steps": 8},
            "prune": {"keep": 0.5},
        }
    ],
}
ALL = {"train", "prune", "quantize", "qat", "convert", "bench", "photo", "report"}
TORCH = {"train", "prune", "quantize", "qat", "convert"}
TRAINED = {"train", "prune", "qat"}
BACKENDS = {"convert", "bench", "report"}  # who reads the table of runtimes reaches all of them

# A file, and the steps whose results may change with it.
REACH = {
    "training/objective.py": TRAINED,
    "training/losses.py": TRAINED,
    "training/schedule.py": TRAINED,
    "training/loop.py": TRAINED,
    "data/views.py": TORCH,
    "scoring/metrics.py": TORCH | {"report"},
    "scoring/validation.py": TORCH,
    "models/blocks/sampling.py": ALL,
    "quantize/ptq.py": {"quantize", "qat", "convert"},
    "quantize/pruning/prune.py": {"prune"},
    "quantize/qat.py": {"qat"},
    "convert/tflite.py": BACKENDS,
    "convert/mil_proof.py": BACKENDS,
    "bench/devices/host.py": {"bench", "report"},
    "bench/stats.py": {"bench", "report"},
    "matting/foreground.py": {"photo", "report"},
    "report/plots.py": {"report"},
    "report/templates/report.css": {"report"},
    "files.py": ALL,
    "cli/tables.py": set(),
    "cli/measuring.py": set(),
    "experiments/denoise.py": set(),
    "workflow/pipeline.py": set(),
    "workflow/export.py": set(),
    "scoring/bounds.py": {"report"},
}


def float_artifact(shelf: Path, **fields: Any) -> Artifact:
    def fill(folder: Path) -> None:
        (folder / "weights").write_bytes(b"weights")
        np.savez(folder / GOLDEN, pixels=np.zeros((1, 64, 64, 3), np.uint8))

    feeding = Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16)
    return artifact(shelf, fill, kind="float", feeding=feeding, payload="weights", **fields)


def recipe(**changes: Any) -> Recipe:
    """Return the toy recipe; ``train__steps=9`` changes a value of its model, others its own."""
    model = dict(RECIPE["models"][0])
    whole = RECIPE | {"models": [model]}
    for name, value in changes.items():
        *section, key = name.split("__")
        if section == ["model"]:
            model[key] = value
        elif section:
            model[section[0]] = model.get(section[0], {}) | {key: value}
        else:
            whole[key] = value
    return Recipe.model_validate(whole)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="module")
def steps_of(shelf: Path) -> Callable[..., dict[str, Step]]:
    (shelf / "toy.toml").write_text("the recipe")
    (shelf / "photo.png").write_bytes(b"the picture")
    whole, quantized = float_artifact(shelf), float_artifact(shelf, name="hair-quantized")
    file = tflite_artifact(shelf)

    def steps_of(device: str = "auto", **changes: Any) -> dict[str, Step]:
        asked = recipe(**changes)
        section = asked.models[0]
        model = ModelSteps(section, asked, device)
        run = ModelRun(section, whole, quantized=quantized, files=(file,))
        photo = CutOut(("photo.png",), file.path.name)
        assert section.prune is not None
        steps = (
            model.train(),
            model.prune(whole, section.prune),
            model.quantize(whole),
            model.train_quantized(whole, quantized),
            model.convert(whole, "tflite-fp32"),
            measure_step(run, "host", asked.bench),
            photo_step([run], asked),
            report_step(shelf / "toy.toml", asked, [run], [], [], photo, shelf),
        )
        return {step.stage: step for step in steps if step is not None}

    return steps_of


def different(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    assert set(one) == set(other) == ALL
    return {stage for stage in one if one[stage] != other[stage]}


def keys(steps: Mapping[str, Step], source: Source = SOURCE) -> dict[str, str]:
    return {stage: step.key(source) for stage, step in steps.items()}


# --- code -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, to be changed."""
    root = tmp_path_factory.mktemp("tree")
    left_out = shutil.ignore_patterns("__pycache__", "weights", "assets")
    shutil.copytree(SOURCE.root / "edgemat", root / "edgemat", ignore=left_out)
    return root


@pytest.fixture(scope="module")
def before(tree: Path, steps_of: Callable[..., dict[str, Step]]) -> dict[str, str]:
    return keys(steps_of(), Source(tree, "edgemat"))


@pytest.mark.parametrize("name", REACH)
def test_changed_code_is_another_key_for_the_steps_that_reach_it(
    tree: Path, before: dict[str, str], name: str, steps_of: Callable[..., dict[str, Step]]
) -> None:
    file = tree / "edgemat" / name
    text = file.read_text()
    file.write_text(text + "\nCHANGED = 1\n")
    try:
        after = keys(steps_of(), Source(tree, "edgemat"))
    finally:
        file.write_text(text)
    assert different(before, after) == REACH[name]


def test_a_changed_weight_of_the_loss_trains_anew(
    tree: Path, before: dict[str, str], steps_of: Callable[..., dict[str, Step]]
) -> None:
    file = tree / "edgemat" / "training" / "objective.py"
    text = file.read_text()
    changed = re.sub(r"^([A-Z_]+_WEIGHT) = [\d.]+$", r"\1 = 0.125", text, flags=re.MULTILINE)
    assert changed != text
    file.write_text(changed)
    try:
        after = keys(steps_of(), Source(tree, "edgemat"))
    finally:
        file.write_text(text)
    assert different(before, after) == TRAINED


# --- arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"train__steps": 9}, {"train"}),
        ({"prune__rounds": 3}, {"prune"}),
        ({"quantize__calibration": 9}, {"quantize"}),
        ({"quantize__keep_float": ["network"]}, {"quantize"}),
        ({"quantize__qat": {"range_rate": 0.5}}, {"qat"}),
        ({"model__data": {"kinds": "objects"}}, TORCH),
        ({"model__validation": {"kinds": "all"}}, TORCH),
        ({"model__targets": ["tflite-fp32"]}, set()),
        ({"model__parity": {"tflite-fp32": {"psnr_db": ">=1"}}}, set()),
        ({"model__demonstration": True}, {"train"}),
        ({"verify": {"images": 3}}, TORCH),
        ({"seed": 2}, TORCH),
        ({"threads": 3}, TORCH),
        ({"licence": "MIT"}, {"train"}),
        ({"bench": {"runs": 7}}, {"bench"}),
        ({"bench": {"devices": ["host", "adb"]}}, set()),
        ({"gate": {"sad": "+6%"}}, set()),
        ({"device": "cuda"}, set()),
    ],
)
def test_another_argument_is_another_key(
    changes: dict[str, Any], stages: set[str], steps_of: Callable[..., dict[str, Step]]
) -> None:
    """The report prints the whole recipe: any other recipe is another report."""
    found = different(keys(steps_of()), keys(steps_of(**changes)))
    assert found - {"report"} == stages
    assert ("report" in found) == ("device" not in changes)


def test_a_changed_parent_or_picture_is_another_key(
    shelf: Path, steps_of: Callable[..., dict[str, Step]]
) -> None:
    section = recipe().models[0]
    model = ModelSteps(section, recipe(), "auto")
    one, other = float_artifact(shelf), float_artifact(shelf, licence="MIT")
    assert model.quantize(one).key() != model.quantize(other).key()
    before = keys(steps_of())
    (shelf / "photo.png").write_bytes(b"another picture")
    assert different(before, keys(steps_of())) == {"report"}


def test_what_is_measured_of_an_artefact_changes_the_report_alone(shelf: Path) -> None:
    one, other = float_artifact(shelf / "one"), float_artifact(shelf / "other", trimap_miou=0.5)
    section = recipe().models[0]
    model = ModelSteps(section, recipe(), "auto")
    assert model.quantize(one).key() == model.quantize(other).key()
    reports = [
        report_step(shelf, recipe(), [ModelRun(section, made)], [], [], None, shelf).key()
        for made in (one, other)
    ]
    assert reports[0] != reports[1]


def test_pictures_and_weights_that_a_section_names_count_by_what_they_are(tmp_path: Path) -> None:
    pictures, weights = tmp_path / "pictures", tmp_path / "encoder.npz"
    pictures.mkdir()
    weights.write_bytes(b"one")
    data = {"mix": [{"source": str(pictures)}], "backgrounds": [{"source": str(pictures)}]}
    asked = recipe(model__data=data, train__init=str(weights))
    first = ModelSteps(asked.models[0], asked, "auto").train().key()
    assert ModelSteps(asked.models[0], asked, "auto").train().key() == first
    (pictures / "a.png").write_bytes(b"a")
    second = ModelSteps(asked.models[0], asked, "auto").train().key()
    weights.write_bytes(b"two")
    third = ModelSteps(asked.models[0], asked, "auto").train().key()
    assert len({first, second, third}) == 3


def test_a_network_to_start_from_counts_by_what_it_is(shelf: Path) -> None:
    start = float_artifact(shelf / "start", name="start")
    asked = recipe(train__start=str(start.path.with_name("start")))
    first = ModelSteps(asked.models[0], asked, "auto").train().key()
    (start.path / "weights").write_bytes(b"other weights")
    assert ModelSteps(asked.models[0], asked, "auto").train().key() != first


def test_the_people_that_edgemat_brings_count_as_a_folder_of_pictures() -> None:
    assert list(DataSection(source="people").paths()) == [PEOPLE]
    assert list(DataSection(source="procedural").paths()) == []


def test_every_argument_of_a_stage_is_given_and_all_else_says_why(
    steps_of: Callable[..., dict[str, Step]],
) -> None:
    for step in steps_of().values():
        signature = inspect.signature(step.call.func)
        signature.bind(*step.call.args, **step.call.keywords, **step.drawn, **step.destinations)
        assert all(reason.count(" ") > 3 for reason in step.unkeyed.values())


def test_a_value_of_unknown_kind_is_no_argument() -> None:
    with pytest.raises(TypeError, match="equal to another"):
        describe([object()])


def test_what_is_drawn_is_drawn_once_and_late() -> None:
    calls: list[int] = []
    drawn = Drawn(partial(calls.append, 1))
    assert calls == []
    assert drawn.value is drawn.value is None and calls == [1]


def test_a_device_measures_the_files_that_it_takes_by_its_own_delegate(shelf: Path) -> None:
    section, settings = recipe().models[0], recipe().bench
    package = tflite_artifact(shelf, name="hair-coreml", kind="coreml", target="coreml-fp16")
    run = ModelRun(section, float_artifact(shelf), files=(tflite_artifact(shelf), package))
    asked = {}
    for device in ("host", "ios"):
        step = measure_step(run, device, settings)
        assert step is not None
        (files, _), delegate = step.call.args, step.call.keywords["delegate"]
        asked[device] = {file.manifest.kind for file in files.values()}, delegate
    assert asked == {"host": ({"tflite"}, "xnnpack"), "ios": ({"coreml"}, "npu")}
    assert measure_step(ModelRun(section, run.trained, files=(package,)), "host", settings) is None


def count_threads() -> dict[str, list[str]]:
    return {"files": [str(torch.get_num_threads())]}


def test_a_step_leaves_the_threads_of_torch_as_they_were() -> None:
    before = torch.get_num_threads()
    step = Step("toy", "counting", partial(count_threads), threads=before + 1)  # type: ignore[arg-type]
    assert step.run({})["files"] == [str(before + 1)]
    assert torch.get_num_threads() == before
