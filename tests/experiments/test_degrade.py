"""Table 5.1 on a short schedule: the three ways of training, and how they are judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from calling import Call

from edgemat.errors import UsageError
from edgemat.experiments import degrade
from edgemat.experiments.degrade import ROWS, run_degradation


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(degrade, "JUDGED", 2)
    monkeypatch.setattr(degrade, "BATCH", 2)
    monkeypatch.setattr(degrade, "SIZE", 64)


def test_the_three_differ_in_what_is_degraded_alone(few: None) -> None:
    """All see the same composites: degraded ones differ, and only the last changes the mattes."""
    batches = {name: degrade._batches(3, strong) for name, strong in ROWS.items()}
    first = {name: [next(stream) for _ in range(6)] for name, stream in batches.items()}
    plain, old, own = (first[name] for name in ROWS)
    images = [torch.cat([x[:, :3] for x, _ in one]) for one in (plain, old, own)]
    alphas = [torch.cat([y[:, :1] for _, y in one]) for one in (plain, old, own)]
    assert torch.equal(images[1], images[2])
    changed = (images[0] != images[1]).flatten(1).any(1)
    assert 0 < int(changed.sum()) < len(changed)
    assert torch.equal(alphas[0], alphas[1])
    assert not torch.equal(alphas[0][changed], alphas[2][changed])
    assert torch.equal(alphas[0][~changed], alphas[2][~changed])


def test_a_row_for_each_and_the_same_again(few: None, tmp_path: Path, call: Call) -> None:
    steps: list[tuple[str, int]] = []
    rows = run_degradation(steps=2, progress=lambda name, step: steps.append((name, step)))
    assert [row.training for row in rows] == list(ROWS)
    assert steps == [(name, step) for name in ROWS for step in (1, 2)]
    assert len({row.clean.sad for row in rows}) == 3
    assert all(0 < row.degraded.sad < 5 for row in rows)
    words = ("experiments", "degrade", "--steps", "2", "-o", tmp_path / "t.json")
    status, shown, _ = call(*words)
    assert (status, "the old matte" in shown) == (0, True)
    assert json.loads((tmp_path / "t.json").read_text())["rows"] == [r.to_json() for r in rows]


def test_what_takes_no_trimap_is_refused() -> None:
    with pytest.raises(UsageError, match="no network 'pspm-slim' for trimap"):
        run_degradation(model="pspm-slim")
