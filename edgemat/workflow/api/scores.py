"""Errors against the ground truth, and whether they lie within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from edgemat.artifacts.lineage import float_ancestor, has_parents
from edgemat.artifacts.shipped import ArtifactLike, open_mobile
from edgemat.doctor import needs
from edgemat.workflow.api.opening import open_with_validation

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import MattingErrors
    from edgemat.artifacts.vocabulary import Region
    from edgemat.scoring.bounds import Verdict
    from edgemat.workflow.api.opening import DataLike

ON_TRAINING_PICTURES = "errors on training pictures"


@needs("train")
def evaluate(
    artifact: ArtifactLike, *, data: DataLike = None, images: int = 16
) -> dict[Region, MattingErrors]:
    """Score an artefact against the ground truth, in the unknown region and in the whole picture.

    >>> import edgemat
    >>> scores = edgemat.evaluate("portrait-tflite-int8", images=2)
    >>> scores["unknown"].sad <= scores["whole"].sad
    True

    Parameters
    ----------
    artifact:
        Of any kind: open, its folder, NAME@HASH, or a shipped model's name.
    data:
        "people", "procedural", a folder or a section of a recipe; by default the task's pictures.
    images:
        Validation composites.

    Raises
    ------
    UsageError
        For a name that is no artefact.
    ArtifactError
        When the artefact is damaged.
    MissingToolError
        When torch or the file's runtime is not installed.
    """
    from edgemat.convert.backends import find_backend
    from edgemat.matting.torch_predictor import torch_predictor
    from edgemat.quantize.reference import load_reference
    from edgemat.scoring.evaluate import predict_all, score

    opened, _, validation = open_with_validation(artifact, data, images)
    if opened.manifest.is_mobile:
        files = find_backend(opened.manifest.kind).predictors(opened.payload)
        predict = next(iter(files.values()))
    else:
        predict = torch_predictor(load_reference(opened))
    return score(predict_all(predict, validation), validation)


def gate(artifact: ArtifactLike, bounds: Mapping[str, str]) -> list[Verdict]:
    """Judge a file's errors in the unknown region by bounds: those that its manifest tells.

    It needs no torch, but for a file whose float network is there without what lies between, as
    with the shipped ones: both are scored anew, on the same pictures.

    >>> import edgemat
    >>> quantized = edgemat.quantize("portrait", calibration=8, images=2)
    >>> [verdict.name for verdict in edgemat.gate(quantized, {"sad": "+5%", "grad": "<=12"})]
    ['sad', 'grad']

    Parameters
    ----------
    artifact:
        Open, its folder, or NAME@HASH, beside those that it was made from; or a shipped model's
        name, which means its int8 file.
    bounds:
        From "sad", "mse", "grad" and "conn" to a bound: "+5%" against the float model that the
        artefact comes from, or "<=12".

    Returns
    -------
    list of Verdict
        One for each bound, in order; `passed` says what became of it, and `note` that the errors
        are those on training pictures, where they are.

    Raises
    ------
    UsageError
        For a name that is no artefact, no error or no bound.
    ArtifactError
        When the artefact is damaged, or the float model is not beside it.
    """
    from edgemat.scoring.bounds import Bound, judge
    from edgemat.scoring.validation import warn_of_training_pictures

    opened = open_mobile(artifact)
    _ = opened.manifest.matting_task  # of any other network there are no errors to judge
    warn_of_training_pictures(opened.manifest.validation)
    rules = [Bound(metric, rule) for metric, rule in bounds.items()]
    reference = float_ancestor(opened)
    if has_parents(opened):
        found, expected = (one.manifest.scores["unknown"] for one in (opened, reference))
    else:
        found, expected = (evaluate(one)["unknown"] for one in (opened, reference))
    verdicts = judge(rules, found.model_dump(), reference=expected.model_dump())
    validation = opened.manifest.validation
    if validation is not None and validation.on_training_pictures:
        verdicts = [replace(verdict, note=ON_TRAINING_PICTURES) for verdict in verdicts]
    return verdicts
