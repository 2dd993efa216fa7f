"""The table of all runtimes that files are made for: the sole list of targets.

A further runtime is a file beside these and a line in :data:`BACKENDS`; recipes, exports, reports
and the command line follow.
"""

from __future__ import annotations

from pathlib import Path

from edgemat.convert.backend import Backend, Precision, Target
from edgemat.convert.backends.coreai import COREAI
from edgemat.convert.backends.coreml import COREML
from edgemat.convert.backends.tflite import TFLITE
from edgemat.errors import UsageError, nearest

BACKENDS: tuple[Backend, ...] = (
    TFLITE,
    COREML,
    COREAI,
)
"""The only list of them, in the order of tables."""


def all_targets() -> dict[str, Target]:
    """Return every target by its name."""
    return {target.name: target for backend in BACKENDS for target in backend.targets}


def default_targets() -> tuple[str, ...]:
    """Return the targets of a recipe that names none: all that need no extra of their own."""
    required = (backend for backend in BACKENDS if not backend.optional)
    return tuple(target.name for backend in required for target in backend.targets)


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


def targets_in(precision: Precision, runtime: str | None = None) -> list[Target]:
    """Return the targets of a precision: of a runtime, or one or none for each that is no option.

    Raises
    ------
    UsageError
        For an unknown runtime.
    """
    wanted = [find_backend(runtime)] if runtime else [b for b in BACKENDS if not b.optional]
    targets = [target for backend in wanted for target in backend.targets]
    return [target for target in targets if target.precision == precision]
