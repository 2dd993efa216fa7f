"""`edgemat matte`: cut photographs and videos out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgemat.cli import tables
from edgemat.cli.common import RayOption, finite_numbers
from edgemat.errors import EdgematError, UsageError
from edgemat.terminal import AsJson, err, out, print_json, show_error

if TYPE_CHECKING:
    from edgemat.matting.batch import Batch, Outcome
    from edgemat.matting.foreign import Convention
    from edgemat.matting.jobs import Job, Naming

PIPE = Path("-")
MAX_PIPE_BYTES = 1 << 30
"""Of a picture that comes through a pipe."""
PICTURE_FAILED = 1
"""Exit status where some of several files have no result."""


def matte(
    context: typer.Context,
    sources: Annotated[
        list[Path],
        typer.Argument(help="Pictures, videos, folders, patterns; - for standard input."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File; folder for several; - for standard output; %06d.png for a video's frames.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Artefact, .tflite, shipped model (default: its int8 file), closed-form or knn."
        ),
    ] = None,
    trimap: Annotated[
        Path | None,
        typer.Option(help="Black background, grey unknown, white foreground; or a folder of such."),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(help="A coarse matte from elsewhere, to be refined; or a folder of such."),
    ] = None,
    refine: Annotated[
        bool | None,
        typer.Option(
            "--refine/--no-refine",
            help="Look at hair and edges again, at full resolution: slower. Of itself for "
            "photographs, unless a model, trimap or mask is given.",
            show_default=False,
        ),
    ] = None,
    background: Annotated[Path | None, typer.Option(help="Picture to put behind.")] = None,
    blur: Annotated[
        float | None, typer.Option(help="Blur the background by this radius, px.")
    ] = None,
    only_mask: Annotated[
        bool, typer.Option("--only-mask", help="Write the matte itself, in grey.")
    ] = False,
    trimap_out: Annotated[
        Path | None, typer.Option(help="Write the trimap that the matte suggests, too.")
    ] = None,
    kind: Annotated[
        str, typer.Option("--format", help="png, jpg, webp, tiff, avif: in a folder or a pipe.")
    ] = "png",
    smooth: Annotated[
        float, typer.Option(help="Videos: the share of a matte that is the one before's, 0 to 1.")
    ] = 0.3,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Files at once.")] = 1,
    ray: RayOption = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Do again what the folder has already.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with whatever comes, until Ctrl-C.")
    ] = False,
    scale: Annotated[
        float | None, typer.Option(help="What another's .tflite takes for white: 1 or 255.")
    ] = None,
    mean: Annotated[
        str | None, typer.Option(help="... minus this: one number, or R,G,B, in units of --scale.")
    ] = None,
    std: Annotated[str | None, typer.Option(help="... over this, likewise.")] = None,
    logits: Annotated[bool, typer.Option("--logits", help="... whose output is logits.")] = False,
    as_json: AsJson = False,
) -> int:
    """Cut photographs and videos out: transparent, before a new background, or a blurred one."""
    from edgemat.images import read_background
    from edgemat.matting.finish import Finish
    from edgemat.matting.jobs import Naming, is_one, plan
    from edgemat.workflow.api.matte_files import open_batch

    if output is None and sources != [PIPE]:
        raise typer.BadParameter("is missing", ctx=context, param_hint="--output")
    output = PIPE if output is None else output
    finish = Finish(None if background is None else read_background(background), blur, only_mask)
    naming = Naming(output, f".{kind.lstrip('.')}", finish.transparent, trimap, mask, trimap_out)
    piped = PIPE in (output, *sources)
    if piped or watch:
        _refuse_without_files(as_json=as_json, ray=ray)
    planned = [] if piped or watch else plan(sources, naming)
    if piped:
        _check_pipe(sources, naming, watch)
    convention = None
    if logits or (scale, mean, std) != (None, None, None):
        convention = _convention(scale, mean, std, logits)
    one = is_one(planned, naming)
    batch = open_batch(
        finish,
        model=None if model is None else str(model),
        convention=convention,
        by_trimap=trimap is not None,
        by_mask=mask is not None,
        refine=refine,
        smoothing=smooth,
        jobs=jobs,
        ray=ray,
        overwrite=overwrite or one,
        folder=None if one or piped else output,
    )
    if piped:
        _through_pipe(batch, sources[0], naming)
        return 0
    if watch:
        _watch(batch, sources, naming)
    if one:
        _one(batch, planned[0], as_json)
        return 0
    return _several(batch, planned, as_json)


def _refuse_without_files(*, as_json: bool, ray: str | None) -> None:
    """Refuse what is for files that are there, where pictures are yet to come."""
    if as_json:
        raise UsageError(
            "--json tells what was done at the end, and of files alone.",
            remedy="Leave --json out, or - and --watch.",
        )
    if ray is not None:
        raise UsageError(
            "--ray is for files that are there.", remedy="Leave --ray out, or - and --watch."
        )


def _check_pipe(sources: Sequence[Path], naming: Naming, watch: bool) -> None:
    """Refuse, before anything is read, what does not fit a pipe."""
    from edgemat.images import check_image_name

    if len(sources) != 1 or watch:
        raise UsageError(
            "Through a pipe goes one picture.", remedy="Name - alone, without --watch."
        )
    check_image_name(_name_in_pipe(naming), transparent=naming.transparent)
    if naming.trimap_out is not None:
        check_image_name(naming.trimap_out)
    if naming.output == PIPE and sys.stdout.isatty():
        raise UsageError(
            "A picture is not for a terminal to show.", remedy="Give -o FILE, or > FILE."
        )


def _name_in_pipe(naming: Naming) -> Path:
    return Path(f"stdout{naming.suffix}") if naming.output == PIPE else naming.output


def _through_pipe(batch: Batch, source: Path, naming: Naming) -> None:
    from edgemat.images import PictureBytes, PictureFile
    from edgemat.matting.pictures import PictureSink, cut_picture

    picture: PictureFile = source
    if source == PIPE:
        content = sys.stdin.buffer.read(MAX_PIPE_BYTES + 1)
        if len(content) > MAX_PIPE_BYTES:
            raise UsageError(
                "Standard input has more than a gigabyte.", remedy="Scale the picture down first."
            )
        picture = PictureBytes(content, "Standard input")
    pipe = sys.stdout.buffer if naming.output == PIPE else None
    sink = PictureSink(_name_in_pipe(naming), naming.trimap_out, pipe)
    cut_picture(picture, sink, batch.cutter, trimap=naming.trimap, mask=naming.mask)


def _one(batch: Batch, job: Job, as_json: bool) -> None:
    """Cut one file out: what is wrong with it is the command's error."""
    from edgemat.images import image_size
    from edgemat.progress import share_bar

    with share_bar("matting") as show:
        (outcome,) = batch.run([job], lambda share: show(round(1000 * share), 1000))
    if outcome.error is not None:
        raise outcome.error
    model = batch.cutter.name if outcome.asked_model else None
    height, width = (0, 0) if job.is_video else image_size(job.target)
    refiner = None
    if outcome.asked_model:
        refiner = batch.cutter.refiner_of(video=job.is_video, pixels=height * width)
    if as_json:
        told: dict[str, str | int | None] = {"output": str(job.target), "model": model}
        told["refined_by"] = refiner
        if not job.is_video:
            told["height"], told["width"] = height, width
        print_json(told)
    else:
        names = " and ".join(Path(one).name for one in (model, refiner) if one is not None)
        after = f" with {names}." if names else " from what was given alone."
        tables.show_path(out, job.target, before="Wrote ", after=after)


def _several(batch: Batch, jobs: Sequence[Job], as_json: bool) -> int:
    """Cut many files out; those that failed are named at the end."""
    from edgemat.progress import progress_bar

    with progress_bar("matting", len(jobs)) as show:
        outcomes = list(batch.run(jobs, lambda done: show(int(done))))
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    skipped = [outcome for outcome in outcomes if outcome.skipped]
    written = [o for o in outcomes if o.error is None and not o.skipped]
    if as_json:
        print_json(
            {
                "written": [str(outcome.job.target) for outcome in written],
                "skipped": [str(outcome.job.target) for outcome in skipped],
                "failed": [{"source": str(o.job.source), "error": str(o.error)} for o in failed],
            }
        )
    else:
        out.print(f"{len(written)} written, {len(skipped)} there already, {len(failed)} failed.")
        for error in _errors(failed):
            show_error(error)
    return PICTURE_FAILED if failed else 0


def _errors(outcomes: Sequence[Outcome]) -> Iterator[EdgematError]:
    """Yield what is wrong; each says which file it is of."""
    for outcome in outcomes:
        error, name = outcome.error, str(outcome.job.source)
        if error is not None:
            if name not in error.message:
                error.message = f"{name}: {error.message}"
            yield error


def _watch(batch: Batch, sources: Sequence[Path], naming: Naming) -> None:
    """Cut out what comes, and say so in a line each, until Ctrl-C."""
    from edgemat.matting.jobs import plan
    from edgemat.matting.watch import watch

    if not all(source.is_dir() for source in sources):
        raise UsageError("--watch is for folders.", remedy="Name a folder that exists.")
    err.print("Watching; Ctrl-C ends it.")
    for outcome in watch(batch, lambda: plan(sources, naming, may_be_empty=True)):
        if outcome.error is not None:
            for error in _errors([outcome]):
                show_error(error)
        else:
            tables.show_path(out, outcome.job.target, before="Wrote ", after=".")


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
