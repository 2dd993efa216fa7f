"""edgemat: image matting on phones, from a checkpoint to a proven mobile file.

>>> import edgemat
>>> alpha = edgemat.matte(image, model="runs/quickstart/artifacts/portrait-tflite-int8@1a2b3c4d")
>>> network = edgemat.create_model("indexnet-m2o-nlc")

Everything here is loaded when it is first used: the light install has no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> module that has it
_PUBLIC = {
    "Artifact": "edgemat.artifacts.artifact",
    "EdgematError": "edgemat.errors",
    "count": "edgemat.models.count",
    "count_parameters": "edgemat.models.count",
    "create_model": "edgemat.models",
    "list_models": "edgemat.models",
    "load": "edgemat.quantize.reference",
    "matte": "edgemat.matting.matte",
    "matting_errors": "edgemat.scoring.metrics",
}

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.errors import EdgematError
    from edgemat.matting.matte import matte
    from edgemat.models import create_model, list_models
    from edgemat.models.count import count, count_parameters
    from edgemat.quantize.reference import load
    from edgemat.scoring.metrics import matting_errors

__all__ = [
    "Artifact",
    "EdgematError",
    "count",
    "count_parameters",
    "create_model",
    "list_models",
    "load",
    "matte",
    "matting_errors",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'edgemat' has no attribute {name!r}")
