"""What is said of a recipe that is wrong, before any work starts: files, keys, values, sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from toy_recipes import HEAD, complaint, load, model, recipe

from edgemat.errors import UsageError
from edgemat.models import list_models
from edgemat.recipe.load import load_recipe

# Files


def test_a_missing_recipe_offers_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "quickstart.toml").write_text("")
    with pytest.raises(UsageError, match="There is no recipe") as caught:
        load_recipe(tmp_path / "quikstart.toml")
    assert caught.value.remedy == "Did you mean 'quickstart.toml'?"


def test_a_missing_recipe_without_neighbours(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no recipe"):
        load_recipe(tmp_path / "nowhere" / "a.toml")


def test_a_block_that_is_none_is_named_before_anything_is_trained(tmp_path: Path) -> None:
    kept = model(architecture='"pspm-slim"', quantize='{ keep_float = ["%s"] }')
    load(tmp_path, f"{HEAD}\n\n{kept % 'segment'}")
    error = complaint(tmp_path, f"{HEAD}\n\n{kept % 'segmen'}")
    assert "models.0.quantize: There is no block 'segmen'." in error.message
    assert error.remedy == "Did you mean 'segment'?"


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load_recipe(tmp_path)


@pytest.mark.parametrize("text", ["name tiny", 'name = "a', "a = 1\na = 2", "[models"])
def test_broken_toml_names_the_line(tmp_path: Path, text: str) -> None:
    error = complaint(tmp_path, text)
    assert "not readable as TOML" in error.message
    assert "at line" in error.message or "at end of document" in error.message


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not readable as TOML"):
        load_recipe(path)


# Keys


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        (recipe(top="sede = 1"), "sede", "seed"),
        (recipe(tail="quantise = {}"), "models.0.quantise", "quantize"),
        (recipe(architecture="", arquitecture="1"), "arquitecture", "architecture"),
        (recipe(train="{ stpes = 2 }"), "models.0.train.stpes", "steps"),
        (recipe(data="{ kind = 1 }"), "models.0.data.kind", "kinds"),
        (recipe(quantize="{ calibrate = 1 }"), "calibrate", "calibration"),
        (recipe(tail="[verify]\nimage = 2"), "verify.image", "images"),
        (recipe(tail="[bench]\nrun = 2"), "bench.run", "runs"),
        (recipe(tail="[bnech]\nruns = 2"), "bnech", "bench"),
        (recipe(tail="[gate]\nsaad = '+5%'"), "saad", "sad"),
        (recipe(config="{ widht = 0.35 }"), "widht", "width"),
        (recipe(parity="{ tflite-fp23 = {} }"), "tflite-fp23", "tflite-fp32"),
        (
            recipe(parity="{ tflite-fp32 = { psnr = '>=90' } }"),
            "psnr",
            "psnr_db",
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(
    tmp_path: Path, text: str, key: str, meant: str
) -> None:
    error = complaint(tmp_path, text)
    assert key in error.message
    assert error.remedy.startswith("Did you mean")
    assert repr(meant) in error.remedy


def test_int8_figures_of_a_float_file_are_refused(tmp_path: Path) -> None:
    error = complaint(tmp_path, recipe(parity="{ tflite-fp32 = { int8_share = '==1' } }"))
    assert "'int8_share'" in error.message
    assert "psnr_db" in error.remedy


@pytest.mark.parametrize("key", ["name", "architecture", "input_size", "train"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    error = complaint(tmp_path, recipe(**{key: ""}))
    assert f"'models.0.{key}' is missing" in error.message


def test_no_model_at_all(tmp_path: Path) -> None:
    assert "'models' is missing" in complaint(tmp_path, HEAD).message
    assert "models" in complaint(tmp_path, f"{HEAD}\nmodels = []\n").message


def test_single_brackets_are_explained(tmp_path: Path) -> None:
    error = complaint(tmp_path, recipe().replace("[[models]]", "[models]"))
    assert "[[models]]" in error.remedy


def test_two_models_of_one_name(tmp_path: Path) -> None:
    assert "same name" in complaint(tmp_path, recipe(tail=model())).message


# Values


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"train": '{ steps = "2" }'}, "train.steps"),
        ({"train": "{ steps = 2.5 }"}, "train.steps"),
        ({"train": "{ steps = true }"}, "train.steps"),
        ({"train": "{ steps = -1 }"}, "train.steps"),
        ({"train": "{ steps = 0 }"}, "no steps and no weights"),
        ({"prune": "{ rounds = 1 }"}, "no target for pruning, or two"),
        ({"prune": "{ keep = 0.5, milliseconds = 9 }"}, "no target for pruning, or two"),
        ({"prune": "{ milliseconds = 9 }"}, "milliseconds of multiply-accumulates"),
        ({"train": "{ steps = 2, batch = 1 }"}, "train.batch"),
        ({"train": "{ steps = 2, learning_rate = -1e-3 }"}, "train.learning_rate"),
        ({"train": "{ steps = 2, learning_rate = nan }"}, "train.learning_rate"),
        ({"train": "{ steps = 2, learning_rate = inf }"}, "train.learning_rate"),
        ({"train": "{ steps = 2, warmup = -1 }"}, "train.warmup"),
        ({"train": "{ steps = 2, size = 32 }"}, "train.size"),
        ({"train": "{ steps = 2, workers = -1 }"}, "train.workers"),
        ({"train": '{ steps = 2, autocast = "fp8" }'}, "train.autocast"),
        ({"train": "2"}, "train"),
        ({"data": '{ kinds = "cats" }'}, "data.kinds"),
        ({"quantize": "{ calibration = 0 }"}, "quantize.calibration"),
        ({"name": '"Hair Net"'}, "name"),
        ({"name": '"../up"'}, "name"),
        ({"input_size": "192"}, "input_size"),
        ({"input_size": "[192]"}, "input_size"),
        ({"input_size": "[0, 192]"}, "input_size"),
        ({"config": "{ width = 0 }"}, "config.width"),
        ({"config": "{ width = -0.5 }"}, "config.width"),
        ({"config": "{ width = inf }"}, "config.width"),
        ({"config": '{ width = "half" }'}, "config.width"),
        ({"config": "{ width = true }"}, "config.width"),
        ({"config": "{ in_channels = 4 }"}, "in_channels"),
        (
            {"architecture": '"indexnet-m2o-nlc"', "config": "{ hidden_mult = 1.5 }"},
            "config.hidden_mult",
        ),
        ({"targets": '["tflite-int8", "tflite-int8"]'}, "targets"),
    ],
)
def test_a_wrong_value_of_a_model_is_named(
    tmp_path: Path, changes: dict[str, str], where: str
) -> None:
    assert where in complaint(tmp_path, recipe(**changes)).message


@pytest.mark.parametrize(
    ("section", "where"),
    [
        ("[verify]\nimages = 0", "verify.images"),
        ("[bench]\nruns = 0", "bench.runs"),
        ("[bench]\nseconds = -1", "bench.seconds"),
        ("[bench]\nthreads = [0]", "bench.threads"),
        ("[bench]\nthreads = []", "bench.threads"),
        ("[gate]\nsad = 5", "gate.sad"),
    ],
)
def test_a_wrong_value_of_a_section_is_named(tmp_path: Path, section: str, where: str) -> None:
    assert where in complaint(tmp_path, recipe(tail=section)).message


@pytest.mark.parametrize("line", ["seed = -1", "threads = 0", "licence = 3"])
def test_a_wrong_value_at_the_top_is_named(tmp_path: Path, line: str) -> None:
    error = complaint(tmp_path, recipe(top=line))
    assert line.split()[0] in error.message
    assert "given" in error.message


@pytest.mark.parametrize("rule", ["5%", "5", "tiny", "", "+5", "<=", ">=5%", "+5% or so"])
def test_a_gate_that_bounds_nothing_is_refused(tmp_path: Path, rule: str) -> None:
    error = complaint(tmp_path, recipe(tail=f'[gate]\nsad = "{rule}"'))
    assert "gate.sad" in error.message
    assert "no bound" in error.message
    assert "+5%" in error.remedy


@pytest.mark.parametrize("rule", ["+5%", "90", "<=5%"])
def test_a_bound_on_agreement_must_be_absolute(tmp_path: Path, rule: str) -> None:
    parity = f"{{ tflite-fp32 = {{ psnr_db = '{rule}' }} }}"
    error = complaint(tmp_path, recipe(parity=parity))
    assert "parity.tflite-fp32.psnr_db" in error.message
    assert ">=45" in error.remedy


def test_an_unknown_target_offers_the_nearest(tmp_path: Path) -> None:
    error = complaint(tmp_path, recipe(targets="['tflite-int4']"))
    assert "'tflite-int4'" in error.message
    assert "'tflite-int8'" in error.remedy


def test_an_unknown_network_offers_the_nearest(tmp_path: Path) -> None:
    error = complaint(tmp_path, recipe(architecture="'pspm-b55'"))
    assert "models.0.architecture" in error.message
    assert "'pspm-b5'" in error.remedy


# Sizes that a network can take


STRIDES = {"pspm-b5": 16, "pspm-slim": 16, "indexnet-slim": 32, "indexnet-m2o-nlc": 32}


def test_strides_of_the_networks() -> None:
    strides = {info.name: info.stride for info in list_models()}
    assert {name: strides[name] for name in STRIDES} == STRIDES


@pytest.mark.parametrize(
    ("architecture", "side", "below", "above"),
    [("pspm-b5", 200, 192, 208), ("indexnet-m2o-nlc", 208, 192, 224)],
)
def test_a_size_between_strides_offers_its_neighbours(
    tmp_path: Path, architecture: str, side: int, below: int, above: int
) -> None:
    text = recipe(architecture=f'"{architecture}"', input_size=f"[192, {side}]")
    error = complaint(tmp_path, text)
    assert "models.0.input_size" in error.message
    assert f"multiples of {STRIDES[architecture]}" in error.message
    assert error.remedy == f"Nearest: {below} or {above}."


def test_crops_must_fit_the_network_too(tmp_path: Path) -> None:
    text = recipe(architecture='"indexnet-m2o-nlc"', train="{ steps = 2, size = 80 }")
    error = complaint(tmp_path, text)
    assert "models.0.train.size" in error.message
    assert error.remedy == "Nearest: 64 or 96."


def test_the_second_model_is_checked_before_the_first_is_trained(tmp_path: Path) -> None:
    second = model(name='"second"', input_size="[100, 96]")
    assert "models.1.input_size" in complaint(tmp_path, recipe(tail=second)).message


# Files that a recipe names


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (recipe(top='photo = "nowhere.jpg"'), "photo"),
        (recipe(data="{ source = 'nowhere' }"), "models.0.data"),
        (
            recipe(train="{ steps = 2, init = 'nowhere.npz' }"),
            "models.0.train.init",
        ),
    ],
)
def test_a_file_that_is_not_there_is_named(tmp_path: Path, text: str, where: str) -> None:
    error = complaint(tmp_path, text)
    assert where in error.message
    assert "nowhere" in error.message


def test_weights_that_do_not_fit_are_named_before_anything_is_trained(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    torch.save({"conv1.weight": torch.ones(64, 3, 7, 7)}, weights)
    error = complaint(tmp_path, recipe(train=f"{{ steps = 2, init = '{weights}' }}"))
    assert "models.0.train.init" in error.message and "holds no MobileNetV2" in error.message


@pytest.mark.parametrize("named", ["trimap", "portrait-tflite-int8", "portrait"])
def test_another_encoder_is_named_before_anything_is_trained(tmp_path: Path, named: str) -> None:
    """Of another network, an int8 file's, and of another width."""
    error = complaint(
        tmp_path,
        recipe(config="{ width = 0.5 }", train=f"{{ steps = 2, encoder = '{named}' }}"),
    )
    assert "models.0.train.encoder: " in error.message
    assert "does not have this network's encoder" in error.message


def test_a_network_that_torchvision_has_not_is_named(tmp_path: Path) -> None:
    text = recipe(
        architecture='"rmat-m3"', train="{ steps = 2, init = 'torchvision' }", input_size="[64, 64]"
    )
    error = complaint(tmp_path, text)
    assert "models.0.train.init: torchvision has no weights" in error.message


def test_a_teacher_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = complaint(tmp_path, recipe(train="{ steps = 2, teacher = 'nobody' }"))
    assert "models.0.train.teacher: " in error.message and "nobody" in error.message


def test_one_start_is_enough(tmp_path: Path) -> None:
    text = recipe(train="{ steps = 2, init = 'torchvision', start = 'portrait' }")
    error = complaint(tmp_path, text)
    assert "two weights to start from" in error.message and "one of them" in error.remedy
