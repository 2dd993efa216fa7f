"""Checks that a recipe asks of an adopted network what a traced program has."""

from __future__ import annotations

from edgemat.errors import EdgematError, UsageError
from edgemat.models.adopted.network import ADOPTED
from edgemat.recipe.adopted import adopted_start
from edgemat.recipe.schema import ModelSection
from edgemat.recipe.sections import TuneSection


def check_adopted(where: str, model: ModelSection) -> None:
    """Check that an adopted network is there, and that nothing is asked that it has not.

    Raises
    ------
    UsageError
        For the first key that is wrong; its text starts with `where`.
    """
    if model.train.start is None:
        raise UsageError(
            f'{where}.train.start: architecture = "adopted" is the network of an artefact.',
            remedy='Name the artefact that edgemat adopt wrote: start = "mine/matting".',
        )
    try:
        start = adopted_start(model)
    except EdgematError as error:
        raise UsageError(
            f"{where}.train.start: {error.message}",
            remedy="Name the float artefact that edgemat adopt wrote.",
        ) from error
    manifest, feeding = start.manifest, start.manifest.feeding
    if manifest.kind != "float" or manifest.architecture != ADOPTED:
        raise UsageError(
            f"{where}.train.start: {start.path.name} is no adopted network, but a {manifest.kind} "
            f"{manifest.architecture}.",
            remedy="Name the float artefact that edgemat adopt wrote.",
        )
    size = (feeding.height, feeding.width)
    if tuple(model.input_size) != size:
        raise UsageError(
            f"{where}.input_size: {start.path.name} takes {size[0]} x {size[1]} px alone.",
            remedy=f"Write input_size = [{size[0]}, {size[1]}], or adopt it at another --size.",
        )
    _check_crops(where, model, size)
    for key, given in _unknown_to_programs(model).items():
        if given:
            raise UsageError(
                f"{where}.{key}: an adopted network is a traced program, which has no such thing.",
                remedy="Leave it out.",
            )


def _check_crops(where: str, model: ModelSection, size: tuple[int, int]) -> None:
    """Check that all training is on squares of the only size."""
    trained: dict[str, TuneSection] = {}
    if model.train.steps:
        trained["train"] = model.train
    if model.prune is not None:
        trained["prune.tune"] = model.prune.tune
    if model.quantize.mode == "qat":
        trained["quantize.qat"] = model.quantize.qat
    for key, settings in trained.items():
        if size[0] != size[1]:
            raise UsageError(
                f"{where}.{key}: training has square crops, and this network takes {size[0]} x "
                f"{size[1]} px alone.",
                remedy="Adopt it once more with a square --size, or train nothing: steps = 0, "
                'mode = "ptq", no prune.',
            )
        if "size" in settings.model_fields_set and settings.size != size[0]:
            raise UsageError(
                f"{where}.{key}.size: this network takes {size[0]} px alone, not {settings.size}.",
                remedy="Leave it out.",
            )


def _unknown_to_programs(model: ModelSection) -> dict[str, bool]:
    """Return which keys ask for parts, arguments or sizes, and whether they are given."""
    train = model.train
    return {
        "config": bool(model.config),
        "train.before": bool(train.before),
        "train.bn": train.bn not in ("auto", "frozen"),
        "train.encoder_rate": train.encoder_rate != 1,
        "train.half_weights": train.half_weights,
        "train.trains": train.trains != "all",
        "train.unknown": train.unknown != "truth",
        "train.losses.cross_entropy": train.losses is not None and train.losses.cross_entropy > 0,
    }
