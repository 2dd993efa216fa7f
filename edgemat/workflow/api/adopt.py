"""Networks that are not edgemat's: adopt one, or see beforehand what will become of it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.doctor import needs
from edgemat.errors import InputWarning, UsageError
from edgemat.images import MIN_SIDE
from edgemat.workflow.api.opening import require_fit, section_for

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram

    from edgemat.artifacts.artifact import Artifact
    from edgemat.artifacts.vocabulary import Fit
    from edgemat.models import MattingTask
    from edgemat.models.adopted.check import Expectation
    from edgemat.workflow.api.opening import DataLike
    from edgemat.workflow.stages.adopting import Reading

UNKNOWN_LICENCE = "unknown: that of the network's owner"
UNKNOWN_DATA = "Not trained by edgemat: ask the network's owner what it was trained on."
LARGEST_SIDE = 4096


@needs("train")
def adopt(
    network: nn.Module | Path | str,
    *,
    weights: Path | str | None = None,
    size: tuple[int, int] | None = None,
    trimap: bool = False,
    name: str | None = None,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    map: str | None = None,
    channel: int | None = None,
    logits: bool = False,
    fit: Fit | None = None,
    licence: str = UNKNOWN_LICENCE,
    data_notice: str = UNKNOWN_DATA,
    data: DataLike = None,
    images: int = 16,
    output: Path | str = ".",
) -> Artifact:
    """Make a float artefact of any network; from there on everything works as with edgemat's own.

    >>> import edgemat, torch
    >>> conv = torch.nn.Conv2d(3, 1, 3, padding=1)
    >>> mine = edgemat.adopt(conv, size=(64, 64), logits=True, name="mine", images=1)
    >>> edgemat.load(mine)(torch.rand(1, 3, 64, 64)).alpha.shape
    torch.Size([1, 1, 64, 64])

    Parameters
    ----------
    network:
        A module, "package.module:factory", the name of an entry point in the group
        ``edgemat.models``, or a .pt2 file of ``torch.export``. It maps B,C,H,W, C = 3 or, with a
        trimap (0, 128/255, 1) in the last channel, 4, to a map of that size or of a divided one.
    weights:
        A state dict, .pth or .safetensors, for a network that a factory makes.
    size:
        H, W of the pictures, each of 32 to 4096 px; a .pt2 file has its own.
    trimap:
        Whether the network takes a trimap.
    name:
        Of the artefact; by default the factory's.
    mean, std:
        What the network expects taken off R, G, B in 0..1, and to be divided by.
    map, channel:
        Which of several outputs, by key or number, and which channel of it; by default the first
        output, and the second of two channels.
    logits:
        Whether the output is scores, before a sigmoid or, with several channels, a softmax.
    fit:
        How a picture of any size is brought to it: "resize", stretched to its size, "pad",
        "letterbox" or "tiles"; by default a letterbox, or tiles with a trimap.
    licence, data_notice:
        For the manifest, which goes with every file made from it.
    data, images:
        Validation composites that the artefact is scored on.
    output:
        Folder for the artefact.

    Raises
    ------
    UsageError
        For a name that is no network, weights that do not fit, an output that is no matte, a
        letterbox for a network with a trimap.
    UnsupportedError
        When ``torch.export`` cannot trace it, it takes more than a picture, or has an operation
        that no phone's runtime has; the line is named.
    """
    from edgemat.models.adopted.network import AdoptedNetwork
    from edgemat.scoring.validation import VALIDATION_SEED, evaluation_set
    from edgemat.workflow.stages.adopting import adopt_stage, checked_deploy

    reading = _reading(mean, std, map, channel, logits)
    chosen = _name(network) if name is None else name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", chosen):
        raise UsageError(
            f"{chosen!r} cannot be an artefact's name.",
            remedy="Give --name of letters, digits, '.', '_' and '-'.",
        )
    _check_fit(chosen, fit, trimap=trimap)
    program, constants = _program(network, weights, size, trimap, reading)
    adopted = AdoptedNetwork(program).eval()
    _check_fit(chosen, fit, trimap=adopted.channels == 4)  # a stored program says it first here
    deploy = checked_deploy(adopted, program)
    task: MattingTask = "trimap" if adopted.channels == 4 else "portrait"
    section = section_for(task, data)
    validation = evaluation_set(
        section, task=task, size=adopted.fixed_size, count=images, seed=VALIDATION_SEED
    )
    return adopt_stage(
        program,
        adopted,
        deploy,
        validation,
        name=chosen,
        task=task,
        constants=constants,
        fit=fit,
        licence=licence,
        data_notice=data_notice,
        out=Path(output),
    )


@needs("train")
def check(
    network: nn.Module | Path | str,
    *,
    size: tuple[int, int] | None = None,
    trimap: bool = False,
) -> Expectation:
    """Say what will become of a network on phones, before any work is done.

    >>> import edgemat, torch
    >>> found = edgemat.check(torch.nn.Conv2d(3, 1, 3, padding=1), size=(64, 64))
    >>> [(row.operator, row.arithmetic) for row in found.operators], found.partitions
    ([('aten.conv2d', 'int8')], 1)

    Parameters
    ----------
    network, size, trimap:
        As for :func:`adopt`.

    Raises
    ------
    UsageError, UnsupportedError
        As :func:`adopt`; what no runtime has is part of the answer.
    """
    from edgemat.models.adopted.check import expect
    from edgemat.workflow.stages.adopting import Reading

    return expect(*_program(network, None, size, trimap, Reading(), sure=False))


def _check_fit(name: str, fit: Fit | None, *, trimap: bool) -> None:
    require_fit(fit)
    if fit == "letterbox" and trimap:
        raise UsageError(
            f"{name} takes a trimap, and a letterbox is for networks without one.",
            remedy="Give --fit resize, pad or tiles.",
        )


def _check_size(size: tuple[int, int]) -> None:
    """Check that there are pictures of this size to try a network on, and memory for it."""
    if not all(MIN_SIDE <= side <= LARGEST_SIDE for side in size):
        raise UsageError(
            f"Pictures of {size[0]} x {size[1]} px cannot be fed.",
            remedy=f"Let the network take sides of {MIN_SIDE} to {LARGEST_SIDE} px.",
        )


def _program(
    network: nn.Module | Path | str,
    weights: Path | str | None,
    size: tuple[int, int] | None,
    trimap: bool,
    reading: Reading,
    *,
    sure: bool = True,
) -> tuple[ExportedProgram, dict[str, str]]:
    """Return the program of a network by whatever name, and its constant inputs beside the picture.

    What feeds and reads the network is in the program.
    """
    from edgemat.models.adopted.network import Traced
    from edgemat.models.adopted.opening import (
        load_weights,
        open_module,
        require_numbers,
        require_small,
    )
    from edgemat.models.adopted.program import (
        gives_one_map,
        load_program,
        shape_of_input,
    )
    from edgemat.models.adopted.tracing import constant_inputs, in_core_operators, require_one_input
    from edgemat.workflow.stages.adopting import Reading, trace_module

    channels = 4 if trimap else 3
    if isinstance(network, Path | str) and str(network).endswith(".pt2"):
        if weights is not None:
            raise UsageError("A .pt2 file has its own weights.", remedy="Leave --weights away.")
        path = Path(network)
        program = in_core_operators(load_program(path), path)
        own = shape_of_input(program, path)
        if size is not None and tuple(size) != own[1:]:
            raise UsageError(
                f"{path} was traced for {own[1]} x {own[2]} px.", remedy="Leave --size away."
            )
        _check_size(own[1:])
        if trimap and own[0] != 4:
            raise UsageError(f"{path} takes no trimap.", remedy="Leave --trimap away.")
        if reading == Reading() and gives_one_map(program):
            return program, {}
        traced = Traced(program)
        return trace_module(traced, reading, size=own[1:], channels=own[0], sure=sure), {}
    if size is None:
        raise UsageError("The pictures' size is missing.", remedy="Give --size HEIGHT WIDTH.")
    _check_size(size)
    module = open_module(str(network)) if isinstance(network, Path | str) else network
    require_one_input(module)
    require_small(module)
    if weights is not None:
        load_weights(module, Path(weights))
    own_tensors = (*module.named_parameters(), *module.named_buffers())
    require_numbers(own_tensors, type(module).__name__)
    program = trace_module(module, reading, size=size, channels=channels, sure=sure)
    constants = constant_inputs(module)
    if constants:
        named = ", ".join(f"{name} = {value}" for name, value in constants.items())
        text = f"{type(module).__name__} has further inputs, which are constants: {named}."
        warnings.warn(f"{text} Bind others in a module around it.", InputWarning, stacklevel=3)
    return program, constants


def _reading(
    mean: Sequence[float],
    std: Sequence[float],
    map: str | None,
    channel: int | None,
    logits: bool,
) -> Reading:
    from edgemat.workflow.stages.adopting import Reading

    for option, numbers in (("mean", mean), ("std", std)):
        if len(numbers) not in (0, 3):
            raise UsageError(
                f"--{option} has {len(numbers)} numbers.", remedy="Give one each for R, G, B."
            )
    if any(number <= 0 for number in std):
        raise UsageError("--std has a number that is not above 0.", remedy="Give deviations.")
    return Reading(tuple(mean), tuple(std), map, channel, logits)


def _name(network: nn.Module | Path | str) -> str:
    if isinstance(network, Path | str):
        text = str(network)
        return Path(text).stem if text.endswith(".pt2") else re.split(r"[:.]", text)[-1]
    return type(network).__name__
