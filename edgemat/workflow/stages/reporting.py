"""The report of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.bench.result import Result
from edgemat.recipe.schema import Recipe
from edgemat.report.collect import collect_report
from edgemat.report.data import CutOut, GateRow, ModelRun
from edgemat.report.write import write_report

if TYPE_CHECKING:
    from edgemat.workflow.step import StepRecord

REPORT = "report.html"


def report_stage(
    recipe_path: Path,
    recipe: Recipe,
    models: Sequence[ModelRun],
    benches: Sequence[Result],
    gates: Sequence[GateRow],
    photo: CutOut | None,
    *,
    folder: Path,
) -> StepRecord:
    """Write what a run made, measured and judged into FOLDER/report.html."""
    data = collect_report(recipe_path, recipe, models, benches, gates, photo, folder)
    write_report(data, folder / REPORT)
    return {"files": [REPORT]}
