"""Packages that can be called: `edgemat.quantize(artefact)` beside `edgemat.quantize.ptq`.

The folders quantize/, convert/ and bench/ have the names of three things that a user does. Which
function a call reaches is written down once, in the table of ``edgemat/__init__.py``; a package
asks its parent for it, so that no room imports the roof.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def make_callable(name: str) -> None:
    """Let the package `name` be called as the public function of the same name."""
    sys.modules[name].__class__ = CallablePackage


class CallablePackage(ModuleType):
    """A package that stands for a function as well: ``help`` and ``inspect.signature`` show it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        """The function, loaded when it is first asked for."""
        parent, _, own = self.__name__.rpartition(".")
        function: Callable[..., Any] = sys.modules[parent].find_public(own)
        return function

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        """The function's documentation, then what the package holds."""
        title, _, rest = (inspect.getdoc(self.__wrapped__) or "").partition("\n")
        call = f"{self.__name__}{inspect.signature(self.__wrapped__)}"
        holds = f"As a package: {self.__dict__['__doc__']}"
        return "\n\n".join([title, call, rest.strip("\n"), holds])

    def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
        """Pickle the name alone, as functions are pickled."""
        return importlib.import_module, (self.__name__,)
