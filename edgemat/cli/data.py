"""`edgemat data`: make training data out of what a user has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli.common import AsJson, out, print_json

app = typer.Typer(help="Make training data out of what you have.", no_args_is_help=True)
SHOWN = 10


@app.callback()
def data() -> None:
    """Make training data out of what you have."""


@app.command()
def soften(
    source: Annotated[Path, typer.Argument(help="Folder with image/ and mask/.")],
    output: Annotated[Path, typer.Argument(help="Folder for image/, alpha/ and foreground/.")],
    inside: Annotated[
        float, typer.Option(min=0, help="Unknown region inside the mask, px at 640 px.")
    ] = 10.0,
    outside: Annotated[
        float, typer.Option(min=0, help="Unknown region outside the mask, px at 640 px.")
    ] = 14.0,
    as_json: AsJson = False,
) -> None:
    """Turn photographs with masks into soft alpha mattes, by closed-form matting at their edges."""
    from edgemat.data.soften import soften_folder
    from edgemat.progress import progress_bar

    with progress_bar("softening masks", 1000) as show:
        done = soften_folder(
            source,
            output,
            inside=inside,
            outside=outside,
            progress=lambda k, total: show(1000 * k // total),
        )
    if as_json:
        skipped = [{"name": name, "reason": reason} for name, reason in done.skipped]
        print_json({"made": done.made, "kept": done.kept, "skipped": skipped})
        return
    out.print(f"{done.made} mattes made, {done.kept} kept from before, in {output}.")
    if done.skipped:
        out.print(f"{len(done.skipped)} skipped:")
        for name, reason in done.skipped[:SHOWN]:
            out.print(f"  {name}: {reason}", markup=False, soft_wrap=True)
        if len(done.skipped) > SHOWN:
            out.print(f"  and {len(done.skipped) - SHOWN} more; --json lists all.")
