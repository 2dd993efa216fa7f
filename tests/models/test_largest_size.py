"""Networks have a largest size, which is known before they have memory."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file
from toy_artifacts import artifact

from edgemat.artifacts.artifact import Feeding
from edgemat.artifacts.weights import load_network
from edgemat.errors import ArtifactError, UsageError
from edgemat.models import create_model, list_models
from edgemat.models.bounds import require_small

IMPOSSIBLE = [1e6, 1e308, -1.0, float("nan"), float("inf"), 10**300, 500.0, "wide", None, [1]]


@pytest.mark.parametrize("info", list_models(), ids=lambda info: info.name)
def test_every_network_of_its_usual_size_is_allowed(info: Any) -> None:
    require_small(info, info.config)


@pytest.mark.parametrize("width", IMPOSSIBLE, ids=lambda width: str(width)[:8])
def test_an_impossible_width_is_refused_before_it_has_memory(width: Any) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UsageError):
        create_model("pspm-b5", width=width)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes"


@pytest.mark.parametrize("config", [*({"width": width} for width in IMPOSSIBLE), {"depth": 1}])
def test_a_manifest_that_asks_for_such_a_network_is_refused(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    state = create_model("pspm-slim", width=0.25).state_dict()
    made = artifact(
        tmp_path,
        lambda folder: save_file(state, folder / "weights.safetensors"),
        kind="float",
        architecture="pspm-slim",
        config={} if str(config["width" if "width" in config else "depth"]) == "nan" else config,
        feeding=Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16),
        payload="weights.safetensors",
    )
    with pytest.raises(ArtifactError) as caught:
        load_network(made)
    assert caught.value.remedy
