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
    Output,
    open_with_validation,
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
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Quantize a float artefact to int8 with NNCF; qat then trains weights and ranges on.

    A killed qat goes on from its checkpoint when the same command is given again.
    """
    from edgemat.recipe.sections import QatSection
    from edgemat.workflow.stages.common import work_folder
    from edgemat.workflow.stages.quantizing import qat_stage, quantize_stage

    settings = QatSection(steps=steps, batch=batch, size=size, learning_rate=learning_rate)
    opened = open_with_validation(artifact, data, images)
    source, pictures, validation = opened
    shelf = opened.shelf(output)
    ptq = quantize_stage(
        source,
        pictures,
        validation,
        count=calibration,
        out=shelf,
        keep_float=keep_float or (),
        keep_w8a16=keep_w8a16 or (),
    )
    made = [ptq]
    if mode == "qat":
        with work_folder(shelf, made[0].manifest.identity, settings, pictures) as work:
            qat = qat_stage(
                source,
                made[0],
                pictures,
                validation,
                settings,
                work=work,
                out=shelf,
                seed=source.manifest.seed or 0,
                device=device,
            )
        made.append(qat)
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
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Take channels out of a float artefact and train what is left, with the whole as teacher.

    ``--unstructured`` sets single weights to 0 instead: --keep is the share that stays.
    When it is killed, the same command goes on from where it was.
    """
    from edgemat.recipe.sections import PruneSection, RecoverSection
    from edgemat.workflow.stages.common import score_reference, work_folder
    from edgemat.workflow.stages.pruning import prune_stage
    from edgemat.workflow.stages.sparsity import packed_bytes, sparsify_stage

    tune = RecoverSection(steps=steps, batch=batch, size=size, learning_rate=learning_rate)
    settings = PruneSection(
        keep=keep if milliseconds is None else None,
        milliseconds=milliseconds,
        cost=cost if milliseconds is None else "host",
        importance=importance,
        rounds=rounds,
        tune=tune,
    )
    opened = open_with_validation(artifact, data, images)
    source, pictures, validation = opened
    shelf, seed = opened.shelf(output), source.manifest.seed or 0
    if unstructured:
        parts = (source.manifest.identity, "unstructured", keep, tune, pictures)
        with work_folder(shelf, *parts) as work:
            made = sparsify_stage(
                source,
                pictures,
                validation,
                tune,
                zeros=1 - keep,
                work=work,
                out=shelf,
                seed=seed,
                device=device,
            )
    else:
        with work_folder(shelf, source.manifest.identity, settings, pictures) as work:
            made = prune_stage(
                source,
                pictures,
                validation,
                settings,
                work=work,
                out=shelf,
                seed=seed,
                device=device,
            )
    show_artifacts([made], as_json)
    if not as_json:
        tables.show_savings(
            out,
            source,
            made,
            packed=(packed_bytes(source), packed_bytes(made)),
            errors=score_reference(source, validation)["unknown"],
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
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Quantize one block at a time, and rank the blocks by the error that they cost."""
    from edgemat.cli.plots import check_format, save_ranking
    from edgemat.scoring.bounds import parse_named_bound
    from edgemat.workflow.stages.sensitivity import sensitivity_stage

    bound = None if keep_under is None else parse_named_bound(keep_under)
    if plot is not None:
        check_format(plot)
    opened = open_with_validation(artifact, data, images)
    source, pictures, validation = opened
    found = sensitivity_stage(
        source,
        pictures,
        validation,
        count=calibration,
        by=by,
        bound=bound,
        out=opened.shelf(output),
    )
    if plot is not None:
        save_ranking(found.blocks, plot)
    if as_json:
        print_json(found.to_json())
    else:
        tables.show_sensitivity(out, found)
