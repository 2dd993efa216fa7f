"""What each step of a run took, from its folder."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path

import pytest

from edgemat.errors import UsageError
from edgemat.terminal import run_app
from edgemat.workflow.cache import Cache
from edgemat.workflow.imports import Source
from edgemat.workflow.step import Step, StepRecord
from tools.run_times import app, step_seconds

HERE = Source(Path(__file__).parent, __name__)


def rest(seconds: float) -> StepRecord:
    time.sleep(seconds)
    return {"files": []}


def run(folder: Path) -> None:
    cache = Cache(folder, source=HERE)
    cache.run(Step("train", "portrait: train", partial(rest, 0.2)))
    cache.run(Step("convert", "portrait: convert", partial(rest, 0.05)))


def test_a_run_remembers_what_its_steps_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path)
    first, second = steps = step_seconds(tmp_path)
    assert (first.title, second.title) == ("portrait: train", "portrait: convert")
    assert first.seconds >= 0.2 and second.seconds >= 0.05
    run(tmp_path)  # nothing to do: the times stay
    assert step_seconds(tmp_path) == steps

    assert run_app(app, [str(tmp_path)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "| step | seconds | share |" and len(shown) == 5
    assert shown[2].startswith(f"| portrait: train | {first.seconds:.1f} | ")
    assert run_app(app, [str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["seconds"] == pytest.approx(first.seconds + second.seconds)


def test_a_folder_that_tells_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not tell how long"):
        step_seconds(tmp_path)
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "0.json").write_text('{"record": {}, "sha256": ""}')  # an older one
    with pytest.raises(UsageError, match="does not tell how long"):
        step_seconds(tmp_path)
    (tmp_path / "stages" / "1.json").write_text("[7")
    with pytest.raises(UsageError, match="damaged"):
        step_seconds(tmp_path)
