"""`edgemat frontier`, `roofline` and `opinions`: files beside each other, and beside the limits."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli import tables
from edgemat.doctor import needs
from edgemat.terminal import AsJson, out, print_json, show_error

Data = Annotated[str | None, typer.Option(help="Pictures; by default the task's.")]
ThreadsOption = Annotated[int, typer.Option(min=1)]
Seconds = Annotated[float, typer.Option(min=0.1, help="Of measuring, for each file.")]


def frontier(
    files: Annotated[list[Path], typer.Argument(help="TFLite artefacts of one task.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder.")] = Path("frontier"),
    data: Data = None,
    images: Annotated[int, typer.Option(min=1)] = 16,
    threads: ThreadsOption = 1,
    seconds: Seconds = 5.0,
    as_json: AsJson = False,
) -> None:
    """Draw error against latency and size, and mark what nothing beats."""
    from edgemat.artifacts.shipped import open_mobile
    from edgemat.bench.frontier import (
        PICTURE_SIZE,
        PLOT,
        check_files,
        find_frontier,
        write_frontier,
    )
    from edgemat.cli.plots import save_frontier
    from edgemat.scoring.validation import VALIDATION_SEED, default_data, evaluation_set

    opened = [open_mobile(file) for file in files]
    check_files(opened)
    task = opened[0].manifest.task
    pictures = evaluation_set(
        default_data(task, data),
        task=task,
        size=(PICTURE_SIZE, PICTURE_SIZE),
        count=images,
        seed=VALIDATION_SEED,
    )
    found = find_frontier(opened, pictures, threads=threads, seconds=seconds)
    write_frontier(found, output)
    save_frontier(found, output / PLOT)
    if as_json:
        print_json([candidate.to_json() for candidate in found])
    else:
        tables.show_frontier(out, found)
        tables.show_path(out, output)


@needs("deploy")
def roofline(
    names: Annotated[list[str], typer.Argument(help="Architectures: pspm-b5, ...")],
    size: Annotated[int, typer.Option(min=32, help="Height and width, px.")] = 256,
    threads: ThreadsOption = 1,
    seconds: Seconds = 10.0,
    as_json: AsJson = False,
) -> None:
    """Measure float32 against int8, and both against this machine's peak."""
    from edgemat.bench.roofline import measure_roofline

    rows = measure_roofline(names, size=size, threads=threads, seconds=seconds)
    if as_json:
        print_json([row.to_json() for row in rows])
    else:
        tables.show_roofline(out, rows)


@needs("deploy")
def opinions(
    model: Annotated[
        str, typer.Argument(help="A float artefact, or an architecture (random weights).")
    ],
    int8_files: Annotated[
        list[Path] | None, typer.Argument(help="tflite-int8 artefacts made of it.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the files, to keep them.")
    ] = None,
    data: Data = None,
    size: Annotated[int, typer.Option(min=32, help="Of an architecture's input, px.")] = 256,
    calibration: Annotated[int, typer.Option(min=1, help="Calibration pictures.")] = 64,
    images: Annotated[int, typer.Option(min=1, help="Validation composites.")] = 16,
    threads: ThreadsOption = 1,
    seconds: Seconds = 5.0,
    as_json: AsJson = False,
) -> int:
    """Let other tools convert the same network; exit status 1 where a file computes another matte.

    A tool that is missing or fails does not keep the others away, but ends with its own status.
    """
    from edgemat.bench.opinions import ask_tools, open_subject

    subject = open_subject(model, int8_files or [], size=size)
    with _folder(output) as folder:
        found, errors = ask_tools(
            subject,
            folder,
            data=data,
            calibration=calibration,
            images=images,
            threads=threads,
            seconds=seconds,
        )
    if as_json:
        print_json([opinion.to_json() for opinion in found])
    else:
        tables.show_opinions(out, found)
        tables.show_agreements(out, found)
        tables.show_old_runs(out, found)
    for error in errors:
        show_error(error)
    failed = not all(opinion.passed for opinion in found)
    return max([error.exit_code for error in errors], default=int(failed))


@contextlib.contextmanager
def _folder(output: Path | None) -> Iterator[Path]:
    """Give the folder for the files: the user's, or one that does not stay."""
    from edgemat.files import explain_os_errors

    if output is None:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)
        return
    with explain_os_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    yield output
