"""Torch networks as predictors; they need torch, which a .tflite file does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.weights import load_network
from edgemat.images import F32
from edgemat.matting.predictor import Predict
from edgemat.models.adopted.network import ADOPTED


def torch_predictor(model: Callable[[Tensor], Tensor]) -> Predict:
    """Return `model` (B,C,H,W to B,1,H,W) as a function from 1,H,W,C to 1,H,W,1."""

    def predict(x: F32) -> F32:
        with torch.no_grad():
            alpha = model(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))))
        result: F32 = alpha.permute(0, 2, 3, 1).numpy()
        return result

    return predict


class TorchPredictor:
    """The network of a float artefact, run through torch on the CPU.

    It takes any size, but for an adopted one, which was traced at one.
    """

    def __init__(self, artifact: Artifact) -> None:
        network = load_network(artifact)
        self.feeding = artifact.manifest.feeding
        self.any_size = artifact.manifest.architecture != ADOPTED
        self._network = network
        self._predict = torch_predictor(lambda x: network(x).alpha.clamp(0, 1))

    def predict(self, x: F32) -> F32:
        """Return alpha; see :class:`edgemat.matting.predictor.Predictor`."""
        return self._predict(x)

    def estimate_trimap(self, x: F32) -> NDArray[np.int64] | None:
        """Return the network's own trimap of 1,H,W,3 in 0..1 as HxW classes.

        They are 0 background, 1 unknown, 2 foreground. None for a network that estimates none, as
        an adopted one, which is not run for it.
        """
        if not self.any_size:
            return None
        with torch.no_grad():
            logits = self._network(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).trimap_logits
        if logits is None:
            return None
        full = F.interpolate(logits, size=x.shape[1:3], mode="bilinear", align_corners=False)
        classes: NDArray[np.int64] = full.argmax(dim=1)[0].numpy()
        return classes
