"""The network of a float artefact as a predictor; needs torch, which a .tflite file does not."""

from __future__ import annotations

import numpy as np
import torch

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.weights import load_network
from edgemat.images import F32


class TorchPredictor:
    """The network of a float artefact, run through torch on the CPU."""

    def __init__(self, artifact: Artifact) -> None:
        self.feeding = artifact.manifest.feeding
        self._network = load_network(artifact)

    def predict(self, x: F32) -> F32:
        """Return alpha; see :class:`edgemat.matting.predict.Predictor`."""
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
            alpha: F32 = self._network(batch).alpha.clamp(0, 1).permute(0, 2, 3, 1).numpy()
        return alpha
