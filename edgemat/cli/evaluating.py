"""`edgemat evaluate`: errors against the ground truth, on composites or on a set of photographs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from edgemat.cli import tables
from edgemat.cli.common import ArtifactPath, DataOption, ImagesOption, RayOption
from edgemat.errors import UsageError, nearest
from edgemat.terminal import AsJson, out, print_json

if TYPE_CHECKING:
    from edgemat.workflow.api.photographs import SetErrors


def evaluate(
    artifact: ArtifactPath,
    dataset: Annotated[
        Path | None, typer.Argument(help="Folder of photographs with mattes; composites without.")
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
        Path | None, typer.Option(help="Picture file for the ten largest errors.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Plot of the errors over dilations, .svg, .png or .pdf.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a model, or closed-form or knn, against the ground truth.

    Without a folder, an artefact on composites of the size that it takes. With one, on photographs
    at their own size, as papers do.
    """
    if dataset is None:
        for option, given in {
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
        }.items():
            if given:
                raise UsageError(
                    f"--{option} is for photographs, and no folder of them is given.",
                    remedy="Name the folder after the model.",
                )
        _on_composites(artifact, data, images, as_json)
        return
    if data is not None:
        raise UsageError("--data is for composites.", remedy="Leave it out, or the folder.")
    from edgemat.cli.plots import check_format, save_robustness
    from edgemat.data.layouts.table import MATTE_SETS
    from edgemat.progress import share_bar
    from edgemat.scoring.pictures import PictureProtocol
    from edgemat.scoring.ports import Port
    from edgemat.workflow.api.photographs import evaluate_photographs

    for name, known in (
        (layout, tuple(MATTE_SETS)),
        (convention, get_args(Port)),
        (protocol, get_args(PictureProtocol)),
    ):
        if name not in known:
            raise UsageError(f"There is no {name!r}.", remedy=nearest(name, known))
    if plot is not None:
        check_format(plot)
    with share_bar("evaluating") as show:
        found = evaluate_photographs(
            str(artifact),
            dataset,
            layout=layout,  # type: ignore[arg-type]  # this and the next two are of their tables
            port=cast(Port, convention),
            protocol=cast(PictureProtocol, protocol),
            dilations=[_range(text) for text in dilation or ()],
            hidden=no_trimap,
            everything=everything,
            processes=processes,
            ray=ray,
            worst=worst,
            progress=show,
        )
    _show(str(artifact), found, as_json)
    if plot is not None:
        save_robustness(found, plot)


def _on_composites(artifact: Path, data: str | None, images: int, as_json: bool) -> None:
    from edgemat.artifacts.shipped import find_artifact
    from edgemat.workflow.api.scores import evaluate as score_artifact

    scores = score_artifact(artifact, data=data, images=images)
    if as_json:
        print_json({region: value.model_dump() for region, value in scores.items()})
    else:
        title = f"{find_artifact(artifact).name}, {images} composites"
        tables.show_scores(out, title, scores)


def _show(model: str, found: list[SetErrors], as_json: bool) -> None:
    if as_json:
        print_json([one.to_json() for one in found])
        return
    for one in found:
        title = f"{model}, {len(one.pictures)} photographs, trimaps {one.trimaps}"
        tables.show_scores(out, title, one.means)
        if one.trimap_miou is not None:
            out.print(f"mIoU of the network's own trimaps: {100 * one.trimap_miou:.2f} %")
        for category, means in one.categories.items():
            tables.show_scores(out, f"{title}: {category}", means)


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
