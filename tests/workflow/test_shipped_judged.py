"""What ships is judged by who has it: a model's name means its int8 file where a file is meant."""

from __future__ import annotations

import json

import pytest
from calling import Call

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import find_artifact, open_mobile, shipped_models


@pytest.mark.parametrize("model", shipped_models())
def test_a_name_means_the_int8_file(model: str) -> None:
    assert open_mobile(model).path == find_artifact(model, target="tflite-int8")
    folder = find_artifact(model)
    assert open_mobile(folder).path == open_mobile(Artifact(folder)).path == folder


@pytest.mark.parametrize("model", shipped_models())
def test_what_ships_equals_its_frozen_model_to_the_last_bit(model: str, call: Call) -> None:
    """The frozen model is read back from the file; it computes as XNNPACK's kernels do."""
    status, printed, said = call("verify", model, "--images", "2", "--json")
    assert status == 0, said
    found = json.loads(printed)
    to_float, to_frozen = (
        {one["runtime"]: one["mean_abs"] for one in found["agreements"] if one["reference"] == name}
        for name in ("float", "frozen")
    )
    assert to_frozen["LiteRT, XNNPACK"] == 0
    assert to_frozen.keys() == to_float.keys() and all(0 < one < 0.02 for one in to_float.values())
    proof = found["int8_proof"]
    assert proof["tensors"] == proof["tensors_equal"] > 100
    assert proof["scales"] == proof["scales_exact"]


def test_verify_names_the_file(call: Call) -> None:
    assert "portrait-tflite-int8@" in call("verify", "portrait", "--images", "1")[1]


def test_gate_compares_it_with_its_float_network(call: Call) -> None:
    """A network compared with itself would pass any gate."""
    status, printed, said = call("gate", "portrait", "--json")
    assert status == 0, said
    (sad, grad) = json.loads(printed)
    assert (sad["name"], grad["name"]) == ("sad", "grad")
    assert sad["measured"] != sad["reference"]
