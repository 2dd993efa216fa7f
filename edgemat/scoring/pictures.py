"""Errors on photographs at their own size, as the tables of papers have them, in many processes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from edgemat.artifacts.artifact import MattingErrors
from edgemat.artifacts.shipped import find_artifact
from edgemat.artifacts.vocabulary import ERROR_NAMES, Region
from edgemat.data.layouts.files import MatteFiles, StoredFile
from edgemat.data.sample import rng_for
from edgemat.data.trimap import fixed_trimap
from edgemat.errors import UsageError
from edgemat.images import (
    F32,
    U8,
    UNKNOWN,
    check_same_size,
    read_grey,
    read_image,
    read_trimap,
    resize,
    to_float,
)
from edgemat.matting.classical import METHODS, load_solver
from edgemat.matting.matte import matte
from edgemat.matting.predict import load_predictor
from edgemat.matting.predictor import AnySizePredictor, Predictor
from edgemat.scoring.evaluate import keep_known
from edgemat.scoring.own_trimap import Counts, trimap_counts
from edgemat.scoring.ports import Port, errors_by
from edgemat.spread import lost, spread

PictureProtocol = Literal["app", "resize", "reflect"]
"""How a network meets a picture of another size.

"app": as :func:`edgemat.matte` does, in tiles or in a letterbox. The others show the whole picture
to a float network: "resize" scales it to multiples of the network's stride, as IndexNet's code
does, "reflect" continues it there by its own mirror image, as A2U's does.
"""
DILATION = 10
"""Of trimaps that nobody drew, px; where no range is asked for."""
_TRIMAP = 40  # key of the random stream; see `rng_for`


@dataclass(frozen=True)
class PictureProtocols:
    """Everything but the pictures that figures depend on.

    Attributes
    ----------
    model:
        An artefact's folder or name, a .tflite file, "closed-form" or "knn".
    dilation:
        Least and most px by which the unknown region of made trimaps reaches beyond partial
        alphas, drawn for each picture; None takes the set's own trimaps, and 10 px without one.
    hidden:
        Whether the model is shown a trimap that is unknown everywhere.
    own_trimap:
        Whether the trimap that the network itself estimates is judged, too, where the protocol is
        "app": it depends on nothing but the picture.
    """

    model: str
    protocol: PictureProtocol = "app"
    port: Port = "matlab"
    dilation: tuple[int, int] | None = None
    hidden: bool = False
    own_trimap: bool = True


class Picture(NamedTuple):
    """One photograph with its truth, by files."""

    name: str
    image: StoredFile
    alpha: StoredFile
    trimap: StoredFile | None


@dataclass(frozen=True)
class PictureErrors:
    """The errors of one photograph's matte; without "unknown" where nothing is unknown.

    Attributes
    ----------
    trimap:
        Of the network's own trimap; None for one that estimates none, or where it is not judged.
    empty:
        Whether its truth has no foreground at all: a matte of nothing then is without an error.
    """

    name: str
    errors: dict[Region, MattingErrors]
    trimap: Counts | None = None
    empty: bool = False


def photographs(files: MatteFiles, names: Sequence[str]) -> list[Picture]:
    """Return the photographs of a set by name.

    Raises
    ------
    UsageError
        For a set of foregrounds, which have no photograph yet.
    """
    if files.has_layers:
        raise UsageError(
            "These are foregrounds, not photographs.",
            remedy="Put them over backgrounds: edgemat data compose-published, or compose.",
        )
    return [Picture(n, files.colours[n], files.alphas[n], files.trimaps.get(n)) for n in names]


def score_rounds(
    pictures: Sequence[Picture],
    rounds: Sequence[PictureProtocols],
    *,
    processes: int = 1,
    ray: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[list[PictureErrors]]:
    """Score a model on photographs once for each of several protocols; a list for each of these.

    Parameters
    ----------
    rounds:
        Of one model, met in one way.
    processes, ray:
        Photographs at once, here or on a cluster; see :func:`edgemat.spread.spread`.
    progress:
        Called with the number of mattes done and of all.

    Raises
    ------
    UsageError
        When a protocol does not fit the model, or the model cannot take a trimap.
    ImageError
        For a damaged picture.
    MissingToolError
        When no cluster answers.
    """
    for protocols in rounds:  # what is wrong is said before processes start
        _open(protocols.model, protocols.protocol)
    tasks = [(one, number, picture) for one in rounds for number, picture in enumerate(pictures)]
    found: dict[int, PictureErrors] = {}
    with contextlib.closing(spread(_score, tasks, workers=processes, ray=ray)) as done:
        for number, one in done:
            if one is None:
                raise lost(tasks[number][2].name)
            found[number] = one
            if progress is not None:
                progress(len(found), len(tasks))
    inside = range(len(pictures))
    return [[found[n * len(pictures) + place] for place in inside] for n in range(len(rounds))]


def check_models(models: Sequence[str], protocol: PictureProtocol, *, hidden: bool = False) -> None:
    """Open each of several models, so that what is wrong with one is said before all are run.

    Raises
    ------
    UsageError
        For a model that is not there, that does not fit the protocol or needs the trimap that is
        `hidden`, or is named twice, by one name or by two paths that end alike.
    MissingToolError
        For a classical method without pymatting.
    """
    for number, model in enumerate(models):
        if Path(model).name in {Path(other).name for other in models[:number]}:
            raise UsageError(
                f"Two models are called {Path(model).name}.",
                remedy="Name each once; the @HASH of folders tells two of one name apart.",
            )
        _open(model, protocol)
        if model in METHODS:
            load_solver(model)
            if hidden:
                raise UsageError(
                    f"{model} matting needs the trimap.", remedy="Leave out it, or --no-trimap."
                )


def mean_errors(found: Sequence[PictureErrors]) -> dict[Region, MattingErrors]:
    """Return the mean over photographs, for each region that any has."""
    regions: tuple[Region, ...] = ("unknown", "whole")
    means: dict[Region, MattingErrors] = {}
    for region in regions:
        errors = [one.errors[region] for one in found if region in one.errors]
        if errors:
            mean = {name: float(np.mean([e.of(name) for e in errors])) for name in ERROR_NAMES}
            means[region] = MattingErrors(**mean)
    return means


def worst(found: Sequence[PictureErrors], count: int = 10) -> list[PictureErrors]:
    """Return the photographs with the largest SAD over the whole picture, the worst first."""
    return sorted(found, key=lambda one: -one.errors["whole"].sad)[:count]


def predict_picture(
    picture: Picture, protocols: PictureProtocols, number: int
) -> tuple[U8, F32, F32]:
    """Return a photograph, its true alpha, and the model's."""
    image, truth, trimap = _read(picture, protocols, number)
    return image, truth, _matte(image, trimap, protocols)


def _score(task: tuple[PictureProtocols, int, Picture]) -> PictureErrors:
    protocols, number, picture = task
    image, truth, trimap = _read(picture, protocols, number)
    alpha = _matte(image, trimap, protocols)
    errors = {"whole": errors_by(protocols.port, alpha, truth, trimap=trimap, region="whole")}
    if (trimap == UNKNOWN).any():
        errors["unknown"] = errors_by(protocols.port, alpha, truth, trimap=trimap)
    own = None
    if protocols.own_trimap and protocols.protocol == "app":
        own = trimap_counts(_open(protocols.model, protocols.protocol), image, truth)
    return PictureErrors(picture.name, errors, own, not truth.any())  # type: ignore[arg-type]  # regions, by names


def _read(picture: Picture, protocols: PictureProtocols, number: int) -> tuple[U8, F32, U8]:
    image, truth = read_image(picture.image), read_grey(picture.alpha)
    check_same_size(image, truth, names=(str(picture.image), str(picture.alpha)))
    if protocols.dilation is not None:
        low, high = protocols.dilation
        reach = int(rng_for(low, number, _TRIMAP).integers(low, high + 1))
    elif picture.trimap is not None:
        trimap = read_trimap(picture.trimap)
        check_same_size(image, trimap, names=(str(picture.image), str(picture.trimap)))
        return image, truth, trimap
    else:
        reach = DILATION
    return image, truth, fixed_trimap(truth, dilation=reach)


def _matte(image: U8, trimap: U8, protocols: PictureProtocols) -> F32:
    shown = np.full_like(trimap, UNKNOWN) if protocols.hidden else trimap
    model = _open(protocols.model, protocols.protocol)
    if isinstance(model, str):
        alpha = matte(image, shown, model=model)
    else:
        takes = model.feeding.channels == 4
        if protocols.protocol == "app":
            return matte(image, shown if takes else None, model=model)
        alpha = _whole(image, shown if takes else None, model, protocols.protocol)
        alpha = keep_known(alpha, shown) if takes else alpha
    return alpha


def _whole(image: U8, trimap: U8 | None, model: Predictor, protocol: PictureProtocol) -> F32:
    """Show a network the whole picture at once."""
    size, stride = image.shape[:2], model.feeding.stride
    wanted = tuple(math.ceil(side / stride) * stride for side in size)
    pads = [(0, want - side) for want, side in zip(wanted, size, strict=True)]

    def fitted(plane: U8, *, nearest: bool) -> U8:
        if protocol == "resize":
            return resize(plane, (wanted[0], wanted[1]), method="nearest" if nearest else "bicubic")
        return np.pad(plane, [*pads, (0, 0)][: plane.ndim], mode="reflect")

    planes = [to_float(fitted(image, nearest=False))]
    if trimap is not None:
        planes.append(to_float(fitted(trimap, nearest=True))[..., None])
    alpha = model.predict(np.concatenate(planes, axis=2)[None])[0, ..., 0]
    if protocol == "resize":
        alpha = resize(alpha, (size[0], size[1]))
    return np.clip(alpha[: size[0], : size[1]], 0, 1)


@lru_cache(maxsize=1)
def _open(model: str, protocol: PictureProtocol) -> Predictor | str:
    """Return a loaded model, once for each process; a classical method is its name."""
    if model in METHODS:
        if protocol != "app":
            raise UsageError(
                f"{model} sees every picture as it is.", remedy='Leave the protocol at "app".'
            )
        return model
    path = Path(model)
    named = path if path.suffix == ".tflite" else find_artifact(model)
    predictor = load_predictor(named, threads=1)
    takes_any = isinstance(predictor, AnySizePredictor) and predictor.any_size
    if protocol != "app" and not takes_any:
        raise UsageError(
            f"{named.name} takes pictures of one size.",
            remedy=f'"{protocol}" is for float networks of any size; leave the protocol at "app".',
        )
    return predictor
