"""Commands that make an artefact smaller and faster: prune, quantize, sensitivity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.artifacts.vocabulary import ErrorName, Importance, PruningCost, QuantizationMode
from edgemat.cli import tables
from edgemat.cli.common import (
    ArtifactPath,
    DataOption,
    DeviceOption,
    ImagesOption,
    OutputOption,
    show_artifacts,
)
from edgemat.terminal import AsJson, out, print_json


def quantize(
    artifact: ArtifactPath,
    mode: Annotated[
        QuantizationMode, typer.Option(help="Post-training, or trained on from there.")
    ] = "ptq",
    data: DataOption = None,
    calibration: Annotated[int, typer.Option(min=1, help="Calibration pictures.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="qat: training steps.")] = 200,
    batch: Annotated[int, typer.Option(min=2, help="qat: pictures in a step.")] = 4,
    size: Annotated[int, typer.Option(min=64, help="qat: side of the training crops, px.")] = 288,
    learning_rate: Annotated[float, typer.Option(min=1e-9, help="qat: relative.")] = 1e-5,
    keep_float: Annotated[
        list[str] | None, typer.Option(help="A block that stays in float; can be repeated.")
    ] = None,
    keep_w8a16: Annotated[
        list[str] | None, typer.Option(help="A block of which only the weights become int8.")
    ] = None,
    device: DeviceOption = "auto",
    images: ImagesOption = 16,
    output: OutputOption = None,
    as_json: AsJson = False,
) -> None:
    """Quantize a float artefact to int8 with NNCF; qat then trains weights and ranges on.

    A killed qat resumes from its checkpoint when the same command is given again.
    """
    from edgemat.workflow.api.compress import quantize_in_steps

    made = quantize_in_steps(
        artifact,
        mode=mode,
        data=data,
        calibration=calibration,
        steps=steps,
        batch=batch,
        size=size,
        learning_rate=learning_rate,
        keep_float=keep_float or (),
        keep_w8a16=keep_w8a16 or (),
        device=device,
        images=images,
        output=output,
    )
    show_artifacts(made, as_json)


def prune(
    artifact: ArtifactPath,
    keep: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Share of the cost that stays.")
    ] = 0.5,
    cost: Annotated[
        PruningCost, typer.Option(help="Multiply-accumulates, or int8 milliseconds on this host.")
    ] = "macs",
    milliseconds: Annotated[
        float | None,
        typer.Option(
            min=0.001, help="In place of --keep: what the int8 convolutions may take on this host."
        ),
    ] = None,
    importance: Annotated[
        Importance, typer.Option(help="What tells how much a channel matters.")
    ] = "taylor",
    unstructured: Annotated[
        bool,
        typer.Option(
            "--unstructured",
            help="Single weights become 0 instead, by NNCF: a smaller download, no less time.",
        ),
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Of pruning, then training.")] = 2,
    data: DataOption = None,
    steps: Annotated[int, typer.Option(min=1, help="Training steps in a round.")] = 250,
    batch: Annotated[int, typer.Option(min=2, help="Pictures in a step.")] = 8,
    size: Annotated[int, typer.Option(min=64, help="Side of the training crops, px.")] = 192,
    learning_rate: Annotated[float, typer.Option(min=1e-9, help="The highest.")] = 5e-4,
    device: DeviceOption = "auto",
    images: ImagesOption = 16,
    output: OutputOption = None,
    as_json: AsJson = False,
) -> None:
    """Take channels out of a float artefact and train what is left, with the whole as teacher.

    ``--unstructured`` sets single weights to 0 instead: --keep is the share that stays.
    When it is killed, the same command resumes from where it was.
    """
    from edgemat.workflow.api.compress import prune as prune_artifact

    made = prune_artifact(
        artifact,
        keep=keep,
        cost=cost,
        milliseconds=milliseconds,
        importance=importance,
        unstructured=unstructured,
        rounds=rounds,
        data=data,
        steps=steps,
        batch=batch,
        size=size,
        learning_rate=learning_rate,
        device=device,
        images=images,
        output=output,
    )
    show_artifacts([made], as_json)
    if not as_json:
        from edgemat.artifacts.shipped import open_artifact
        from edgemat.workflow.api.scores import evaluate
        from edgemat.workflow.stages.sparsity import packed_bytes

        source = open_artifact(artifact)
        tables.show_savings(
            out,
            source,
            made,
            packed=(packed_bytes(source), packed_bytes(made)),
            errors=evaluate(source, data=data, images=images)["unknown"],
        )


def sensitivity(
    artifact: ArtifactPath,
    by: Annotated[ErrorName, typer.Option(help="Error to rank by.")] = "sad",
    keep_under: Annotated[
        str | None,
        typer.Option(help="Such as SAD+2%: keep the worst blocks in float until that holds."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the ranking, .svg or .png.")] = None,
    data: DataOption = None,
    calibration: Annotated[int, typer.Option(min=1, help="Calibration pictures.")] = 64,
    images: ImagesOption = 16,
    output: OutputOption = None,
    as_json: AsJson = False,
) -> None:
    """Quantize one block at a time, and rank the blocks by the error that they cost."""
    from edgemat.cli.plots import check_format, save_ranking
    from edgemat.workflow.api.compress import sensitivity as rank_blocks

    if plot is not None:
        check_format(plot)
    found = rank_blocks(
        artifact,
        by=by,
        keep_under=keep_under,
        data=data,
        calibration=calibration,
        images=images,
        output=output,
    )
    if plot is not None:
        save_ranking(found.blocks, plot)
    if as_json:
        print_json(found.to_json())
    else:
        tables.show_sensitivity(out, found)
