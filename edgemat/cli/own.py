"""`edgemat adopt` and `check`: networks that are not edgemat's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from edgemat.artifacts.vocabulary import Fit
from edgemat.cli.common import DataOption, ImagesOption, rgb_numbers, show_artifacts
from edgemat.errors import UnsupportedError
from edgemat.terminal import AsJson, out, plain, print_json

if TYPE_CHECKING:
    from edgemat.models.adopted.check import Expectation

NetworkArgument = Annotated[
    str,
    typer.Argument(
        help="package.module:factory, a .pt2 file, or a name that an installed package lists."
    ),
]
SizeOption = Annotated[
    tuple[int, int] | None, typer.Option("--size", help="Height and width of pictures, px.")
]
TrimapOption = Annotated[bool, typer.Option("--trimap", help="The network takes a trimap, too.")]


def adopt(
    network: NetworkArgument,
    weights: Annotated[Path | None, typer.Option(help="State dict: .pth or .safetensors.")] = None,
    size: SizeOption = None,
    trimap: TrimapOption = False,
    name: Annotated[str | None, typer.Option(help="Of the artefact.")] = None,
    mean: Annotated[
        str | None, typer.Option(help="Taken off RGB in 0..1, as R,G,B: .485,.456,.406.")
    ] = None,
    std: Annotated[str | None, typer.Option(help="Divided by after that, as R,G,B.")] = None,
    map: Annotated[
        str | None, typer.Option("--map", help="Which of several outputs: key or number.")
    ] = None,
    channel: Annotated[
        int | None, typer.Option(min=0, help="Of the output; by default the second of two.")
    ] = None,
    logits: Annotated[
        bool, typer.Option("--logits", help="The output is scores: a sigmoid follows, or softmax.")
    ] = False,
    fit: Annotated[
        Fit | None,
        typer.Option(help="How pictures are brought to it; by default a letterbox, or tiles."),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Of the weights, for the manifest.")] = None,
    data_notice: Annotated[
        str | None, typer.Option(help="What they were trained on, for the manifest.")
    ] = None,
    data: DataOption = None,
    images: ImagesOption = 16,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the artefact.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a float artefact of your own network: quantize, convert, verify, bench it from there."""
    from edgemat.workflow.api import adopt as api

    made = api.adopt(
        network,
        weights=weights,
        size=size,
        trimap=trimap,
        name=name,
        mean=() if mean is None else rgb_numbers("--mean", mean),
        std=() if std is None else rgb_numbers("--std", std),
        map=map,
        channel=channel,
        logits=logits,
        fit=fit,
        licence=licence or api.UNKNOWN_LICENCE,
        data_notice=data_notice or api.UNKNOWN_DATA,
        data=data,
        images=images,
        output=output,
    )
    show_artifacts([made], as_json)


def check(
    network: NetworkArgument,
    size: SizeOption = None,
    trimap: TrimapOption = False,
    as_json: AsJson = False,
) -> None:
    """Say what will become of a network on phones; exit status 3 where it cannot be converted."""
    from edgemat.workflow.api.adopt import check as look_through

    found = look_through(network, size=size, trimap=trimap)
    if as_json:
        print_json(found.to_json())
    else:
        _show_expectation(found)
    if found.refusal:
        raise UnsupportedError(found.refusal, remedy=found.remedy)


def _show_expectation(found: Expectation) -> None:
    """Show what will become of a network's operators, and what it will cost."""
    table = Table()
    for column in ("operator", "calls", "on phones", "ms here", "as", "called first at"):
        table.add_column(column, overflow="fold")
    signs = {"int8": "int8", "float": "[yellow]float[/yellow]", "none": "[red]nowhere[/red]"}
    for row in found.operators:
        table.add_row(
            row.operator.removeprefix("aten."),
            str(row.count),
            signs[row.arithmetic],
            "" if row.latency_ms is None else f"{row.latency_ms:.2f}",
            row.becomes,
            plain(Path(row.line.partition(" (")[0]).name),
        )
    out.print(table)
    in_float = [row.latency_ms for row in found.operators if row.latency_ms is not None]
    if in_float:
        out.print(
            f"What stays in float takes {sum(in_float):.2f} ms in torch, on one thread of this "
            "machine; edgemat verify measures the file's own operators."
        )
    if found.macs is not None and found.parameters is not None and found.memory_bytes is not None:
        out.print(
            f"{found.parameters / 1e6:.2f} M parameters, {found.macs:.2f} G MACs, "
            f"{found.memory_bytes / 1e6:.1f} MB of tensors at once in int8, about "
            f"{found.partitions} partition(s)."
        )
