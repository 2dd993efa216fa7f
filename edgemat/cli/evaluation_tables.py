"""Tables of errors on photographs: of one model, and of several beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from edgemat.cli.tables import show_scores
from edgemat.terminal import plain

if TYPE_CHECKING:
    from edgemat.workflow.api.photographs import SetErrors


def show_model(out: Console, model: str, found: Sequence[SetErrors]) -> None:
    """Show a table for each kind of trimaps, and for each category there."""
    for one in found:
        title = f"{model}, {len(one.pictures)} photographs, trimaps {one.trimaps}"
        show_scores(out, title, one.means)
        if one.trimap_miou is not None:
            out.print(f"mIoU of the network's own trimaps: {100 * one.trimap_miou:.2f} %")
        for category, means in one.categories.items():
            show_scores(out, f"{title}: {category}", means)


def show_models(out: Console, found: Mapping[str, Sequence[SetErrors]]) -> None:
    """Show one table: a row for each model, kind of trimaps, category and region.

    Figures stay whole in 80 columns; `own mIoU` is that of trimaps that networks make themselves.
    """
    some = next(iter(found.values()))
    table = Table(title=plain(f"{len(some[0].pictures)} photographs; SAD, Grad, Conn in thousands"))
    for column in ("model", "trimaps", "pictures", "region"):
        table.add_column(column, overflow="fold")
    for column in ("SAD", "MSE", "Grad", "Conn"):
        table.add_column(column, no_wrap=True, overflow="fold")
    table.add_column("own mIoU, %", overflow="fold")
    for number in range(len(some)):
        for model, sets in found.items():
            one = sets[number]
            miou = "" if one.trimap_miou is None else f"{100 * one.trimap_miou:.2f}"
            for pictures, means in {"all": one.means, **one.categories}.items():
                for region, value in means.items():
                    figures = (f"{v:.4g}" for v in value.model_dump().values())
                    row = (short_name(model), one.trimaps, pictures, region)
                    table.add_row(*map(plain, row), *figures, miou if pictures == "all" else "")
        table.add_section()
    out.print(table)


def short_name(model: str) -> str:
    """Return a model's name for people: of a path, its last part."""
    return Path(model).name
