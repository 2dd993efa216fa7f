"""Quantization-aware training: from a quantized artefact to one that is trained on."""

from __future__ import annotations

from pathlib import Path

from edgemat.artifacts.artifact import QAT_SUFFIX, Artifact
from edgemat.artifacts.weights import load_network
from edgemat.data.open import open_data
from edgemat.data.sections import DataSection
from edgemat.quantize.reference import load_prepared
from edgemat.recipe.sections import QatSection
from edgemat.scoring.evaluate import EvaluationSet
from edgemat.training.loop import LOG, train
from edgemat.workflow.stages.common import at_only_size, torch_input
from edgemat.workflow.stages.quantizing import write_quantized
from edgemat.workflow.stages.training import schedule_of, training_data

# Pictures that the float model was not trained on.
QAT_STREAM = 50


def qat_stage(
    source: Artifact,
    quantized: Artifact,
    data: DataSection,
    validation: EvaluationSet,
    settings: QatSection,
    *,
    work: Path,
    out: Path,
    seed: int,
    device: str = "auto",
) -> Artifact:
    """Train a quantized artefact on, with `source`, its float parent, as the teacher.

    Resumes from a checkpoint in `work` if there is one.

    Parameters
    ----------
    seed:
        Of the training pictures.
    """
    from edgemat.quantize.kernels import fused_kernels
    from edgemat.quantize.ptq import Quantized
    from edgemat.quantize.qat import QuantizationAware
    from edgemat.quantize.spec import QuantSpec

    manifest = source.manifest
    settings = at_only_size(manifest, settings)
    start = Quantized(load_prepared(quantized), QuantSpec.load(quantized.quant))
    aware = QuantizationAware(start, torch_input(validation, 0))
    pictures = training_data(
        open_data(data, seed=seed, size=(settings.size, settings.size)),
        settings,
        task=manifest.matting_task,
        seed=seed + QAT_STREAM,
    )
    with fused_kernels():
        train(
            aware.model,
            pictures,
            groups=aware.parameter_groups(settings.range_rate),
            teacher=load_network(source),
            task=manifest.matting_task,
            schedule=schedule_of(settings),
            folder=work,
            seed=seed,
            device=device,
            title=f"{manifest.name}: quantization-aware training",
        )
    return write_quantized(
        aware.finish(),
        source,
        quantized,
        validation,
        out,
        suffix=QAT_SUFFIX,
        calibration=quantized.manifest.calibration,
        log=work / LOG,
    )
