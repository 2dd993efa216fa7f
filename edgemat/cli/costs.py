"""`edgemat memory` and `edgemat throughput`: what a large photograph takes, and what training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli import cost_tables as tables
from edgemat.cli.common import ArtifactPath
from edgemat.errors import GateFailed
from edgemat.terminal import AsJson, out, print_json


def memory(
    artifact: ArtifactPath,
    megapixels: Annotated[
        list[float] | None, typer.Option(help="Of a picture, 4:3; repeat. 12, 48 and 100 else.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    below: Annotated[
        float | None, typer.Option(min=1, help="Bound in MB; exit status 1 where it is not held.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Measure memory and seconds of a matte of a large photograph, in a process of its own."""
    from edgemat.bench.large import measure_large, require_bound, require_told
    from edgemat.progress import share_bar

    if below is not None:
        require_told()
    with share_bar("measuring") as show:
        found = measure_large(
            artifact, megapixels=megapixels or (12, 48, 100), threads=threads, progress=show
        )
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        tables.show_large(out, str(artifact), found)
    if below is None or require_bound(found, below):
        return 0
    return GateFailed.exit_code


def throughput(
    network: Annotated[str, typer.Argument(help="A matting network: edgemat models.")],
    size: Annotated[
        list[int] | None,
        typer.Option(min=32, help="Side of the pictures, px; repeat for a curve. 256 else."),
    ] = None,
    batch: Annotated[
        list[int] | None, typer.Option(min=1, help="Pictures of a step; repeat. 8 else.")
    ] = None,
    set_size: Annotated[
        list[int] | None, typer.Option("--set", min=1, help="Mattes of a folder to open; repeat.")
    ] = None,
    source: Annotated[str, typer.Option(help="people, procedural or a folder.")] = "people",
    width: Annotated[float, typer.Option(min=0.05, max=4.0, help="Of all channels.")] = 1.0,
    cores: Annotated[int, typer.Option(min=1, help="The loader's, then training's.")] = 2,
    steps: Annotated[int, typer.Option(min=1, help="That are measured.")] = 4,
    at_least: Annotated[
        float | None,
        typer.Option(min=0, help="Times that the loader gives what training takes; else status 1."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Plot of the growth, .svg, .png or .pdf.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Measure what training takes here: the loader beside the steps, convolutions, memory."""
    from edgemat.bench.throughput import Setting, grow, measure_growth, measure_opening
    from edgemat.cli.plots import check_format, save_growth
    from edgemat.progress import share_bar

    if plot is not None:
        check_format(plot)
    sizes, batches = size or [256], batch or [8]
    setting = Setting(
        network,
        width=width,
        size=sizes[0],
        batch=batches[0],
        source=source,
        cores=cores,
        steps=steps,
    )
    wanted = grow(setting, sizes=sizes, batches=batches)
    opened = measure_opening(set_size or ())
    with share_bar("measuring") as show:
        found = measure_growth(wanted, progress=show)
    if as_json:
        print_json(
            {
                "trainings": [one.to_json() for one in found],
                "opened": [one.to_json() for one in opened],
            }
        )
    else:
        tables.show_throughput(out, found, opened)
    if plot is not None:
        save_growth(found, opened, plot)
    held = at_least is None or all(one.ratio >= at_least for one in found)
    return 0 if held else GateFailed.exit_code
