"""Those parts of coremltools' program objects that are used here; it has no type information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Variable(Protocol):
    """A value of a program; `op` computes it, or is None for an input."""

    name: str
    op: Operation | None
    child_ops: Sequence[Operation]
    shape: Sequence[int]
    rank: int
    dtype: type
    val: Any  # its content where that is constant: a number, a text or an array


class Operation(Protocol):
    """One operation; an input is a variable, a list of them, or None where it is left out."""

    op_type: str
    inputs: Mapping[str, Any]
    outputs: Sequence[Variable]


class Function(Protocol):
    """A function of a program; all here have one, "main"."""

    inputs: Mapping[str, Variable]
    outputs: Sequence[Variable]
    operations: Sequence[Operation]


class Program(Protocol):
    """An ML Program."""

    functions: Mapping[str, Function]
