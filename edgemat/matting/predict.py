"""Loaded models, ready to be run on one input after another.

A .tflite file needs numpy and ai-edge-litert alone; torch is imported only for a float artefact.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from edgemat.artifacts.artifact import Artifact, Feeding
from edgemat.artifacts.shipped import ArtifactLike, open_artifact
from edgemat.errors import ArtifactError, MissingToolError, UsageError
from edgemat.images import F32
from edgemat.matting.foreign import Convention, find_convention, require_alpha
from edgemat.matting.predictor import Predictor
from edgemat.matting.probe import require_safe
from edgemat.matting.runtime import TfliteModel


def load_predictor(
    model: ArtifactLike,
    *,
    threads: int | None = None,
    convention: Convention | None = None,
) -> Predictor:
    """Load a model to be run many times.

    Parameters
    ----------
    model:
        An artefact of kind "tflite" or "float", its folder, a shipped model's name, or a .tflite
        file with an input of shape (1, H, W, 3) or (1, H, W, 4).
    threads:
        For a .tflite file; by default as many as there are cores, at most 4.
    convention:
        How a .tflite file without a manifest is fed; by default what its input says.

    Raises
    ------
    ArtifactError
        The artefact is damaged, of another kind, or not a matting model.
    MissingToolError
        ai-edge-litert (or, for a float artefact, torch) is not installed.
    """
    threads = min(4, os.cpu_count() or 1) if threads is None else threads
    if not isinstance(model, Artifact):
        model = Path(model)
        if model.suffix == ".tflite":
            require_safe(model)
            return ForeignPredictor(TfliteModel(model, threads=threads), convention)
        model = open_artifact(model)
    if convention is not None:
        raise UsageError(
            f"{model.path.name} says itself how it is fed.",
            remedy="Leave --scale, --mean, --std and --logits to .tflite files of others.",
        )
    kind = model.manifest.kind
    if kind == "tflite":
        require_safe(model.payload)
        return TflitePredictor(TfliteModel(model.payload, threads=threads), model.manifest.feeding)
    if kind == "float":
        return _torch_predictor(model)
    raise ArtifactError(
        f"{model.path.name} is of kind {kind!r}, which cannot be run on a photograph here.",
        remedy="Take the .tflite artefact of the same run.",
    )


def _torch_predictor(artifact: Artifact) -> Predictor:
    try:
        from edgemat.matting.torch_predictor import TorchPredictor
    except ImportError as error:
        raise MissingToolError(
            f"{artifact.manifest.name} is a float artefact, and to run it torch is needed.",
            remedy="Install it with: pip install 'edgemat[train]', or take a .tflite artefact.",
        ) from error
    return TorchPredictor(artifact)


class TflitePredictor:
    """A .tflite file; without a manifest its feeding is read from the input's shape."""

    def __init__(self, model: TfliteModel, feeding: Feeding | None = None) -> None:
        shape = model.input_shape
        matte_shape = (*shape[:3], 1)
        if len(shape) != 4 or shape[0] != 1 or shape[3] not in (3, 4):
            raise _not_a_matting_file(model)
        if model.output_shape != matte_shape:
            raise _not_a_matting_file(model)
        found = _feeding_of(shape)
        if feeding is not None and _input_of(feeding) != _input_of(found):
            raise ArtifactError(
                f"{model.path} takes {shape}, which is not what its manifest says.",
                remedy="Copy the whole artefact folder again, or make it anew.",
            )
        self.feeding = feeding or found
        self._model = model

    def predict(self, x: F32) -> F32:
        """Return alpha; see :class:`~edgemat.matting.predictor.Predictor`."""
        return self._model.run(np.ascontiguousarray(x))


class ForeignPredictor(TflitePredictor):
    """A .tflite file that says nothing of itself; see :mod:`edgemat.matting.foreign`."""

    def __init__(self, model: TfliteModel, convention: Convention | None = None) -> None:
        super().__init__(model)
        self._convention = convention or find_convention(model)

    def predict(self, x: F32) -> F32:
        """Return alpha; see :class:`~edgemat.matting.predictor.Predictor`."""
        alpha = self._convention.read(super().predict(self._convention.feed(x)))
        require_alpha(self._model, alpha)
        return alpha


def _input_of(feeding: Feeding) -> tuple[int, int, int]:
    return feeding.height, feeding.width, feeding.channels


def _feeding_of(shape: tuple[int, ...]) -> Feeding:
    _, height, width, channels = shape
    return Feeding.of(4 if channels == 4 else 3, (height, width), layout="NHWC", stride=1)


def _not_a_matting_file(model: TfliteModel) -> ArtifactError:
    return ArtifactError(
        f"{model.path} takes {model.input_shape} and gives {model.output_shape}.",
        remedy="A matting file takes (1, H, W, 3) or (1, H, W, 4) and gives (1, H, W, 1).",
    )
