"""What needs no one else's file: our own models, and classical methods by pymatting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.contestants import Facts, Network, noise, tflite_call
from edgemat.artifact import Artifact
from edgemat.errors import UsageError
from edgemat.images import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN
from edgemat.matting import matte
from edgemat.predict import TflitePredictor, load_predictor

CLASSICAL = {"closed-form": "estimate_alpha_cf", "KNN": "estimate_alpha_knn"}
"""Name to the function of pymatting."""


class Ours:
    """An artefact's folder or a .tflite file, run by :func:`edgemat.matting.matte` as users do."""

    def __init__(self, path: Path, *, threads: int) -> None:
        artifact = None if path.suffix == ".tflite" else Artifact(path)
        self._predictor = load_predictor(artifact or path, threads=threads)
        self._threads = threads
        feeding = self._predictor.feeding
        self.facts = Facts(
            licence=artifact.manifest.licence if artifact else "not stated",
            runtime="litert" if isinstance(self._predictor, TflitePredictor) else "torch",
            input_size=f"{feeding.width}x{feeding.height}",
            takes_trimap=feeding.channels == 4,
            file=artifact.payload if artifact else path,
        )

    def predict(self, image: U8, trimap: U8 | None) -> F32:
        """Return alpha; see :class:`~bench.peers.contestants.Contestant`."""
        return matte(image, trimap if self.facts.takes_trimap else None, model=self._predictor)

    def network(self) -> Network | None:
        """Return one run of the network."""
        if self.facts.runtime == "litert" and self.facts.file is not None:
            return tflite_call(self.facts.file, self._threads)
        feeding = self._predictor.feeding
        x = noise((1, feeding.height, feeding.width, feeding.channels))
        return lambda: self._predictor.predict(x)


class Classical:
    """Closed-form or KNN matting by pymatting, at the picture's own size."""

    def __init__(self, name: str) -> None:
        import pymatting

        self._name = name
        self._estimate: Callable[..., Any] = getattr(pymatting, CLASSICAL[name])
        self.facts = Facts("MIT", "pymatting", "any", takes_trimap=True, file=None)

    def predict(self, image: U8, trimap: U8 | None) -> F32:
        """Return alpha; see :class:`~bench.peers.contestants.Contestant`.

        Raises
        ------
        UsageError
            When the trimap is missing or knows no foreground or no background.
        """
        if trimap is None or not {BACKGROUND, FOREGROUND} <= set(np.unique(trimap).tolist()):
            raise UsageError(
                f"{self._name} matting needs a trimap with known foreground and background.",
                remedy="Paint some of both: white and black.",
            )
        values = trimap.astype(np.float64) / 255
        values[trimap == UNKNOWN] = 0.5
        try:
            alpha = self._estimate(image.astype(np.float64) / 255, values).astype(np.float32)
        except ValueError as error:
            raise UsageError(
                f"{self._name} matting finds no solution: {error}",
                remedy="Paint more of the trimap as known.",
            ) from error
        # The solvers only pull known pixels towards the trimap; matte() sets them, so do we.
        alpha[trimap == BACKGROUND] = 0
        alpha[trimap == FOREGROUND] = 1
        return np.clip(alpha, 0, 1, out=alpha)

    def network(self) -> Network | None:
        """Return None: there is no network."""
        return None
