"""The one shape of all models to those who run them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from edgemat.artifacts.feeding import Feeding
from edgemat.images import F32

Predict = Callable[[F32], F32]
"""From 1,H,W,C float32 in 0..1 to alpha, 1,H,W,1 float32: any model, however it is run."""


class Predictor(Protocol):
    """A loaded model that says what it takes; its `predict` is a :data:`Predict`."""

    @property
    def feeding(self) -> Feeding:
        """The inputs that the model takes."""

    def predict(self, x: F32) -> F32:
        """Return alpha, 1,H,W,1 float32, of `x`, 1,H,W,C float32 in 0..1.

        H, W and C are those of `feeding`; channel 3, where there is one, is trimap / 255.
        """


@runtime_checkable
class AnySizePredictor(Predictor, Protocol):
    """One that says whether it takes any H and W that are multiples of the feeding's stride."""

    any_size: bool
