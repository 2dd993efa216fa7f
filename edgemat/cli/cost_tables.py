"""Tables of what a matte, and a training, take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from edgemat.terminal import plain

if TYPE_CHECKING:
    from edgemat.bench.large import Large
    from edgemat.bench.throughput import OpenedFolder, Throughput


def show_large(out: Console, model: str, found: Sequence[Large]) -> None:
    """Show memory and seconds, a row for each size."""
    table = Table(title=plain(f"{model}: one matte"))
    for column in ("megapixels", "picture, px", "memory added, MB", "seconds"):
        table.add_column(column, overflow="fold")
    for one in found:
        added = "not told" if one.added_mb is None else f"{one.added_mb:,.0f}"
        size = f"{one.width:,} x {one.height:,}"
        table.add_row(f"{one.megapixels:.1f}", size, added, f"{one.seconds:.1f}")
    out.print(table)


def show_throughput(
    out: Console, found: Sequence[Throughput], opened: Sequence[OpenedFolder]
) -> None:
    """Show what training takes, a row for each setting, and how long folders take to open."""
    setting = found[0].setting
    table = Table(title=plain(f"{setting.architecture}, {setting.source}, {setting.cores} cores"))
    for column in (
        *("side, px", "batch", "loader, pictures/s", "training, pictures/s", "times"),
        *("in convolutions", "peak memory, MB"),
    ):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(
            str(one.setting.size),
            str(one.setting.batch),
            f"{one.loader_per_s:.3g}",
            f"{one.training_per_s:.3g}",
            f"{one.ratio:.1f}",
            f"{100 * one.convolution_share:.0f} %",
            "not told" if one.peak_mb is None else f"{one.peak_mb:,.0f}",
        )
    out.print(table)
    for folder in opened:
        out.print(f"A folder of {folder.mattes:,} mattes opens in {folder.seconds:.2f} s.")
