"""Training: from a recipe's section to a float artefact."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.artifacts.artifact import TRAINING_LOG, Artifact, Card, Cost, Feeding
from edgemat.artifacts.draft import Draft, write_artifact
from edgemat.artifacts.shipped import open_artifact
from edgemat.artifacts.weights import load_network
from edgemat.data.dataset import MattingDataset, Views
from edgemat.data.open import open_data
from edgemat.data.sample import MatteSource
from edgemat.data.trimap import classes_from_trimap
from edgemat.errors import TrainingWarning, UsageError
from edgemat.matting.predictor import Predict
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models import MattingTask, create_matting
from edgemat.models.adopted.network import AdoptedNetwork
from edgemat.models.adopted.program import PROGRAM
from edgemat.models.count import count, count_parameters
from edgemat.models.deploy import DeployForm, to_deploy
from edgemat.models.info import IN_CHANNELS
from edgemat.models.network import MattingNetwork
from edgemat.models.pretrained.load import load_encoder
from edgemat.recipe.adopted import is_adopted, task_of
from edgemat.recipe.network import NetworkSection
from edgemat.recipe.sections import PhaseSection, TrainSection, TuneSection
from edgemat.scoring.evaluate import (
    EvaluationSet,
    mean_sad,
    predict_all,
    score,
    without_prior,
)
from edgemat.scoring.metrics import trimap_miou
from edgemat.training.loop import LOG, train
from edgemat.training.schedule import DETAIL_RAMP, Phase, Schedule
from edgemat.training.selection import Selection
from edgemat.workflow.stages.common import (
    WEIGHTS,
    at_only_size,
    fill_float,
    fill_network,
    torch_input,
)
from edgemat.workflow.stages.starting import (
    blend_in,
    start_from_all,
    start_from_encoder,
    start_from_two,
)

DRAWN_DATA = "Trained on procedural pictures made by edgemat; no photographs."


@dataclass(frozen=True)
class Notices:
    """The notices of an artefact, beside what was measured of it.

    Attributes
    ----------
    data_notice, card:
        None for those of the weights that training starts from, and of its teacher.
    """

    licence: str
    data_notice: str | None
    demonstration: bool
    card: Card | None


def train_stage(
    section: NetworkSection,
    validation: EvaluationSet,
    notices: Notices,
    *,
    recipe_sha256: str,
    seed: int,
    work: Path,
    out: Path,
    device: str = "auto",
) -> Artifact:
    """Train one network of a recipe; resumes from a checkpoint in `work` if there is one.

    With no steps the weights that the section starts from become an artefact of this run.
    """
    task = task_of(section)
    torch.manual_seed(seed)
    seen, started = _opened(section.train.encoder), _opened(section.train.start)
    network = _create(section, started, seen)
    adopted = isinstance(network, AdoptedNetwork)
    if adopted and started is not None and section.train.steps:
        settings = at_only_size(started.manifest, section.train)
        section = section.model_copy(update={"train": settings})
    sources = [] if started is None else [started]
    taught_by = _opened(section.train.teacher)
    teacher = None if taught_by is None else _load_teacher(taught_by, task, section.train)
    if section.train.parts is not None:
        sources += start_from_two(network, section.train.parts)
    if section.train.steps:
        errors = _sad_on(validation, hidden=section.train.prior == "none")
        learn = partial(_train, network, section, task, work, teacher, seed=seed, device=device)
        if sources:  # what they bring must not be lost
            before_sad = errors(network)
            learn(selection=Selection(errors, work))
            _say_if_worse(section.name, before_sad, errors(network))
        else:
            learn(selection=None)
        log = work / LOG
    else:
        log = sources[-1].path / TRAINING_LOG
    if section.train.blend is not None:
        sources.append(blend_in(network, section.train.blend))
    weights = _stored_weights(network.eval(), half=section.train.half_weights)
    deploy = to_deploy(network)
    alphas = predict_all(_predictor(deploy, hidden=section.train.prior == "none"), validation)
    before = None if started is None else started.manifest
    channels, size = IN_CHANNELS[task], section.input_size

    def fill(folder: Path) -> None:
        if adopted:
            fill_network(folder, network, log, validation, alphas)
        else:
            fill_float(folder, weights, log, validation, alphas)

    draft = Draft(
        payload=PROGRAM if adopted else WEIGHTS,
        name=section.name,
        kind="float",
        architecture=section.architecture,
        config=before.config if adopted and before is not None else section.config,
        task=task,
        feeding=Feeding.of(
            channels,
            size,
            layout="NCHW",
            stride=network.stride,
            fit=None if before is None else before.feeding.fit,
        ),
        parent=None,
        recipe_sha256=recipe_sha256,
        seed=seed,
        cost=Cost(
            parameters=count_parameters(network),
            macs=count(deploy if adopted else network, (channels, *size)),
        ),
        scores=score(alphas, validation),
        validation=validation.validation,
        trimap_miou=None if task == "trimap" or adopted else _trimap_miou(network, validation),
        demonstration=notices.demonstration,
        licence=notices.licence,
        data_notice=notices.data_notice or _notice_of([*filter(None, [seen]), *sources], taught_by),
        card=notices.card or (before.card if before else None),
    )
    return write_artifact(out, fill, draft)


def _opened(name: str | None) -> Artifact | None:
    return None if name is None else open_artifact(name)


def _stored_weights(network: MattingNetwork, *, half: bool) -> dict[str, Tensor]:
    """Return the weights as an artefact keeps them; `network` has them too, in place.

    Parameters
    ----------
    half:
        Whether kernels are kept in float16.
    """
    weights = network.state_dict()
    if half:
        weights = {name: w.half() if w.ndim == 4 else w for name, w in weights.items()}
        network.load_state_dict(weights)  # what is measured and quantized is what is stored
    return weights


def _predictor(deploy: DeployForm, *, hidden: bool) -> Predict:
    """Return what runs a deploy form; `hidden`: it is not shown the trimaps."""
    predict = torch_predictor(deploy)
    return without_prior(predict) if hidden else predict


def _create(
    section: NetworkSection, started: Artifact | None, seen: Artifact | None
) -> MattingNetwork:
    """Return the network to train, with the weights that it starts from but those of `parts`.

    Parameters
    ----------
    started, seen:
        The artefacts that `train.start` and `train.encoder` name, if they do.
    """
    if is_adopted(section):
        assert started is not None
        return load_network(started)
    network = create_matting(section.architecture, **section.config)
    if section.train.init is not None:
        load_encoder(_trained_encoder(network, section.train), section.train.init)
    if seen is not None:
        start_from_encoder(network, seen)
    if started is not None:
        start_from_all(network, started)
    return network


def _train(
    network: MattingNetwork,
    section: NetworkSection,
    task: MattingTask,
    work: Path,
    teacher: MattingNetwork | None,
    *,
    selection: Selection[MattingNetwork] | None,
    seed: int,
    device: str,
) -> None:
    """Train `network`, in place, as its section says."""
    if not isinstance(network, AdoptedNetwork):  # whose views were traced with channels first
        network = network.to(memory_format=torch.channels_last)
    settings = section.train
    *before, last = _phases(section, task, seed)
    train(
        network,
        last.data,
        before=before,
        encoder=network.encoder,
        fixed=_fixed_parts(network, settings),
        task=task,
        schedule=schedule_of(settings),
        folder=work,
        teacher=teacher,
        selection=selection,
        seed=seed,
        device=device,
        title=f"{section.name}: training",
    )


def _sad_on(validation: EvaluationSet, *, hidden: bool) -> Callable[[MattingNetwork], float]:
    """Return what gives a network's mean SAD over whole validation pictures, in thousands.

    Parameters
    ----------
    hidden:
        Whether the network is not shown the trimaps.
    """

    def error(network: MattingNetwork) -> float:
        predict = _predictor(to_deploy(network), hidden=hidden)
        return mean_sad(predict_all(predict, validation), validation)

    return error


def _notice_of(sources: Sequence[Artifact], taught_by: Artifact | None) -> str:
    """Return what has to be said of the data when the recipe says nothing: what others left in."""
    told = dict.fromkeys(source.manifest.data_notice for source in sources)
    own = " ".join(told) or DRAWN_DATA
    if taught_by is None or taught_by.manifest.data_notice == own:
        return own
    manifest = taught_by.manifest
    learned = f"Learned from the mattes of {manifest.name}: {manifest.data_notice}"
    return learned if own == DRAWN_DATA else f"{own} {learned}"


def _say_if_worse(name: str, before: float, after: float) -> None:
    if after > before:
        text = (
            f"{name} is worse than the network that it started from: SAD {after:.3f} instead of "
            f"{before:.3f} on the validation pictures, at its best. Lower learning_rate, or give "
            "more data like those of before."
        )
        warnings.warn(text, TrainingWarning, stacklevel=2)


def schedule_of(settings: TuneSection) -> Schedule:
    """Return a recipe's section as the training loop takes it: what both have goes by its name."""
    named = {field.name for field in fields(Schedule)} & set(type(settings).model_fields)
    chosen = {name: getattr(settings, name) for name in named} | {"bn": settings.statistics}
    if chosen.get("losses") is not None:
        chosen["losses"] = chosen["losses"].model_dump()
    ramp = DETAIL_RAMP if isinstance(settings, TrainSection) else 0.0
    return Schedule(**chosen, detail_ramp=ramp)


def training_data(
    source: MatteSource,
    phase: PhaseSection,
    *,
    task: MattingTask,
    seed: int,
    settings: TrainSection | None = None,
) -> MattingDataset:
    """Return the augmented pictures of one phase of a training.

    Parameters
    ----------
    settings:
        Says how they are augmented, unless by the task.
    """
    views: Views = "people" if task == "portrait" else "edges"
    if settings is not None and settings.augmentation != "auto":
        views = settings.augmentation
    return MattingDataset(
        source,
        size=(phase.size, phase.size),
        seed=seed,
        length=phase.steps * phase.batch,
        views=views,
        strong=() if settings is None else settings.strong,
    )


def _trained_encoder(network: MattingNetwork, settings: TrainSection) -> nn.Module:
    """Return the encoder that starts from ImageNet: of two, that of what is trained."""
    if settings.trains == "segmentation" and network.segmentation is not None:
        return network.get_submodule(network.segmentation[0])
    return network.encoder


def _fixed_parts(network: MattingNetwork, settings: TrainSection) -> list[nn.Module]:
    """Return the modules that stay as they are where one part alone is trained."""
    if settings.trains == "all":
        return []
    return network.parts("matting" if settings.trains == "segmentation" else "segmentation")


def _load_teacher(trained: Artifact, task: MattingTask, settings: TrainSection) -> MattingNetwork:
    if trained.manifest.task != task:
        raise UsageError(
            f"{trained.path.name} is a {trained.manifest.task} network, this one a {task} one.",
            remedy="train.teacher needs a float artefact of the same task.",
        )
    network = load_network(trained)
    for phase in (*settings.before, settings):
        size = (phase.size, phase.size)
        if phase.size % network.stride or network.fixed_size not in (None, size):
            takes = f"multiples of {network.stride}"
            if network.fixed_size is not None:
                takes = "{} x {}".format(*network.fixed_size)
            raise UsageError(
                f"{trained.path.name} takes {takes} px, and pictures of {phase.size} px are "
                "trained on.",
                remedy="Give such sizes, or another train.teacher.",
            )
    return network


def _phases(section: NetworkSection, task: MattingTask, seed: int) -> list[Phase]:
    """Return the phases of the training, the last one last; they read one source."""
    settings = section.train
    source = open_data(section.data, seed=seed, size=(settings.size, settings.size))
    return [
        Phase(
            training_data(source, phase, task=task, seed=seed + number, settings=settings),
            phase.steps,
            phase.batch,
        )
        for number, phase in enumerate((*settings.before, settings))
    ]


def _trimap_miou(network: MattingNetwork, data: EvaluationSet) -> float:
    """Return the mean IoU of a portrait network's own trimap (thesis, Table 6.5)."""
    found = []
    for index in range(len(data)):
        with torch.no_grad():
            logits = network(torch_input(data, index)).trimap_logits
        assert logits is not None  # every portrait network of edgemat's estimates its trimap
        logits = F.interpolate(
            logits, size=data.alphas.shape[1:], mode="bilinear", align_corners=False
        )
        found.append(logits.argmax(dim=1)[0].numpy())
    return trimap_miou(np.stack(found), classes_from_trimap(data.trimaps))
