"""What a quantized artefact is read as; one whose parts do not fit each other is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from shared_networks import quantized_network
from toy_artifacts import artifact

from edgemat.artifacts.artifact import QUANT, Artifact, Feeding
from edgemat.errors import ArtifactError
from edgemat.quantize.ptq import Quantized
from edgemat.quantize.reference import load_prepared, load_reference

PAYLOAD = "weights.safetensors"


@pytest.fixture(scope="module")
def quantized() -> Quantized:
    return quantized_network("pspm-slim", 3, width=0.25)


def written(quantized: Quantized, shelf: Path, change: Callable[[Path], None]) -> Artifact:
    """Write it as an artefact that is whole by its hashes, whatever `change` has done before."""

    def fill(folder: Path) -> None:
        state = {key: value.contiguous() for key, value in quantized.deploy.state_dict().items()}
        save_file(state, folder / PAYLOAD)
        quantized.spec.save(folder / QUANT)
        change(folder)

    return artifact(
        shelf,
        fill,
        kind="quantized",
        architecture="pspm-slim",
        config={"width": 0.25},
        feeding=Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16),
        payload=PAYLOAD,
    )


def test_it_comes_back_as_it_was(quantized: Quantized, tmp_path: Path) -> None:
    read = load_prepared(written(quantized, tmp_path, lambda folder: None))
    for name, value in quantized.deploy.state_dict().items():
        assert torch.equal(read.state_dict()[name], value), name


def drop_a_tensor(folder: Path) -> None:
    state = load_file(folder / PAYLOAD)
    del state[sorted(state)[0]]
    save_file(state, folder / PAYLOAD)


def widen_a_tensor(folder: Path) -> None:
    state = load_file(folder / PAYLOAD)
    name = sorted(state)[0]
    save_file(state | {name: torch.zeros(3, *state[name].shape)}, folder / PAYLOAD)


def cut_the_weights(folder: Path) -> None:
    (folder / PAYLOAD).write_bytes((folder / PAYLOAD).read_bytes()[:1000])


def name_another_operator(folder: Path) -> None:
    spec = json.loads((folder / QUANT).read_text())
    spec["tensors"][0]["places"][0]["operator"] = "network/nowhere/conv2d/0"
    (folder / QUANT).write_text(json.dumps(spec))


def count_axes_beyond_the_tensor(folder: Path) -> None:
    spec = json.loads((folder / QUANT).read_text())
    weight = next(one for one in spec["tensors"] if one["axis"] is not None)
    weight["axis"] = 9
    (folder / QUANT).write_text(json.dumps(spec))


@pytest.mark.parametrize("damage", [drop_a_tensor, widen_a_tensor, cut_the_weights])
def test_weights_that_do_not_fit_are_named(
    quantized: Quantized, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    forged = written(quantized, tmp_path, damage)
    with pytest.raises(ArtifactError) as caught:
        load_prepared(forged)
    assert forged.path.name in caught.value.message and caught.value.remedy


@pytest.mark.parametrize("damage", [name_another_operator, count_axes_beyond_the_tensor])
def test_grids_of_another_network_are_named(
    quantized: Quantized, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    forged = written(quantized, tmp_path, damage)
    with pytest.raises(ArtifactError) as caught:
        load_reference(forged)(torch.rand(1, 3, 64, 64))
    assert forged.path.name in caught.value.message and caught.value.remedy
