"""Contestants that need no one else's file: edgemat's models, and pymatting's methods.

Anyone's matte can be refined by edgemat's trimap network, too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import default_model
from edgemat.bench.peers.contestants import (
    Contestant,
    ContestantFacts,
    NetworkRun,
    noise,
    tflite_call,
)
from edgemat.errors import UsageError
from edgemat.images import F32, U8
from edgemat.matting.matte import matte
from edgemat.matting.predict import TflitePredictor, load_predictor
from edgemat.matting.refine import refine


class Ours:
    """An artefact's folder or a .tflite file, run by :func:`edgemat.matte` as users do."""

    def __init__(self, path: Path, *, threads: int) -> None:
        artifact = None if path.suffix == ".tflite" else Artifact(path)
        self._predictor = load_predictor(artifact or path, threads=threads)
        self._threads = threads
        feeding = self._predictor.feeding
        self.facts = ContestantFacts(
            licence=artifact.manifest.licence if artifact else "not stated",
            runtime="litert" if isinstance(self._predictor, TflitePredictor) else "torch",
            input_size=f"{feeding.width}x{feeding.height}",
            takes_trimap=feeding.channels == 4,
            file=artifact.payload if artifact else path,
        )

    def predict(self, image: U8, trimap: U8 | None) -> F32:
        """Return alpha; see :class:`~bench.peers.contestants.Contestant`."""
        return matte(image, trimap if self.facts.takes_trimap else None, model=self._predictor)

    def network(self) -> NetworkRun | None:
        """Return one run of the network."""
        if self.facts.runtime == "litert" and self.facts.file is not None:
            return tflite_call(self.facts.file, self._threads)
        feeding = self._predictor.feeding
        x = noise((1, feeding.height, feeding.width, feeding.channels))
        return lambda: self._predictor.predict(x)


class Classical:
    """A classical method, at the picture's own size."""

    def __init__(self, method: str) -> None:
        self._method = method
        self.facts = ContestantFacts("MIT", "pymatting", "any", takes_trimap=True, file=None)

    def predict(self, image: U8, trimap: U8 | None) -> F32:
        """Return alpha; see :class:`~bench.peers.contestants.Contestant`."""
        return matte(image, trimap, model=self._method)

    def network(self) -> NetworkRun | None:
        """Return None: there is no network."""
        return None


class Refined:
    """Another's matte, looked at again by the shipped trimap network where it is unsure.

    Raises
    ------
    UsageError
        When the other takes a trimap: then there is nothing to refine.
    """

    def __init__(self, coarse: Contestant, *, threads: int) -> None:
        if coarse.facts.takes_trimap:
            raise UsageError(
                "It takes a trimap, so that there is nothing to refine.",
                remedy="Refine what takes none.",
            )
        self._coarse = coarse
        refiner = Artifact(default_model(needs_trimap=True))
        self._predictor = load_predictor(refiner, threads=threads)
        self.facts = replace(coarse.facts, refiner=refiner.payload)

    def predict(self, image: U8, trimap: U8 | None) -> F32:
        """Return alpha; see :class:`~bench.peers.contestants.Contestant`."""
        return refine(image, self._coarse.predict(image, None), model=self._predictor)

    def network(self) -> NetworkRun | None:
        """Return None: there are two, and how often the second runs depends on the picture."""
        return None
