"""The table of all runtimes that files are made for: the sole list of targets.

A further runtime is a file beside these and a line in :data:`BACKENDS`; recipes, exports, reports
and the command line follow.
"""

from __future__ import annotations

from pathlib import Path

from edgemat.convert.backend import Backend, Precision, Target
from edgemat.convert.backends.coreml import COREML
from edgemat.convert.backends.tflite import TFLITE
from edgemat.errors import UsageError, nearest

BACKENDS: tuple[Backend, ...] = (
    TFLITE,
    COREML,
)
"""The only list of them, in the order of tables.

A recipe that names no targets has all, in this order, which its hash depends on.
"""


def all_targets() -> dict[str, Target]:
    """Return every target by its name."""
    return {target.name: target for backend in BACKENDS for target in backend.targets}


def find_target(name: str) -> Target:
    """Return the target called `name`.

    Raises
    ------
    UsageError
        For an unknown name; the nearest known names are offered.
    """
    targets = all_targets()
    if name not in targets:
        raise UsageError(f"There is no target {name!r}.", remedy=nearest(name, targets))
    return targets[name]


def find_backend(runtime: str) -> Backend:
    """Return the backend of a runtime: of a target's, or of an artefact's kind.

    Raises
    ------
    UsageError
        For an unknown name; the nearest known names are offered.
    """
    backends = {backend.runtime: backend for backend in BACKENDS}
    if runtime not in backends:
        raise UsageError(f"There is no runtime {runtime!r}.", remedy=nearest(runtime, backends))
    return backends[runtime]


def suffix_of(runtime: str) -> str:
    """Return what the names of a runtime's files end in, with the dot; raises as `find_backend`."""
    return Path(find_backend(runtime).payload).suffix


def targets_in(precision: Precision) -> list[Target]:
    """Return the targets of a precision, one or none for each runtime."""
    return [target for target in all_targets().values() if target.precision == precision]
