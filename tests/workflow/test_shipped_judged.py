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


def test_verify_runs_it(call: Call) -> None:
    status, printed, said = call("verify", "portrait", "--images", "1", "--json")
    assert status == 0, said
    found = json.loads(printed)
    assert all(0 < one["mean_abs"] < 0.02 for one in found["agreements"])
    assert "portrait-tflite-int8@" in call("verify", "portrait", "--images", "1")[1]


def test_gate_compares_it_with_its_float_network(call: Call) -> None:
    """A network compared with itself would pass any gate."""
    status, printed, said = call("gate", "portrait", "--json")
    assert status == 0, said
    (sad, grad) = json.loads(printed)
    assert (sad["name"], grad["name"]) == ("sad", "grad")
    assert sad["measured"] != sad["reference"]
