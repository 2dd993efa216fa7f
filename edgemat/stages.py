"""What the pipeline and the command line do to artefacts: each stage takes one and returns one.

This module stands above all four packages, as `cli`, `pipeline` and `report` do.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convert.parity import (
    LayerTable,
    compare,
    compare_layers,
    file_predictors,
    torch_predictor,
)
from convert.proof import prove_int8
from convert.target import Target, find_target
from convert.tflite import convert_tflite
from edgemat.artifact import (
    GOLDEN,
    MATTES,
    QUANT,
    QUANTIZED_SUFFIX,
    TRAINING_LOG,
    Agreement,
    Artifact,
    Calibration,
    Cost,
    Feeding,
    Scores,
    write_artifact,
)
from edgemat.data.dataset import MattingDataset
from edgemat.data.open import open_source
from edgemat.data.trimap import classes_from_trimap
from edgemat.errors import UsageError
from edgemat.evaluate import F32, PIXEL_SCALE, EvaluationSet, Region, predict_all, score
from edgemat.loading import load_deploy, load_reference
from edgemat.metrics import trimap_miou
from edgemat.models import create_model, model_info
from edgemat.models.count import count_operations, count_parameters
from edgemat.models.deploy import DeployForm, prepare_for_float16, to_deploy
from edgemat.models.layers import MattingNetwork
from edgemat.models.mobilenetv2 import MobileNetV2
from edgemat.models.pretrained import load_encoder
from edgemat.progress import progress_bar, track
from edgemat.recipe import DataSection, ModelSection, Recipe
from edgemat.train import LOG, Schedule, train
from edgemat.validation import CALIBRATION_SEED, evaluation_set

WEIGHTS = "weights.safetensors"
GOLDEN_IMAGES = 2


@dataclass(frozen=True)
class Verified:
    """What running a file showed.

    Attributes
    ----------
    alphas:
        N,H,W float32, the file's mattes on the validation set.
    layers:
        For int8 TFLite files, tensor by tensor against the frozen model.
    """

    agreements: tuple[Agreement, ...]
    scores: dict[Region, Scores]
    alphas: F32
    layers: LayerTable | None = None


def train_stage(
    section: ModelSection,
    recipe: Recipe,
    validation: EvaluationSet,
    *,
    work: Path,
    out: Path,
    device: str = "auto",
) -> Artifact:
    """Train one network of a recipe; goes on from a checkpoint in `work` if there is one."""
    info = model_info(section.architecture)
    torch.manual_seed(recipe.seed)
    network = create_model(section.architecture, **section.config)
    if section.train.init is not None:
        assert isinstance(network.encoder, MobileNetV2)
        load_encoder(network.encoder, section.train.init)
    network = network.to(memory_format=torch.channels_last)
    size = (section.train.size, section.train.size)
    dataset = MattingDataset(
        open_source(section.data.source, seed=recipe.seed, size=size, kinds=section.data.kinds),
        size=size,
        seed=recipe.seed,
        length=section.train.steps * section.train.batch,
    )
    settings = section.train
    schedule = Schedule(
        steps=settings.steps,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        encoder_rate=settings.encoder_rate,
        warmup=settings.warmup,
        autocast=settings.autocast,
        checkpoint_every=settings.checkpoint_every,
        workers=settings.workers,
    )
    train(
        network,
        dataset,
        task=info.task,
        schedule=schedule,
        folder=work,
        seed=recipe.seed,
        device=device,
        title=f"{section.name}: training",
    )
    deploy = to_deploy(network)
    alphas = predict_all(torch_predictor(deploy), validation)
    channels, (height, width) = info.in_channels, section.input_size

    def fill(folder: Path) -> None:
        _save_weights(folder, network.state_dict())
        shutil.copyfile(work / LOG, folder / TRAINING_LOG)
        np.savez(
            folder / GOLDEN,
            pixels=validation.pixels[:GOLDEN_IMAGES],
            alphas=alphas[:GOLDEN_IMAGES],
            truths=validation.alphas[:GOLDEN_IMAGES],
        )
        _save_mattes(folder, alphas)

    return write_artifact(
        out,
        fill,
        payload=WEIGHTS,
        name=section.name,
        kind="float",
        architecture=section.architecture,
        config=section.config,
        task=info.task,
        feeding=Feeding(
            layout="NCHW",
            height=height,
            width=width,
            channels=channels,
            stride=network.stride,
            trimap_channel=3 if channels == 4 else None,
        ),
        parent=None,
        recipe_sha256=recipe.sha256,
        seed=recipe.seed,
        cost=Cost(
            parameters=count_parameters(network),
            macs=count_operations(network, (channels, height, width)),
        ),
        scores=score(alphas, validation),
        trimap_miou=_trimap_miou(network, validation) if info.task == "portrait" else None,
        demonstration=recipe.demonstration,
        licence=recipe.licence,
        data_notice=recipe.data_notice,
    )


def quantize_stage(
    source: Artifact, data: DataSection, validation: EvaluationSet, *, count: int, out: Path
) -> Artifact:
    """Quantize a float artefact to int8 by NNCF's post-training quantization."""
    from quantize.frozen import freeze
    from quantize.ptq import quantize_ptq

    manifest = source.manifest
    seed = CALIBRATION_SEED + (manifest.seed or 0)
    calibration = evaluation_set(
        data,
        task=manifest.task,
        size=(manifest.feeding.height, manifest.feeding.width),
        count=count,
        seed=seed,
    )
    inputs = [_torch_input(calibration, index) for index in range(count)]
    deploy = load_deploy(source)
    with progress_bar(f"{manifest.name}: quantizing with NNCF"):
        quantized = quantize_ptq(deploy, inputs)
    frozen = freeze(quantized.deploy, quantized.spec)
    alphas = _predict(frozen, validation, f"{manifest.name}: scoring the frozen model")
    references = _predict(deploy, validation, f"{manifest.name}: scoring float")

    def fill(folder: Path) -> None:
        _save_weights(folder, quantized.deploy.state_dict())
        quantized.spec.save(folder / QUANT)
        shutil.copyfile(source.golden, folder / GOLDEN)
        _save_mattes(folder, alphas)

    return write_artifact(
        out,
        fill,
        payload=WEIGHTS,
        **_inherited(source) | {"name": manifest.name + QUANTIZED_SUFFIX},
        kind="quantized",
        feeding=manifest.feeding,
        calibration=Calibration(count=count, seed=seed, sha256=calibration.sha256),
        scores=score(alphas, validation),
        agreements=(compare(alphas, references, reference="float", runtime="torch"),),
    )


def convert_stage(
    source: Artifact, target_name: str, validation: EvaluationSet, *, out: Path
) -> tuple[Artifact, Verified]:
    """Convert an artefact to one mobile file, run the file, and write down what was found.

    Parameters
    ----------
    source:
        Float artefact for float targets, quantized artefact for int8.
    """
    target = find_target(target_name)
    manifest = source.manifest
    expected = "quantized" if target.quantized else "float"
    if manifest.kind != expected:
        raise UsageError(
            f"{target.name} is made from a {expected} artefact, {source.path.name} is "
            f"{manifest.kind}.",
            remedy="Quantize the float artefact first."
            if target.quantized
            else "Give the float artefact.",
        )
    model = load_reference(source)
    height, width, channels = (
        manifest.feeding.height,
        manifest.feeding.width,
        manifest.feeding.channels,
    )
    card = {
        "name": manifest.name,
        "target": target.name,
        "architecture": manifest.architecture,
        "task": manifest.task,
        "feeding": _feeding(source, target).model_dump(),
        "parent": manifest.payload_sha256,
        "licence": manifest.licence,
        "data_notice": manifest.data_notice,
        "demonstration": manifest.demonstration,
    }
    scratch = out / f".converting-{manifest.name}-{target.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        path = scratch / target.payload
        with progress_bar(f"{manifest.name}: converting to {target.name}"):
            if target.runtime == "tflite":
                shape = (channels, height, width)
                convert_tflite(model, path, target=target, shape=shape, metadata=card)
            else:
                _convert_coreml(model, path, target, source, card)
        verified = verify_file(path, target, source, validation)
        proof = None
        if target.quantized:
            from quantize.spec import QuantSpec

            proof = prove_int8(path, target=target, spec=QuantSpec.load(source.quant))

        def fill(folder: Path) -> None:
            path.rename(folder / target.payload)
            shutil.copyfile(source.golden, folder / GOLDEN)
            _save_mattes(folder, verified.alphas)
            if target.quantized:
                shutil.copyfile(source.quant, folder / QUANT)

        artifact = write_artifact(
            out,
            fill,
            payload=target.payload,
            **_inherited(source) | {"name": f"{manifest.model}-{target.name}"},
            kind=target.runtime,
            target=target.name,
            feeding=_feeding(source, target),
            calibration=manifest.calibration,
            scores=verified.scores,
            agreements=verified.agreements,
            int8_proof=proof,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return artifact, verified


def verify_file(
    path: Path, target: Target, source: Artifact, validation: EvaluationSet
) -> Verified:
    """Run a mobile file on the validation set and compare it with the model it was made from."""
    model = load_reference(source)
    references = _predict(model, validation, f"{target.name}: running the reference")
    agreements, first = [], None
    for runtime, predict in file_predictors(path, target).items():
        indices = track(range(len(validation)), f"{target.name}: {runtime}", len(validation))
        alphas = np.concatenate([predict(validation.inputs(i))[..., 0] for i in indices])
        agreements.append(compare(alphas, references, reference=target.reference, runtime=runtime))
        first = alphas if first is None else first
    assert first is not None
    layers = None
    if target.name == "tflite-int8":
        layers = compare_layers(path, model, validation)
    return Verified(tuple(agreements), score(first, validation), first, layers)


def _convert_coreml(
    model: nn.Module, path: Path, target: Target, source: Artifact, card: dict[str, Any]
) -> None:
    import json

    from convert.coreml import convert_coreml

    feeding = source.manifest.feeding
    precision: Literal["fp32", "fp16"] = "fp16" if target.precision == "fp16" else "fp32"
    pixel_scale = float(PIXEL_SCALE)
    if isinstance(model, DeployForm) and precision == "fp16":
        model, pixel_scale = prepare_for_float16(model, pixel_scale), 1.0
    convert_coreml(
        model,
        path,
        height=feeding.height,
        width=feeding.width,
        channels=feeding.channels,
        precision=precision,
        quantized=target.quantized,
        metadata={"edgemat": json.dumps(card, sort_keys=True)},
        licence=source.manifest.licence,
        author="edgemat",
        pixel_scale=pixel_scale,
        description=f"{source.manifest.name}: alpha matting, {source.manifest.data_notice}",
    )


def _feeding(source: Artifact, target: Target) -> Feeding:
    layout = "NHWC" if target.runtime == "tflite" else "image"
    return source.manifest.feeding.model_copy(update={"layout": layout})


def _inherited(source: Artifact) -> dict[str, Any]:
    """Return what a child's manifest has in common with its parent's."""
    manifest = source.manifest
    names = ("name", "architecture", "config", "task", "recipe_sha256", "seed", "cost")
    notices = ("demonstration", "licence", "data_notice")
    common = {name: getattr(manifest, name) for name in (*names, *notices)}
    return common | {"parent": manifest.payload_sha256}


def _predict(model: nn.Module, data: EvaluationSet, title: str) -> F32:
    predict = torch_predictor(model)
    indices: Sequence[int] = range(len(data))
    return np.concatenate(
        [predict(data.inputs(i))[..., 0] for i in track(indices, title, len(data))]
    )


def _trimap_miou(network: MattingNetwork, data: EvaluationSet) -> float:
    """Return the mean IoU of a portrait network's own trimap (thesis, Table 6.5)."""
    found = []
    for index in range(len(data)):
        with torch.no_grad():
            logits = network(_torch_input(data, index)).trimap_logits
        logits = F.interpolate(
            logits, size=data.alphas.shape[1:], mode="bilinear", align_corners=False
        )
        found.append(logits.argmax(dim=1)[0].numpy())
    return trimap_miou(np.stack(found), classes_from_trimap(data.trimaps))


def _save_weights(folder: Path, state: Mapping[str, Tensor]) -> None:
    # through memory: safetensors' own writer hides the reason when a disk is full
    contiguous = {key: value.contiguous() for key, value in state.items()}
    (folder / WEIGHTS).write_bytes(safetensors.torch.save(contiguous))


def _save_mattes(folder: Path, alphas: F32) -> None:
    np.savez(folder / MATTES, alphas=alphas[:GOLDEN_IMAGES])


def _torch_input(data: EvaluationSet, index: int) -> Tensor:
    pixels = torch.from_numpy(data.pixels[index : index + 1]).permute(0, 3, 1, 2).contiguous()
    return pixels.float() * float(PIXEL_SCALE)
