"""Errors on a set of photographs at their own size, and how they grow with looser trimaps."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemat.doctor import needs
from edgemat.errors import DataWarning

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import MattingErrors
    from edgemat.artifacts.vocabulary import Region
    from edgemat.data.layouts.table import DatasetLayout
    from edgemat.data.split import Split
    from edgemat.scoring.pictures import Picture, PictureErrors, PictureProtocol, PictureProtocols
    from edgemat.scoring.ports import Port


@dataclass(frozen=True)
class SetErrors:
    """The errors of a model on a set, with trimaps of one kind.

    Attributes
    ----------
    dilation:
        Of the trimaps, least and most px; None for the set's own.
    categories:
        Category to the means of its pictures; empty for a set without categories.csv.
    trimap_miou:
        Of the trimaps that the network itself estimates, in 0..1, over all pictures in a letterbox;
        None for a network that estimates none, or meets pictures otherwise.
    validation:
        What the pictures have to do with those that a training on the set takes, in words.
    """

    dilation: tuple[int, int] | None
    means: dict[Region, MattingErrors]
    pictures: list[PictureErrors]
    categories: dict[str, dict[Region, MattingErrors]]
    trimap_miou: float | None
    validation: str

    @property
    def trimaps(self) -> str:
        """The trimaps, for people."""
        return "of the set" if self.dilation is None else "by {}-{} px".format(*self.dilation)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return {
            "dilation": self.dilation,
            "means": _to_json(self.means),
            "categories": {name: _to_json(means) for name, means in self.categories.items()},
            "trimap_miou": self.trimap_miou,
            "validation": self.validation,
            "empty_truths": [one.name for one in self.pictures if one.empty],
            "pictures": {one.name: _to_json(one.errors) for one in self.pictures},
        }


def _to_json(means: Mapping[Region, MattingErrors]) -> dict[str, Any]:
    return {region: value.model_dump() for region, value in means.items()}


@needs()
def evaluate_photographs(
    model: str,
    dataset: Path | str,
    *,
    layout: DatasetLayout = "own",
    port: Port = "matlab",
    protocol: PictureProtocol = "app",
    dilations: Sequence[tuple[int, int]] = (),
    hidden: bool = False,
    everything: bool = False,
    processes: int = 1,
    ray: str | None = None,
    worst: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[SetErrors]:
    """Score a model on photographs at their own size, once for each range of dilations.

    Parameters
    ----------
    model:
        A float artefact or a .tflite file, by folder or name, or "closed-form" or "knn".
    dataset, layout:
        Folder of photographs with mattes; its held-out part is taken, unless `everything`.
    port:
        Whose program counts the errors; see :mod:`edgemat.scoring.ports`.
    protocol:
        See :data:`edgemat.scoring.pictures.PictureProtocol`.
    dilations:
        Ranges of px by which trimaps are made anew; none takes those of the set.
    hidden:
        Whether the model is shown a trimap that is unknown everywhere.
    processes, ray:
        Photographs at once, here or on a cluster; see :func:`edgemat.spread.spread`.
    worst:
        Picture file for the ten photographs with the largest errors.

    Raises
    ------
    UsageError
        For a folder that is laid out otherwise, a categories.csv that does not fit it, a protocol
        that does not fit the model, or a name that no picture can have.
    """
    from edgemat.data.categories import read_categories
    from edgemat.data.folder import files_split
    from edgemat.data.layouts.table import find_mattes
    from edgemat.errors import UsageError
    from edgemat.images import check_image_name
    from edgemat.matting.classical import METHODS
    from edgemat.scoring.own_trimap import mean_trimap_iou
    from edgemat.scoring.pictures import PictureProtocols, mean_errors, photographs, score_rounds

    if worst is not None:
        check_image_name(worst)
    path = Path(dataset)
    if not path.is_dir():
        raise UsageError(
            f"There is no data folder {path}.", remedy="Name a folder of photographs with mattes."
        )
    files = find_mattes(path, layout=layout, use="image" if layout == "own" else "auto")
    split = files_split(files, path)
    validation = _words(split, everything)
    if model not in METHODS and (everything or not split.held_out):
        warnings.warn(f"{path}: {validation}", DataWarning, stacklevel=3)
    names = split.names("all" if everything else "held-out")
    pictures = photographs(files, names)
    categories = read_categories(path, names)
    rounds: list[tuple[int, int] | None] = list(dilations) or [None]
    protocols = [
        # its own trimap does not depend on those that are made
        PictureProtocols(model, protocol, port, dilation, hidden, own_trimap=number == 0)
        for number, dilation in enumerate(rounds)
    ]
    scored = score_rounds(pictures, protocols, processes=processes, ray=ray, progress=progress)
    trimap_miou = mean_trimap_iou(one.trimap for one in scored[0])
    measured = []
    for dilation, found in zip(rounds, scored, strict=True):
        by_category = {
            category: mean_errors([one for one in found if categories[one.name] == category])
            for category in sorted({*categories.values()})
        }
        measured.append(
            SetErrors(dilation, mean_errors(found), found, by_category, trimap_miou, validation)
        )
    _say_what_is_empty(measured[0].pictures)
    if worst is not None:
        _draw_worst(pictures, measured[0].pictures, protocols[0], worst)
    return measured


def _words(split: Split, everything: bool) -> str:
    """Say what the pictures that are judged have to do with those that a training takes."""
    kept = f"split {split.sha256[:8]}"
    trained = "of a model that was trained on them, these are errors on training pictures"
    if not split.held_out:
        return f"too few pictures to keep any from training ({kept}): {trained}."
    if everything:
        return f"{len(split.train)} of them are what a training takes ({kept}): {trained}."
    return f"held out of training on this set ({kept})."


def _say_what_is_empty(found: Sequence[PictureErrors]) -> None:
    """Warn of truths without foreground: errors there tell how much of nothing was found."""
    empty = [one.name for one in found if one.empty]
    if empty:
        shown = ", ".join(empty[:5]) + (", ..." if len(empty) > 5 else "")
        warnings.warn(
            f"{len(empty)} of {len(found)} true mattes are empty ({shown}): a matte of nothing has "
            "no error there. If they are not meant to be, leave them out.",
            DataWarning,
            stacklevel=4,
        )


def _draw_worst(
    pictures: Sequence[Picture],
    found: Sequence[PictureErrors],
    settings: PictureProtocols,
    file: Path,
) -> None:
    from edgemat.bench.peers.sheet import draw_sheet, make_strip
    from edgemat.images import write_image
    from edgemat.scoring.pictures import predict_picture, worst

    places = {picture.name: number for number, picture in enumerate(pictures)}
    strips = []
    for one in worst(found):
        number = places[one.name]
        image, truth, alpha = predict_picture(pictures[number], settings, number)
        note = f"SAD {one.errors['whole'].sad:.2f}"
        strips.append(
            make_strip(one.name, image, truth, {settings.model: alpha}, {settings.model: note})
        )
    write_image(file, draw_sheet(strips, [settings.model]))
