"""The words of this package: entries, facts, and the face that all contestants show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from edgemat.images import F32, U8
from edgemat.matting.runtime import TfliteModel

NetworkRun = Callable[[], object]
"""One run of a network on an input already in place: what a latency is measured of."""


@dataclass(frozen=True)
class Entry:
    """A contestant to be; small enough to be handed to another process.

    Attributes
    ----------
    name:
        In tables; unique.
    path:
        Of an artefact or a model file; None for classical methods, which have none.
    of:
        The peer's name in the catalogue, or the classical method's.
    guided:
        Enlarge a peer's mask by our guided filter.
    refined:
        Look again at the matte with the shipped trimap network, as `edgemat matte` does.
    """

    name: str
    kind: Literal["ours", "peer", "classical"]
    path: Path | None = None
    of: str = ""
    guided: bool = False
    refined: bool = False


@dataclass(frozen=True)
class ContestantFacts:
    """A contestant's entry in a table, beside its scores.

    Attributes
    ----------
    runtime:
        litert, torch, onnxruntime or pymatting.
    input_size:
        Width x height, as networks are commonly called; "any" for classical methods.
    file:
        The model's file; None for classical methods.
    refiner:
        The file of the network that looks at its matte again; None without.
    """

    licence: str
    runtime: str
    input_size: str
    takes_trimap: bool
    file: Path | None
    refiner: Path | None = None


class Contestant(Protocol):
    """Someone who makes mattes."""

    facts: ContestantFacts

    def predict(self, image: U8, trimap: U8 | None) -> F32:
        """Return alpha, HxW float32 in 0..1, of an image, HxWx3 uint8.

        `trimap` is given where ``facts.takes_trimap`` says so, else it is ignored.
        """

    def network(self) -> NetworkRun | None:
        """Return the call whose latency counts; None where there is no network of its own."""


def tflite_call(path: Path, threads: int) -> NetworkRun:
    """Return one run of a .tflite file on an input in place."""
    model = TfliteModel(path, threads=threads)
    model.set_input(noise(model.input_shape))
    return model.invoke


def noise(shape: tuple[int, ...]) -> F32:
    """Return a fixed input in 0..1: what a latency does not depend on."""
    return np.random.default_rng(0).random(shape, dtype=np.float32)
