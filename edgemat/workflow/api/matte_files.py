"""Photographs and videos in files: cut out, one or thousands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.doctor import needs
from edgemat.errors import UsageError
from edgemat.matting.smoothing import SMOOTHING

if TYPE_CHECKING:
    from edgemat.matting.batch import Batch, Outcome
    from edgemat.matting.finish import Finish
    from edgemat.matting.foreign import Convention
    from edgemat.matting.matte import ModelLike


@needs()
def matte_files(
    sources: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    model: ModelLike | None = None,
    convention: Convention | None = None,
    trimap: Path | str | None = None,
    mask: Path | str | None = None,
    refine: bool | None = None,
    background: Path | str | None = None,
    blur: float | None = None,
    only_mask: bool = False,
    trimap_out: Path | str | None = None,
    suffix: str = ".png",
    smoothing: float = SMOOTHING,
    jobs: int = 1,
    ray: str | None = None,
    overwrite: bool = False,
    progress: Callable[[float, int], None] | None = None,
) -> list[Outcome]:
    """Cut pictures and videos out, from files into files.

    >>> import edgemat
    >>> for outcome in edgemat.matte_files("photo.jpg", "cutouts.png"):
    ...     print(outcome.job.target, outcome.error)
    cutouts.png None

    Parameters
    ----------
    sources:
        Files, folders, patterns such as ``"*.jpg"``.
    output:
        The result's name for one file; otherwise a folder, in which names are kept. A video becomes
        .mov (ProRes 4444), .webm (VP9), .mp4 (before a background), or pictures, ``"%06d.png"``.
    model:
        As for :func:`edgemat.matte`.
    convention:
        How another's .tflite file is fed, where its input does not say it.
    trimap, trimap_out:
        A trimap's file, or a folder with one for each picture; where to write the one that the
        matte suggests.
    mask:
        Likewise, a coarse matte of any size, another program's for example: in the place of a
        portrait model's, the trimap model refines it at full resolution.
    refine:
        Let the shipped trimap model look again, at full resolution, at what `model` is unsure of.
        By default photographs are refined where the shipped models are left to do it, without
        `model`, trimap or mask; videos are not.
    background, blur, only_mask:
        A picture's file to put behind, or a radius in px to blur what is behind, or the matte
        alone, instead of a transparent cut-out.
    suffix:
        Of pictures that are written into a folder.
    smoothing:
        Of videos: the share of each matte that is the one before's, 0 to below 1.
    jobs:
        Files at once.
    ray:
        A Ray cluster that does them, `jobs` of its CPUs: "local", "auto" or HOST:PORT.
    overwrite:
        Do what is there already again, too.
    progress:
        Called with the files that are done, also in parts of one, and their number.

    Returns
    -------
    list of Outcome
        One for each file, in the order in which they ended. One whose `error` is not None has no
        result.

    Raises
    ------
    UsageError
        Nothing is found, or a result's name is impossible.
    ArtifactError
        The model cannot be loaded.
    DiskError
        A result cannot be written.
    MissingToolError
        A package is not installed: PyAV, for videos. Or no cluster answers.
    """
    from edgemat.images import read_background
    from edgemat.matting.finish import Finish
    from edgemat.matting.jobs import Naming, is_one, plan

    finish = Finish(None if background is None else read_background(background), blur, only_mask)
    listed = [sources] if isinstance(sources, Path | str) else sources
    naming = Naming(
        Path(output),
        suffix,
        finish.transparent,
        None if trimap is None else Path(trimap),
        None if mask is None else Path(mask),
        None if trimap_out is None else Path(trimap_out),
    )
    planned = plan([Path(source) for source in listed], naming)
    batch = open_batch(
        finish,
        model=model,
        convention=convention,
        by_trimap=trimap is not None,
        by_mask=mask is not None,
        refine=refine,
        smoothing=smoothing,
        jobs=jobs,
        ray=ray,
        overwrite=overwrite,
        folder=None if is_one(planned, naming) else naming.output,
    )
    show = (lambda done: None) if progress is None else (lambda done: progress(done, len(planned)))
    return list(batch.run(planned, show))


def open_batch(
    finish: Finish,
    *,
    model: ModelLike | None,
    convention: Convention | None,
    by_trimap: bool,
    by_mask: bool,
    refine: bool | None,
    smoothing: float,
    jobs: int,
    ray: str | None,
    overwrite: bool,
    folder: Path | None,
) -> Batch:
    """Load a model, and return how files are cut out with it: see :func:`matte_files`.

    Parameters
    ----------
    by_trimap, by_mask:
        A trimap, or a coarse matte, comes with each picture.
    folder:
        Where several results go; None for a single file.
    """
    from edgemat.artifacts.shipped import default_model, find_artifact
    from edgemat.matting.batch import Batch
    from edgemat.matting.classical import METHODS
    from edgemat.matting.cutting import Cutter
    from edgemat.matting.made import Made
    from edgemat.matting.smoothing import Smoother

    if by_mask and refine is False:
        raise UsageError(
            "A coarse matte is there to be refined.", remedy="Leave --no-refine out, or the mask."
        )
    photographs_alone = refine is None
    if refine is None:
        refine = model is None and not (by_trimap or by_mask)
    if model is None:
        model = default_model(needs_trimap=by_trimap or by_mask)
    elif isinstance(model, Path | str) and model not in METHODS:
        model = find_artifact(model)
    if by_trimap and (refine or by_mask):
        raise UsageError(
            "With a trimap there is nothing to refine: it says where to look.",
            remedy="Leave --refine and --mask away, or the trimap.",
        )
    Smoother(smoothing)  # an impossible one is refused before the model is loaded
    refiner = default_model(needs_trimap=True) if refine and not by_mask else None
    cutter = Cutter(
        model,
        finish,
        convention=convention,
        workers=jobs,
        refiner=refiner,
        refines_all=not photographs_alone,
    )
    behind = b"" if finish.background is None else finish.background.tobytes()
    settings = {  # of videos, which resume by them
        "model": f"{model} {convention} {cutter.refiner_of(video=True)}",
        "finish": f"{finish.blur} {finish.only_mask} {hashlib.sha256(behind).hexdigest()}",
    }
    asked = settings | {
        "smoothing": str(smoothing),
        "photographs": f"{cutter.refiner_of(video=False)} {by_trimap} {by_mask}",
    }
    made = None if folder is None else Made(folder, asked)
    return Batch(cutter, smoothing, settings, jobs, overwrite, ray, made)
