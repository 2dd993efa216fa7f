"""Does a .tflite file run on an old phone? tflite-runtime 2.14, of October 2023, stands for one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from edgemat.convert.isolated import run_isolated
from edgemat.convert.parity import Distance, distance
from edgemat.matting.runtime import Kernels, TfliteModel
from edgemat.scoring.evaluate import EvaluationSet, predict_all

SCRIPT = Path(__file__).with_name("old_runtime_script.py")
OldKernels = Literal["default", "reference"]
# What each of the old runtime's ways is compared with; its reference kernels are the arbiter.
TODAY: Mapping[OldKernels, Kernels] = {"default": "xnnpack", "reference": "reference"}
REFERENCE_LIMIT = 1e-4
"""Of the mean absolute difference between the old reference kernels and today's."""


@dataclass(frozen=True)
class OldRun:
    """The outcome of one file in the old runtime.

    Attributes
    ----------
    refused:
        Why it does not run; None where it does.
    distances:
        From today's mattes: of the default kernels to XNNPACK's, and of the reference kernels to
        the reference kernels'.
    """

    refused: str | None = None
    distances: dict[OldKernels, Distance] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether it runs, and its reference kernels compute what today's compute."""
        return self.refused is None and self.distances["reference"].mean_abs <= REFERENCE_LIMIT


def check_old_runtime(path: Path, pictures: EvaluationSet) -> OldRun:
    """Run a file in the old runtime and in today's LiteRT, and compare.

    Parameters
    ----------
    path:
        A .tflite file that takes and gives float32.

    Raises
    ------
    MissingToolError
        When the old runtime's environment is not installed.
    """
    distances = {}
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = Path(folder) / "inputs.npy", Path(folder) / "outputs.npy"
        np.save(inputs, np.concatenate([pictures.inputs(i) for i in range(len(pictures))]))
        for old, today in TODAY.items():
            arguments = [str(p) for p in (SCRIPT, path.resolve(), inputs, outputs)]
            refused = run_isolated("old-runtime", [*arguments, old], cwd=Path(folder))
            if refused is not None:
                return OldRun(refused)
            expected = predict_all(TfliteModel(path, kernels=today).run, pictures)
            distances[old] = distance(np.load(outputs)[..., 0], expected)
    return OldRun(distances=distances)
