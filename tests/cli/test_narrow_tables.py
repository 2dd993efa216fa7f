"""Tables in 80 columns, as in a pipe or a log: what does not fit goes on below, none is lost."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from rich.console import Console
from toy_series import TINY

from edgemat.artifacts.artifact import MattingErrors
from edgemat.cli.evaluation_tables import show_models
from edgemat.cli.experiment_tables import show_series
from edgemat.experiments.series import Run, Series
from edgemat.workflow.api.photographs import SetErrors

ROOT = Path(__file__).parents[2]


def test_models_beside_each_other_keep_their_figures() -> None:
    errors = MattingErrors(sad=0.1792, mse=0.001234, grad=0.2293, conn=12.34)
    one = SetErrors((11, 20), {"unknown": errors, "whole": errors}, [], {}, 0.8765, "")
    console = Console(record=True, width=80)
    show_models(console, {"closed-form": [one], "portrait-clean": [one]})
    text = console.export_text()
    for figure in ("0.1792", "0.001234", "0.2293", "12.34", "87.65"):
        assert text.count(figure) == 4, text
    assert "…" not in text


def test_networks_of_a_series_keep_their_names() -> None:
    names = ("psnr", "ssim", "mae", "mse")
    series = Series(
        subject="reconstruct", protocol=TINY, data="pictures", pixels="0", score="psnr",
        more_is_better=True,
        runs=tuple(
            Run(model="reconstruct-maxpool-index-hin", seed=seed, seconds=1, processor="a CPU",
                figures=dict.fromkeys(names, 25.4321 + seed))
            for seed in (1, 2)
        ),
    )  # fmt: skip
    console = Console(record=True, width=80)
    show_series(console, series)
    text = console.export_text()
    first = "".join(line.split("│")[1].strip() for line in text.splitlines() if "│" in line)
    assert "reconstruct-maxpool-index-hin" in first and "…" not in text


@pytest.mark.parametrize("folder", ["edgemat/cli", "tools"])
def test_no_column_cuts_off_what_does_not_fit(folder: str) -> None:
    calls = [
        (path.name, call.lineno, {word.arg for word in call.keywords})
        for path in sorted((ROOT / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "add_column"
    ]
    assert calls
    assert not [(name, line) for name, line, words in calls if "overflow" not in words]
