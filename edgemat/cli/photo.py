"""`edgemat matte`: cut a photograph out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli import tables
from edgemat.errors import UsageError
from edgemat.terminal import AsJson, out, print_json


def matte(
    photo: Annotated[Path, typer.Argument(help="Photograph of any size.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG to write.")],
    model: Annotated[
        Path | None,
        typer.Option(
            help="Artefact, .tflite, shipped model (default: its int8 file), closed-form or knn."
        ),
    ] = None,
    trimap: Annotated[
        Path | None, typer.Option(help="Black background, grey unknown, white foreground.")
    ] = None,
    background: Annotated[Path | None, typer.Option(help="Picture to put behind.")] = None,
    blur: Annotated[
        float | None, typer.Option(help="Blur the background by this radius, px.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cut a photograph out: transparent PNG, new background, or blurred background."""
    import numpy as np

    from edgemat.artifacts.shipped import default_model, find_artifact
    from edgemat.images import (
        UNKNOWN,
        check_image_name,
        read_background,
        read_rgba,
        read_trimap,
        write_image,
    )
    from edgemat.matting.classical import METHODS
    from edgemat.matting.foreground import blur_background, cut_out, replace_background
    from edgemat.matting.matte import matte as compute_matte
    from edgemat.progress import progress_bar

    if background is not None and blur is not None:
        raise UsageError("--background and --blur exclude each other.", remedy="Give one of them.")
    check_image_name(output, transparent=background is None and blur is None)
    image, opacity = read_rgba(photo)
    known = None if trimap is None else read_trimap(trimap)
    behind = None if background is None else read_background(background)
    asked_model = known is None or bool((known == UNKNOWN).any())
    source: Path | str
    if model is None:
        source = default_model(needs_trimap=known is not None)
    else:
        source = str(model) if str(model) in METHODS else find_artifact(model)
    with progress_bar("matting") as show:
        alpha = compute_matte(image, known, model=source, progress=lambda done, _: show(done))
        if opacity is not None:  # what was erased already stays away
            alpha = np.minimum(alpha, opacity)
        if behind is not None:
            write_image(output, replace_background(image, alpha, behind))
        elif blur is not None:
            write_image(output, blur_background(image, alpha, blur))
        else:
            write_image(output, cut_out(image, alpha))
    if as_json:
        height, width = alpha.shape
        ran = str(source) if asked_model else None
        print_json({"output": str(output), "model": ran, "width": width, "height": height})
    else:
        after = f" with {Path(source).name}." if asked_model else " from the trimap alone."
        tables.show_path(out, output, before="Wrote ", after=after)
