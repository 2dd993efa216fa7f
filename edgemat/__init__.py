"""edgemat: image matting on phones, from a checkpoint to a proven mobile file.

>>> import edgemat
>>> from edgemat.images import read_image
>>> alpha = edgemat.matte(read_image("photo.jpg"))  # H x W, 0..1
>>> alpha.dtype
dtype('float32')

Everything is loaded when it is first used: the light install has no torch. Artefacts go in and come
out: an :class:`Artifact`, its folder, or the name of a shipped model ("portrait", "trimap").

matte, matte_files                 cut out a photograph, or whole folders of pictures and videos
train, run                         what a recipe says: the training alone, or all of it
import_checkpoint                  a network that its authors released, as a float model
adopt, check                       networks that are not edgemat's
prune, quantize, sensitivity       make a float model smaller and faster, and see what it costs
convert, verify, export            mobile files, and whether they compute the same matte
evaluate, gate, bench              errors, bounds on them, latencies
create_model, list_models, count   the networks of the thesis

``quantize``, ``convert`` and ``bench`` are packages as well: ``from edgemat.quantize import ptq``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edgemat.errors import EdgematError, MissingToolError

__version__ = "0.1.0"

# public name -> module that has it
_PUBLIC = {
    "Artifact": "edgemat.artifacts.artifact",
    "adopt": "edgemat.workflow.api.adopt",
    "check": "edgemat.workflow.api.adopt",
    "EdgematError": "edgemat.errors",
    "bench": "edgemat.workflow.api.latency",
    "convert": "edgemat.workflow.api.mobile",
    "count": "edgemat.models.count",
    "count_parameters": "edgemat.models.count",
    "create_model": "edgemat.models",
    "evaluate": "edgemat.workflow.api.scores",
    "export": "edgemat.workflow.api.mobile",
    "gate": "edgemat.workflow.api.scores",
    "import_checkpoint": "edgemat.workflow.api.importing",
    "list_models": "edgemat.models",
    "load": "edgemat.quantize.reference",
    "matte": "edgemat.matting.matte",
    "matte_files": "edgemat.workflow.api.matte_files",
    "matting_errors": "edgemat.scoring.metrics",
    "prune": "edgemat.workflow.api.compress",
    "quantize": "edgemat.workflow.api.compress",
    "run": "edgemat.workflow.api.recipes",
    "sensitivity": "edgemat.workflow.api.compress",
    "train": "edgemat.workflow.api.recipes",
    "verify": "edgemat.workflow.api.mobile",
}
# public functions whose names are also those of packages: see callable_package.py
_CALLABLE_PACKAGES = ("bench", "convert", "quantize")

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.matting.matte import matte
    from edgemat.models import create_model, list_models
    from edgemat.models.count import count, count_parameters
    from edgemat.quantize.reference import load
    from edgemat.scoring.metrics import matting_errors
    from edgemat.workflow.api.adopt import adopt, check
    from edgemat.workflow.api.compress import prune, quantize, sensitivity
    from edgemat.workflow.api.importing import import_checkpoint
    from edgemat.workflow.api.latency import bench
    from edgemat.workflow.api.matte_files import matte_files
    from edgemat.workflow.api.mobile import convert, export, verify
    from edgemat.workflow.api.recipes import run, train
    from edgemat.workflow.api.scores import evaluate, gate

__all__ = [
    "Artifact",
    "EdgematError",
    "adopt",
    "bench",
    "check",
    "convert",
    "count",
    "count_parameters",
    "create_model",
    "evaluate",
    "export",
    "gate",
    "import_checkpoint",
    "list_models",
    "load",
    "matte",
    "matte_files",
    "matting_errors",
    "prune",
    "quantize",
    "run",
    "sensitivity",
    "train",
    "verify",
]


class _NotInstalled(MissingToolError, AttributeError):
    """A public name that needs a package which is missing: `hasattr` says no, `help` passes on."""


def find_public(name: str) -> Any:
    """Return what a public name stands for.

    Raises
    ------
    MissingToolError
        When it needs a package that is not installed.
    """
    try:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    except ImportError as error:
        from edgemat.doctor import explain_missing

        missing = explain_missing(error)
        raise _NotInstalled(missing.message, remedy=missing.remedy) from error


def __getattr__(name: str) -> Any:
    if name in _CALLABLE_PACKAGES:
        return importlib.import_module(f"edgemat.{name}")
    if name in _PUBLIC:
        return find_public(name)
    raise AttributeError(f"module 'edgemat' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
