"""`edgemat evaluate`: errors against the ground truth, on composites or on a set of photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from edgemat.cli import evaluation_tables, tables
from edgemat.cli.common import ArtifactPath, DataOption, ImagesOption, RayOption, extras_of
from edgemat.doctor import require
from edgemat.errors import UsageError, nearest
from edgemat.terminal import AsJson, out, print_json

if TYPE_CHECKING:
    from edgemat.workflow.api.photographs import SetErrors


def evaluate(
    artifact: ArtifactPath,
    dataset: Annotated[
        Path | None, typer.Argument(help="Folder of photographs with mattes; composites without.")
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(help="Another model, closed-form or knn, in the same table and plot; repeat."),
    ] = None,
    layout: Annotated[
        str, typer.Option(help="Of the folder; `edgemat data layouts` shows them.")
    ] = "own",
    data: DataOption = None,
    images: ImagesOption = 16,
    convention: Annotated[
        str, typer.Option(help="Whose errors: matlab, indexnet or mmagic.")
    ] = "matlab",
    protocol: Annotated[
        str, typer.Option(help="Photographs: app, or the whole picture: resize or reflect.")
    ] = "app",
    dilation: Annotated[
        list[str] | None,
        typer.Option(help="Trimaps made anew, by LEAST,MOST px; repeat for a curve."),
    ] = None,
    no_trimap: Annotated[
        bool, typer.Option("--no-trimap", help="Hide the trimap: unknown everywhere.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is trained on, not only what is held out.")
    ] = False,
    processes: Annotated[int, typer.Option(min=1, help="For photographs.")] = 1,
    ray: RayOption = None,
    worst: Annotated[
        Path | None, typer.Option(help="Picture file for the first model's ten largest errors.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Plot of the errors over dilations, .svg, .png or .pdf.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a model, or closed-form or knn, against the ground truth.

    Without a folder, an artefact on composites of the size that it takes. With one, on photographs
    at their own size, as papers do. A shipped model's name means its float network; its int8 file
    is NAME-tflite-int8. With --beside, several stand in one table, and each has its curve.

    Composites and float networks take the extra "train"; on photographs a .tflite file takes
    "evaluate", closed-form and knn "classical".
    """
    if dataset is None:
        _refuse_without_photographs(
            {
                "beside": bool(beside),
                "layout": layout != "own",
                "convention": convention != "matlab",
                "protocol": protocol != "app",
                "dilation": bool(dilation),
                "no-trimap": no_trimap,
                "all": everything,
                "processes": processes > 1,
                "ray": ray is not None,
                "worst": worst is not None,
                "plot": plot is not None,
            }
        )
        _on_composites(artifact, data, images, as_json)
        return
    if data is not None:
        raise UsageError("--data is for composites.", remedy="Leave it out, or the folder.")
    models = [str(artifact), *(beside or ())]
    require(*extras_of(models), *(("report",) if plot is not None else ()))
    from edgemat.cli.plots import check_format, save_robustness
    from edgemat.data.layouts.table import MATTE_SETS
    from edgemat.progress import share_bar
    from edgemat.scoring.pictures import PictureProtocol, check_models
    from edgemat.scoring.ports import Port
    from edgemat.workflow.api.photographs import evaluate_photographs

    _check_known(layout, tuple(MATTE_SETS))
    _check_known(convention, get_args(Port))
    _check_known(protocol, get_args(PictureProtocol))
    if plot is not None:
        check_format(plot)
    if len(models) > 1:  # one that does not fit is said before the others have taken hours
        check_models(models, cast(PictureProtocol, protocol), hidden=no_trimap)
    found = {}
    for number, model in enumerate(models):
        title = f"evaluating {evaluation_tables.short_name(model)}" if beside else "evaluating"
        with share_bar(title) as show:
            found[model] = evaluate_photographs(
                model,
                dataset,
                layout=layout,  # type: ignore[arg-type]  # this and the next two are of their tables
                port=cast(Port, convention),
                protocol=cast(PictureProtocol, protocol),
                dilations=[_range(text) for text in dilation or ()],
                hidden=no_trimap,
                everything=everything,
                processes=processes,
                ray=ray,
                worst=worst if number == 0 else None,
                progress=show,
            )
    _show(found, as_json)
    if plot is not None:
        save_robustness(
            {evaluation_tables.short_name(name): sets for name, sets in found.items()}, plot
        )


def _refuse_without_photographs(given: Mapping[str, bool]) -> None:
    """Refuse the first option that is given, by name: all of these are for photographs."""
    for option, is_given in given.items():
        if is_given:
            raise UsageError(
                f"--{option} is for photographs, and no folder of them is given.",
                remedy="Name the folder after the model.",
            )


def _check_known(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UsageError(f"There is no {name!r}.", remedy=nearest(name, known))


def _on_composites(artifact: Path, data: str | None, images: int, as_json: bool) -> None:
    from edgemat.artifacts.shipped import find_artifact
    from edgemat.workflow.api.scores import evaluate as score_artifact

    scores = score_artifact(artifact, data=data, images=images)
    if as_json:
        print_json({region: value.model_dump() for region, value in scores.items()})
    else:
        title = f"{find_artifact(artifact).name}, {images} composites"
        tables.show_scores(out, title, scores)


def _show(found: Mapping[str, list[SetErrors]], as_json: bool) -> None:
    """Show one model's errors as they always were, several beside each other."""
    told = {model: [one.to_json() for one in sets] for model, sets in found.items()}
    if len(found) > 1:
        print_json(told) if as_json else evaluation_tables.show_models(out, found)
        return
    ((model, sets),) = found.items()
    print_json(told[model]) if as_json else evaluation_tables.show_model(out, model, sets)


def _range(text: str) -> tuple[int, int]:
    try:
        low, high = (int(part) for part in text.split(","))
    except ValueError:
        low, high = 0, 0
    if not 1 <= low <= high:
        raise UsageError(
            f"--dilation {text!r} is no range of pixels.", remedy="Write for example 11,20."
        )
    return low, high
