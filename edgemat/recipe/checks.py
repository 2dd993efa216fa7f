"""Checks that a recipe can be met: networks exist, take the sizes, and files are there.

Apart from `edgemat.recipe.schema` because it imports torch, with the networks.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError
from torch import nn

from edgemat.artifacts.shipped import find_artifact, open_artifact
from edgemat.artifacts.weights import load_deploy
from edgemat.bench.devices.transports import find_transport
from edgemat.data.sections import BUILT_IN_SOURCES
from edgemat.errors import UsageError, nearest
from edgemat.models import MattingTask, ModelInfo, create_matting, list_models
from edgemat.models.adopted.network import ADOPTED
from edgemat.models.count import matting_on_paper, on_paper
from edgemat.models.deploy import to_deploy
from edgemat.models.network import MattingNetwork
from edgemat.models.pretrained.load import TORCHVISION, check_source
from edgemat.recipe.adopted import adopted_start, is_adopted, task_of
from edgemat.recipe.adopted_checks import check_adopted
from edgemat.recipe.schema import ModelSection, Recipe


def check_recipe(recipe: Recipe, path: Path) -> None:
    """Check what `recipe`, read from `path`, names outside of itself.

    Raises
    ------
    UsageError
        For a network, argument, kind of device, folder or file that does not exist, and for a size
        that the network cannot take.
    """
    for index, model in enumerate(recipe.models):
        check_network(f"{path}: models.{index}", model)
        _check_blocks(f"{path}: models.{index}", model)
    for index, spec in enumerate(recipe.bench.devices):
        _check_device(f"{path}: bench.devices.{index}", spec)
    _check_files(path, recipe)


def check_network(where: str, model: ModelSection) -> None:
    """Check the architecture's name, its arguments, and the sizes that it is to take.

    Raises
    ------
    UsageError
        For the first that is wrong; its text starts with `where`.
    """
    if is_adopted(model):
        check_adopted(where, model)
        _check_training(where, model, task_of(model), apart=False)
        return
    networks = {info.name: info for info in list_models() if info.is_matting}
    if model.architecture not in networks:
        raise UsageError(
            f"{where}.architecture: there is no matting network {model.architecture!r}.",
            remedy=nearest(model.architecture, networks),
        )
    info = networks[model.architecture]
    _check_config(f"{where}.config", model.config, info)
    stride = info.stride
    sizes = {"input_size": tuple(model.input_size), "train.size": (model.train.size,)}
    for number, phase in enumerate(model.train.before):
        sizes[f"train.before.{number}.size"] = (phase.size,)
    apart = issubclass(info.network, MattingNetwork) and info.network.segmentation is not None
    _check_training(where, model, info.matting_task, apart=apart)
    for key, sides in sizes.items():
        for side in sides:
            if side % stride:
                below = side // stride * stride
                raise UsageError(
                    f"{where}.{key}: {info.name} takes multiples of {stride} px, not {side}.",
                    remedy=f"Nearest: {below} or {below + stride}.",
                )


def _check_training(where: str, model: ModelSection, task: MattingTask, *, apart: bool) -> None:
    """Check the keys of a training that are for one task alone.

    Parameters
    ----------
    apart:
        Whether the network has parts that can be trained apart.
    """
    train, losses = model.train, model.train.losses
    portrait = {
        "trains": train.trains != "all",
        "parts": train.parts is not None,
        "unknown": train.unknown == "estimated",
        "losses.cross_entropy": losses is not None and losses.cross_entropy > 0,
        "augmentation": train.augmentation == "photographs",
    }
    trimap = {
        "prior": train.prior == "none",
        "augmentation": train.augmentation in ("indexnet", "gca"),
    }
    if train.trains != "all" and task == "portrait" and not apart:
        raise UsageError(
            f"{where}.train.trains: {model.architecture} has no parts that are trained apart.",
            remedy="Leave it out.",
        )
    wrong_task = portrait if task == "trimap" else trimap
    for key, given in wrong_task.items():
        if given:
            raise UsageError(
                f"{where}.train.{key}: {model.architecture} is a {task} network.",
                remedy="Leave it out.",
            )


def _check_blocks(where: str, model: ModelSection) -> None:
    """Check the names of the blocks that are to stay in float, which the network alone knows."""
    kept = {"in_float": model.quantize.keep_float, "w8a16": model.quantize.keep_w8a16}
    if not any(kept.values()):
        return
    from edgemat.quantize.blocks import check_blocks
    from edgemat.quantize.frozen import blank_input

    if is_adopted(model):
        deploy = load_deploy(adopted_start(model))
    else:
        deploy = to_deploy(create_matting(model.architecture, **model.config).eval())
    channels = 4 if task_of(model) == "trimap" else 3
    try:
        check_blocks(deploy, blank_input(channels, deploy.network), **kept)
    except UsageError as error:
        raise UsageError(f"{where}.quantize: {error.message}", remedy=error.remedy) from error


def _check_config(where: str, config: dict[str, Any], info: ModelInfo) -> None:
    """Check `config` against the arguments of the network's class."""
    types = get_type_hints(info.network.__init__)
    known = [name for name in inspect.signature(info.network).parameters if name != "in_channels"]
    for key, value in config.items():
        if key == "in_channels":  # the data decide: RGB, or RGB and trimap
            raise UsageError(
                f"{where}: in_channels of {info.name} is always {info.in_channels}.",
                remedy="Leave it out.",
            )
        if key not in known:
            raise UsageError(
                f"{where}: {info.name} has no argument {key!r}.", remedy=nearest(key, known)
            )
        annotation = types[key]
        if annotation in (int, float):
            annotation = Annotated[annotation, Field(gt=0, allow_inf_nan=False)]
        try:
            TypeAdapter[Any](annotation).validate_python(value, strict=True)
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise UsageError(
                f"{where}.{key}: {problem} (given: {value!r}).", remedy="Correct that value."
            ) from error


def _check_init(where: str, model: ModelSection, init: str) -> None:
    """Check that weights fit the encoder: each network's turn may come hours later."""
    if init != TORCHVISION and not Path(init).is_file():
        raise UsageError(
            f"{where}: there is no file {init}.",
            remedy='Name a checkpoint of the encoder, or "torchvision".',
        )
    network = matting_on_paper(model.architecture, **model.config)
    try:
        check_source(network.encoder, init)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", remedy=error.remedy) from error


def _check_encoder(where: str, model: ModelSection, named: str) -> None:
    """Check that another network's encoder is this one's, name by name and shape by shape."""
    manifest = open_artifact(named).manifest
    own = matting_on_paper(model.architecture, **model.config)
    theirs = None
    if manifest.kind == "float" and manifest.architecture != ADOPTED and manifest.pruning is None:
        theirs = on_paper(manifest.architecture, **manifest.config)
    if not isinstance(theirs, MattingNetwork) or _shapes(theirs.encoder) != _shapes(own.encoder):
        what = f"{manifest.name} ({manifest.kind} {manifest.architecture})"
        raise UsageError(
            f"{where}: {what} does not have this network's encoder.",
            remedy="Name the float artefact, not a pruned one, of a network with the same encoder "
            "and width.",
        )


def _shapes(encoder: nn.Module) -> Mapping[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}


def _check_device(where: str, spec: str) -> None:
    """Check that there is such a kind of device: else it is said after hours of training."""
    try:
        find_transport(spec)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", remedy=error.remedy) from error


def _check_files(path: Path, recipe: Recipe) -> None:
    """Check that what the recipe names on disk is there."""
    if recipe.photo != "astronaut" and not Path(recipe.photo).is_file():
        raise UsageError(
            f"{path}: photo: there is no file {recipe.photo}.",
            remedy='Name a picture, or "astronaut".',
        )
    if recipe.album is not None and not Path(recipe.album).is_dir():
        raise UsageError(
            f"{path}: album: there is no folder {recipe.album}.",
            remedy="Name a folder of photographs.",
        )
    for index, model in enumerate(recipe.models):
        where = f"{path}: models.{index}"
        for folder in sorted(model.folders()):
            if not Path(folder).is_dir():
                raise UsageError(
                    f"{where}.data: there is no folder {folder}.",
                    remedy="Name a folder of mattes, or one of "
                    + ", ".join(f'"{name}"' for name in BUILT_IN_SOURCES)
                    + ".",
                )
        if model.train.init is not None:
            _check_init(f"{where}.train.init", model, model.train.init)
        for key, named in model.train.named():
            try:
                find_artifact(named)
            except UsageError as error:
                raise UsageError(
                    f"{where}.train.{key}: {error.message}",
                    remedy="Name a float artefact, or train the recipe that makes it first.",
                ) from error
        if model.train.encoder is not None:
            _check_encoder(f"{where}.train.encoder", model, model.train.encoder)
