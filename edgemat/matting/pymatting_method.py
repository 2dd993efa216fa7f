"""One method of PyMatting, without the rest of it.

Importing the package compiles all of its methods, which takes a minute on the first day; one takes
seconds. numba keeps what is compiled, by the modules' own names, which they have here as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from edgemat.errors import MissingToolError

PACKAGE = "pymatting"


def load_method(module: str, *, purpose: str) -> Callable[..., Any]:
    """Return the function that a module such as ``alpha.estimate_alpha_cf`` is named after.

    Parameters
    ----------
    purpose:
        What it is needed for, as the beginning of a sentence.

    Raises
    ------
    MissingToolError
        pymatting is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise MissingToolError(
            f"{purpose} needs PyMatting, which is not installed.",
            remedy="Install it with: pip install 'edgemat[classical]'",
        )
    return _import(Path(found.origin).parent, module)


@cache
def _import(folder: Path, module: str) -> Callable[..., Any]:
    """Import a module while empty packages stand in the place of those that it is in."""
    packages = {PACKAGE: folder}
    for init in folder.glob("*/__init__.py"):
        packages[f"{PACKAGE}.{init.parent.name}"] = init.parent
    bare = {}
    for name, path in packages.items():
        if name not in sys.modules:
            bare[name] = ModuleType(name)
            bare[name].__path__ = [str(path)]
    sys.modules.update(bare)
    try:
        function: Callable[..., Any] = getattr(
            import_module(f"{PACKAGE}.{module}"), module.rpartition(".")[2]
        )
    finally:
        for name in bare:
            del sys.modules[name]
    return function
