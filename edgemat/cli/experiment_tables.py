"""Tables of the thesis' small experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from edgemat.terminal import plain

if TYPE_CHECKING:
    from edgemat.experiments.degrade import DegradationRow
    from edgemat.experiments.fit import Fitted
    from edgemat.experiments.series import Series


def show_fitted(out: Console, title: str, fitted: Sequence[Fitted]) -> None:
    """Print how like the originals pictures are, a row for each network."""
    table = Table(title=title)
    for column in ("network", "PSNR, dB", "SSIM", "MAE", "MSE (root)"):
        table.add_column(column, overflow="fold")
    for one in fitted:
        f = one.fidelity
        table.add_row(one.model, f"{f.psnr:.2f}", f"{f.ssim:.4f}", f"{f.mae:.4f}", f"{f.mse:.4f}")
    out.print(table)


def show_degradation(out: Console, rows: Sequence[DegradationRow]) -> None:
    """Print Table 5.1, with the errors on degraded composites beside those on clean ones."""
    table = Table(title="Degraded in training; errors in the unknown region")
    for column in ("pictures", "SAD", "Grad", "SAD, degraded", "Grad, degraded"):
        table.add_column(column, overflow="fold")
    for row in rows:
        errors = (row.clean.sad, row.clean.grad, row.degraded.sad, row.degraded.grad)
        table.add_row(row.training, *(f"{error:.4g}" for error in errors))
    out.print(table)


def show_series(out: Console, series: Series) -> None:
    """Print mean and spread over seeds, a row for each network."""
    from edgemat.experiments.summary import summarise

    rows = summarise(series)
    table = Table(title=plain(f"{series.data}; protocol {series.protocol.name}"))
    for column in ("network", "upsampling", "seeds", *rows[0].figures):
        table.add_column(plain(column), overflow="fold")  # figures are called by folders
    for row in rows:
        figures = (str(figure) for figure in row.figures.values())
        table.add_row(row.model, row.kind, str(len(row.seeds)), *figures)
    out.print(table)
