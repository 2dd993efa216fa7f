"""`edgemat matte`: cut a photograph out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgemat.cli import tables
from edgemat.cli.common import finite_numbers
from edgemat.errors import UsageError
from edgemat.terminal import AsJson, out, print_json

if TYPE_CHECKING:
    from edgemat.matting.foreign import Convention


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
    scale: Annotated[
        float | None, typer.Option(help="What another's .tflite takes for white: 1 or 255.")
    ] = None,
    mean: Annotated[
        str | None, typer.Option(help="... minus this: one number, or R,G,B, in units of --scale.")
    ] = None,
    std: Annotated[str | None, typer.Option(help="... over this, likewise.")] = None,
    logits: Annotated[bool, typer.Option("--logits", help="... whose output is logits.")] = False,
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
    from edgemat.matting.predict import load_predictor
    from edgemat.matting.predictor import Predictor
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
    network: Path | str | Predictor = source
    if logits or (scale, mean, std) != (None, None, None):
        network = load_predictor(source, convention=_convention(scale, mean, std, logits))
    with progress_bar("matting") as show:
        alpha = compute_matte(image, known, model=network, progress=lambda done, _: show(done))
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


def _convention(scale: float | None, mean: str | None, std: str | None, logits: bool) -> Convention:
    from edgemat.matting.foreign import Convention

    return Convention(
        scale=1.0 if scale is None else scale,
        mean=_numbers("--mean", mean) or (0.0,),
        std=_numbers("--std", std) or (1.0,),
        logits=logits,
    )


def _numbers(option: str, text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    numbers = finite_numbers(text)
    if len(numbers) not in (1, 3):
        raise UsageError(
            f"{option} {text!r} is neither one number nor three.",
            remedy=f"Write for example {option} 0.485,0.456,0.406.",
        )
    if option == "--std" and 0 in numbers:
        raise UsageError("A deviation of 0 divides by zero.", remedy="Give another --std.")
    return numbers
