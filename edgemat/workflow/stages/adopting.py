"""Adoption: from anybody's network to a float artefact that needs her code no more."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.export import ExportedProgram

from edgemat.artifacts.artifact import Artifact, Cost, Feeding
from edgemat.artifacts.draft import Draft, write_artifact
from edgemat.artifacts.vocabulary import Fit
from edgemat.errors import UnsupportedError, UsageError
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models import MattingTask
from edgemat.models.adopted.adapted import Adapted
from edgemat.models.adopted.check import require_known_operators
from edgemat.models.adopted.network import ADOPTED, AdoptedNetwork
from edgemat.models.adopted.opening import require_numbers
from edgemat.models.adopted.program import PROGRAM, save_program, tensors_of
from edgemat.models.adopted.tracing import trace
from edgemat.models.count import count, count_parameters
from edgemat.models.deploy import DeployForm, to_deploy
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.workflow.stages.common import write_golden

OUTSIDE = 1e-3
"""How far mattes may lie outside of 0..1 before they are taken for scores."""
DIFFERENT = 1e-3
"""How far a deploy form's matte may be from its network's, RMS: 60 dB; float32 rounds to 1e-5."""


@dataclass(frozen=True)
class Reading:
    """How a stranger's network is fed and read.

    The fields are those of :class:`edgemat.models.adopted.adapted.Adapted`.
    """

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    output: str | None = None
    channel: int | None = None
    logits: bool = False


def trace_module(
    module: nn.Module, reading: Reading, *, size: tuple[int, int], channels: int, sure: bool = True
) -> ExportedProgram:
    """Return the program of a network for pictures of H,W, with what feeds and reads it.

    Parameters
    ----------
    sure:
        Whether an output that may not be the matte is refused, where none is named.

    Raises
    ------
    UnsupportedError, UsageError
        When it cannot be traced, fails at this size, or has weights that are not numbers.
    """
    own = copy.deepcopy(module)  # hers may go on training
    adapted = Adapted(own.eval().float(), **vars(reading), sure=sure).eval()
    program = trace(adapted, (channels, *size))
    require_numbers(tensors_of(program), type(module).__name__)  # tensors that are no buffers, too
    return program


def checked_deploy(network: AdoptedNetwork, program: ExportedProgram) -> DeployForm:
    """Return the deploy form of a network, once both give the same map in 0..1 of a picture's size.

    Parameters
    ----------
    program:
        Of `network`.

    Raises
    ------
    UnsupportedError, UsageError
        Where they do not, or an operation has no form that phones run.
    """
    require_known_operators(program)
    deploy = to_deploy(network)
    size = network.fixed_size
    example = torch.rand(1, network.channels, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        alpha = network(example).alpha
    if tuple(alpha.shape) != (1, 1, *size):
        raise UsageError(
            f"The network gives {' x '.join(map(str, alpha.shape))} for a picture of 1 x "
            f"{network.channels} x {size[0]} x {size[1]}.",
            remedy="It has to give one map B,1,H,W; choose among several by --map and --channel.",
        )
    if not torch.isfinite(alpha).all():
        raise UsageError(
            "The network's matte of a random picture has values that are no numbers.",
            remedy="Look for NaN in its weights, or for a division by zero.",
        )
    low, high = float(alpha.min()), float(alpha.max())
    if low < -OUTSIDE or high > 1 + OUTSIDE:
        raise UsageError(
            f"The network's matte of a random picture lies in {low:.2f}..{high:.2f}, not in 0..1.",
            remedy="Give --logits if these are scores before a sigmoid or softmax.",
        )
    with torch.no_grad():
        rewritten = deploy(example)
    off = float((rewritten - alpha.clamp(0, 1)).square().mean().sqrt())
    if not off <= DIFFERENT:
        raise UnsupportedError(
            f"Rewritten for phones, the network gives another matte of a random picture (RMS "
            f"{off:.3f}).",
            remedy="Take out what is random; if nothing is, edgemat is at fault: please report it.",
        )
    return deploy


def adopt_stage(
    program: ExportedProgram,
    network: AdoptedNetwork,
    deploy: DeployForm,
    validation: EvaluationSet,
    *,
    name: str,
    task: MattingTask,
    constants: Mapping[str, str],
    fit: Fit | None,
    licence: str,
    data_notice: str,
    out: Path,
) -> Artifact:
    """Write the float artefact of a program, with its mattes of the validation pictures.

    Parameters
    ----------
    network, deploy:
        Of the program; see :func:`checked_deploy`.
    constants:
        What the network took beside the picture, for the manifest.
    fit:
        How pictures of any size are brought to it; None for the task's own way.
    """
    alphas = predict_all(torch_predictor(deploy), validation)
    height, width = network.fixed_size

    def fill(folder: Path) -> None:
        save_program(program, folder / PROGRAM)
        write_golden(folder, validation, alphas)

    draft = Draft(
        payload=PROGRAM,
        name=name,
        kind="float",
        architecture=ADOPTED,
        config={"constants": dict(constants)} if constants else {},
        task=task,
        feeding=Feeding.of(
            4 if network.channels == 4 else 3,
            network.fixed_size,
            layout="NCHW",
            stride=network.stride,
            fit=fit,
        ),
        parent=None,
        cost=Cost(
            parameters=count_parameters(network),
            macs=count(deploy, (network.channels, height, width)),
        ),
        scores=score(alphas, validation),
        validation=validation.validation,
        demonstration=False,
        licence=licence,
        data_notice=data_notice,
    )
    return write_artifact(out, fill, draft)
