"""Pruning: from a float artefact to one with fewer channels, in rounds of pruning and training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from torch import Tensor
from torch.utils.data import default_collate

from edgemat.artifacts.artifact import PRUNED_SUFFIX, Artifact, Cost, Pruning
from edgemat.artifacts.draft import draft_child, write_artifact
from edgemat.artifacts.weights import load_network
from edgemat.data.open import open_data
from edgemat.data.sample import MatteSource
from edgemat.data.sections import DataSection
from edgemat.errors import TrainingError, UsageError
from edgemat.files import atomic_path
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models.adopted.network import ADOPTED
from edgemat.models.count import count, count_parameters
from edgemat.models.deploy import to_deploy
from edgemat.models.info import MattingTask
from edgemat.models.network import MattingNetwork
from edgemat.models.pruned import fit_channels, settle_channels, shapes_of
from edgemat.models.weights_file import read_weights_file
from edgemat.progress import progress_bar
from edgemat.recipe.sections import PruneSection
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.training.loop import LOG, train
from edgemat.training.objective import compute_loss
from edgemat.training.schedule import Schedule
from edgemat.workflow.stages.common import at_only_size, fill_network
from edgemat.workflow.stages.training import schedule_of, training_data

if TYPE_CHECKING:
    from edgemat.quantize.pruning.budget import CostModel

START = "start.safetensors"
# Streams of pictures that no other stage reads.
IMPORTANCE_STREAM, TUNE_STREAM = 60, 70


def prune_stage(
    source: Artifact,
    data: DataSection,
    validation: EvaluationSet,
    settings: PruneSection,
    *,
    work: Path,
    out: Path,
    seed: int,
    device: str = "auto",
) -> Artifact:
    """Prune a float artefact to a share of its cost, with `source` as the teacher.

    Resumes from what is in `work`: rounds that are pruned, and the checkpoint of a training.

    Raises
    ------
    UsageError
        When the target cannot be reached, or is reached already.
    """
    from edgemat.quantize.pruning.prune import cost_of
    from edgemat.quantize.pruning.trace import trace_channels

    manifest = source.manifest
    tune = at_only_size(manifest, settings.tune)
    settings = settings.model_copy(update={"tune": tune})
    feeding = manifest.feeding
    shape = (feeding.channels, feeding.height, feeding.width)
    network, teacher = load_network(source), load_network(source)
    pictures = open_data(data, seed=seed, size=(tune.size, tune.size))
    cost = _cost_model(settings)
    graph = trace_channels(network, torch.zeros(1, *shape))
    full = cost_of(graph, cost)
    keep = settings.share_of(full)
    for number in range(settings.rounds):
        share = 1 - (1 - keep) * (number + 1) / settings.rounds
        folder = work / f"round-{number}"
        title = f"{manifest.name}: round {number + 1} of {settings.rounds}"
        with progress_bar(f"{title}, pruning to {share:.0%}"):
            _prune_to(
                network,
                share * full,
                cost,
                shape,
                settings,
                pictures,
                folder,
                manifest.matting_task,
                seed,
            )
        train(
            network,
            training_data(
                pictures, tune, task=manifest.matting_task, seed=seed + TUNE_STREAM + number
            ),
            task=manifest.matting_task,
            schedule=schedule_of(tune),
            folder=folder,
            teacher=teacher,
            seed=seed,
            device=device,
            title=f"{title}, training",
        )
    return _write(
        source,
        network,
        settings,
        validation,
        out=out,
        left_alone=graph.left_alone,
        log=work / f"round-{settings.rounds - 1}" / LOG,
    )


def _write(
    source: Artifact,
    network: MattingNetwork,
    settings: PruneSection,
    validation: EvaluationSet,
    *,
    out: Path,
    left_alone: Set[str],
    log: Path,
) -> Artifact:
    """Matte the validation pictures with the pruned network, and write its artefact."""
    manifest = source.manifest
    shape = (manifest.feeding.channels, manifest.feeding.height, manifest.feeding.width)
    deploy, adopted = to_deploy(network), manifest.architecture == ADOPTED
    alphas = predict_all(torch_predictor(deploy), validation)
    draft = replace(
        draft_child(source),
        name=manifest.name + PRUNED_SUFFIX,
        cost=Cost(
            parameters=count_parameters(network), macs=count(deploy if adopted else network, shape)
        ),
        pruning=Pruning(
            importance=settings.importance,
            macs_before=manifest.cost.macs,
            parameters_before=manifest.cost.parameters,
            left_alone=tuple(sorted(left_alone)),
        ),
        scores=score(alphas, validation),
        validation=validation.validation,
    )
    return write_artifact(
        out,
        lambda folder: fill_network(folder, network, log, validation, alphas),
        draft,
    )


def _prune_to(
    network: MattingNetwork,
    goal: float,
    cost: CostModel,
    shape: tuple[int, int, int],
    settings: PruneSection,
    pictures: MatteSource,
    folder: Path,
    task: MattingTask,
    seed: int,
) -> None:
    """Prune `network`, in place, to `goal`; or take what a killed run left in `folder`."""
    from edgemat.quantize.pruning.prune import prune

    example = torch.zeros(1, *shape)
    saved = folder / START
    if saved.exists():
        try:
            state = read_weights_file(saved)
            fit_channels(network, shapes_of(state))
            network.load_state_dict(state)
            settle_channels(network, example)
        except (UsageError, RuntimeError) as error:
            raise TrainingError(
                f"{saved} is damaged.", remedy="Delete it: the pruning then begins anew."
            ) from error
        return
    prune(
        network,
        example,
        goal,
        importance=settings.importance,
        cost=cost,
        losses=_losses(network, settings, pictures, task, seed),
    )
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(saved) as temporary:
        temporary.write_bytes(safetensors.torch.save(network.state_dict()))


def _cost_model(settings: PruneSection) -> CostModel:
    from edgemat.quantize.pruning.budget import macs

    if settings.cost == "macs":
        return macs
    from edgemat.bench.layer_costs import HostLayerCosts

    return HostLayerCosts()


def _losses(
    network: MattingNetwork,
    settings: PruneSection,
    pictures: MatteSource,
    task: MattingTask,
    seed: int,
) -> Iterator[Callable[[], Tensor]]:
    """Give the matting loss of `network` on one batch after another."""
    tune = settings.tune
    data = training_data(pictures, tune, task=task, seed=seed + IMPORTANCE_STREAM)
    schedule = schedule_of(tune)
    for number in range(settings.batches):
        items = [data[number * tune.batch + i] for i in range(tune.batch)]
        batch: dict[str, Tensor] = default_collate(items)
        yield partial(_total_loss, network, batch, task, schedule)


def _total_loss(
    network: MattingNetwork, batch: dict[str, Tensor], task: MattingTask, schedule: Schedule
) -> Tensor:
    return compute_loss(network, batch, task, schedule=schedule).total
