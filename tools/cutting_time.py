"""Where the time of `edgemat matte` goes: `python -m tools.cutting_time FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from edgemat.bench.cutting import measure_cutting
from edgemat.bench.devices.host import host_processor
from edgemat.data.listing import pictures
from edgemat.progress import progress_bar
from edgemat.terminal import AsJson, out, print_json, run_app

PARTS = {
    "network": "the networks' runs",
    "foreground": "the foreground's colours",
    "matte": "letterbox, tiles, guided filter, trimap",
    "reading": "reading photographs",
    "writing": "writing PNGs",
}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    folder: Annotated[Path, typer.Argument(help="Photographs.")],
    model: Annotated[str, typer.Option(help="That cuts out.")] = "portrait",
    refine: Annotated[bool, typer.Option(help="Look again, as with photographs.")] = True,
    threads: Annotated[int, typer.Option(min=1, help="Of each network.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Cut the photographs of a folder out, and print what took how long."""
    files = list(pictures(folder).values())
    with progress_bar("cutting out", max(1, len(files))) as show:
        spent = measure_cutting(
            files,
            model=model,
            refiner="trimap" if refine else None,
            threads=threads,
            progress=show,
        )
    if as_json:
        print_json(spent.to_json() | {"processor": host_processor(), "threads": threads})
        return
    table = Table(
        title=f"{spent.photographs} photographs, {spent.megapixels:.1f} megapixels; "
        f"{host_processor()}, {threads} threads"
    )
    for column in ("part", "seconds", "share"):
        table.add_column(column, overflow="fold")
    for name, said in PARTS.items():
        seconds = getattr(spent, name)
        table.add_row(said, f"{seconds:.2f}", f"{seconds / spent.total:.1%}")
    table.add_row("all", f"{spent.total:.2f}", "")
    out.print(table)
    out.print(f"The networks and the foreground's colours: {spent.share:.1%}")


if __name__ == "__main__":
    sys.exit(run_app(app))
