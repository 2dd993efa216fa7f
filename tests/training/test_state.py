"""Checkpoints: read as they were written, and a damaged one is named with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from edgemat.errors import TrainingError
from edgemat.training.state import reading_state, write_state

STATE = {"step": 7, "network": {"weight": torch.arange(12.0).reshape(3, 4)}}


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    write_state(tmp_path / "checkpoint.pt", STATE)
    with reading_state(tmp_path / "checkpoint.pt") as state:
        assert state["step"] == 7
        assert torch.equal(state["network"]["weight"], STATE["network"]["weight"])


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_cut_one_is_named(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "checkpoint.pt"
    write_state(path, STATE)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(TrainingError, match="is damaged") as caught, reading_state(path):
        pass
    assert "Delete it" in str(caught.value.remedy)


def test_one_of_something_else_is_named_where_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    write_state(path, {"optimiser": {}})
    with pytest.raises(TrainingError, match="is damaged"), reading_state(path) as state:
        state["network"]


def test_no_code_in_it_is_run(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"step": Path("anything but tensors and plain values")}, path)
    with pytest.raises(TrainingError, match="is damaged"), reading_state(path):
        pass
