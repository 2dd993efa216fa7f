"""`edgemat quality`, `bias`, `models` and `doctor`: what there is, and how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli import tables
from edgemat.cli.common import ArtifactPath, BackgroundsOption
from edgemat.terminal import AsJson, err, out, print_json


def quality(
    bars: Annotated[Path, typer.Argument(help="Bars, such as recipes/weights/bars.toml.")],
    threads: Annotated[int, typer.Option(min=1)] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Photographs of each set.")] = None,
    as_json: AsJson = False,
) -> int:
    """Hold the shipped models against quality bars on photographs, float and int8."""
    from edgemat.bench.quality import load_bars, measure_quality
    from edgemat.errors import GateFailed

    rows = measure_quality(load_bars(bars), threads=threads, limit=limit, progress=err.print)
    if as_json:
        print_json([row.to_json() for row in rows])
    else:
        tables.show_quality(out, rows)
    failed = any(row.verdict is not None and not row.verdict.passed for row in rows)
    return GateFailed.exit_code if failed else 0


def bias(
    model: ArtifactPath = Path("portrait"),
    backgrounds: BackgroundsOption = None,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="Also people that recipes train on.")
    ] = False,
    worst: Annotated[
        Path | None, typer.Option(help="Picture file for the people with the largest errors.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare a model's errors by skin tone and hair, on rendered people."""
    from edgemat.artifacts.shipped import SHIPPED_TARGET, find_artifact
    from edgemat.bench.bias import measure_bias
    from edgemat.bench.peers.sheet import draw_sheet
    from edgemat.data.drawn.source import ProceduralSource
    from edgemat.data.mix import Photographs
    from edgemat.images import write_image
    from edgemat.progress import share_bar

    path = find_artifact(model, target=SHIPPED_TARGET)
    behind = Photographs(backgrounds) if backgrounds else ProceduralSource(1, size=(512, 512))
    with share_bar("measuring") as show:
        found = measure_bias(
            path,
            behind,
            part="all" if everyone else "held-out",
            progress=show,
        )
    if as_json:
        print_json([group.to_json() for group in found.groups])
    else:
        tables.show_bias(out, found.groups)
    if worst is not None:
        write_image(worst, draw_sheet(found.worst, [path.name]))


def models(as_json: AsJson = False) -> None:
    """List the networks, with the thesis' figures, and the classical methods."""
    from edgemat.matting.classical import METHODS
    from edgemat.models import list_models
    from edgemat.models.count import count_operations, count_parameters, on_paper
    from edgemat.progress import track

    rows: list[dict[str, object]] = []
    for info in track(list_models(), "counting"):
        network, thesis = on_paper(info.name), info.thesis
        operations = count_operations(network, (info.in_channels, 224, 224))
        rows.append(
            {
                "name": info.name,
                "chapter": None if thesis is None else thesis.chapter,
                "table": None if thesis is None else thesis.table,
                "task": info.task,
                "input_channels": info.in_channels,
                "parameters": count_parameters(network),
                "thesis_parameters_millions": None if thesis is None else thesis.parameters,
                "operations_thesis_convention": operations.thesis,
                "thesis_operations": None if thesis is None else thesis.operations,
                "macs_billions": operations.macs,
                "deploys": info.why_not is None,
                "why_not": info.why_not,
                "note": info.note,
            }
        )
    rows += [_classical(method) for method in METHODS]
    if as_json:
        print_json(rows)
    else:
        tables.show_models(out, rows)


def _classical(method: str) -> dict[str, object]:
    """Return the row of a method that has nothing to learn or to count."""
    return {
        "name": method,
        "chapter": None,
        "table": None,
        "task": "trimap",
        "input_channels": 4,
        "parameters": 0,
        "thesis_parameters_millions": None,
        "operations_thesis_convention": None,
        "thesis_operations": None,
        "macs_billions": None,
        "deploys": False,
        "why_not": "It solves a linear system for each picture.",
        "note": f"edgemat matte PHOTO --trimap TRIMAP --model {method}",
    }


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can and cannot do, and how to get it."""
    from edgemat.doctor import examine

    findings = examine()
    if as_json:
        print_json([finding.to_json() for finding in findings])
    else:
        tables.show_findings(out, findings)
