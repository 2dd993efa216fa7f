"""Tracing a network by ``torch.export``, at one size, and what is said where that cannot be."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import logging
import re
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from edgemat.errors import ConversionError, EdgematError, UnsupportedError, UsageError
from edgemat.files import shorten
from edgemat.models.adopted.lines import is_library

BROKEN_UP = (torch.ops.aten.einsum.default,)
"""Operators that torch itself writes in others before rules see them."""
_OPTIONAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def require_one_input(module: nn.Module) -> None:
    """Refuse a network whose forward pass wants more than a picture.

    Raises
    ------
    UnsupportedError
        For such a one; its inputs are named.
    """
    named = inspect.signature(module.forward).parameters.values()
    needed = [one.name for one in named if one.default is one.empty and one.kind not in _OPTIONAL]
    if len(needed) > 1:
        raise UnsupportedError(
            f"{type(module).__name__} takes {len(needed)} inputs ({', '.join(needed)}), and not "
            "one picture.",
            remedy="Bind the others to constants in a module around it: no state is carried from "
            "picture to picture.",
        )


def constant_inputs(module: nn.Module) -> dict[str, str]:
    """Return what a forward pass takes beside the picture, with the defaults that it stays at.

    >>> from torch import nn
    >>> from edgemat.models.adopted.tracing import constant_inputs
    >>> class Recurrent(nn.Module):
    ...     def forward(self, x, before=None, *, ends=nn.functional.relu): ...
    >>> constant_inputs(Recurrent())
    {'before': 'None', 'ends': '<function relu>'}
    """
    _, *others = inspect.signature(module.forward).parameters.values()
    return {one.name: _in_words(one.default) for one in others if one.default is not one.empty}


def _in_words(value: object) -> str:
    """Return a value as Python writes it, on one line, without where it lies in memory."""
    return shorten(re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(value).split())))


def trace(module: nn.Module, shape: tuple[int, int, int]) -> ExportedProgram:
    """Trace `module`, in eval mode, for one picture of `shape`: C,H,W; nothing is written in place.

    Raises
    ------
    UnsupportedError
        When its control flow depends on the picture.
    UsageError
        When it fails at this size, or :class:`Adapted` finds no map in what it gives.
    """
    module = module.eval().requires_grad_(False)
    try:
        with torch.no_grad():
            copy.deepcopy(module)(_example(shape))  # what it may keep of a picture is not its own
    except EdgematError:  # of the choice among its outputs
        raise
    except Exception as error:  # what the network's own code raises
        taken = " x ".join(map(str, (1, *shape)))
        raise UsageError(
            f"The network cannot take a picture of {taken}: {_reason(error)}.",
            remedy="Let it take one outside of edgemat first; or give another --size, or --trimap.",
        ) from error
    return retrace(module, shape)


def _example(shape: tuple[int, int, int]) -> Tensor:
    return torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))


def retrace(module: nn.Module, shape: tuple[int, int, int]) -> ExportedProgram:
    """Trace what a program has made, which is in eval mode for good; else as :func:`trace`."""
    with torch.no_grad(), warnings.catch_warnings(), _quiet_torch():
        warnings.simplefilter("ignore")
        try:
            program = torch.export.export(module, (_example(shape),), strict=False)
            whole = _plain(program)
        except Exception as error:
            raise UnsupportedError(
                f"torch.export cannot trace the network: {_reason(error)}.",
                remedy="Its operations must be the same for every picture, and of tensors alone.",
            ) from error
    whole.example_inputs = None
    return whole


@contextlib.contextmanager
def _quiet_torch() -> Iterator[None]:
    """Keep back what torch's tracer logs and prints, whole graphs among it: errors are one line."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _reason(error: BaseException) -> str:
    """Return the first line of an error, and the line of the user's code that it came out of."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    what = lines[0] if lines else type(error).__name__
    if "data-dependent" in what:
        what = "its control flow depends on the picture"
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not (frame.filename.startswith("<") or is_library(frame.filename))
    ]
    where = f" ({own[-1].filename}:{own[-1].lineno}: {own[-1].line})" if own else ""
    return what.rstrip(".") + where


def in_core_operators(program: ExportedProgram, path: Path) -> ExportedProgram:
    """Return a program as ``torch.export.export`` gives it in the operators that rules are of.

    Raises
    ------
    ConversionError
        When torch cannot break its operators up.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(program)
    except Exception as error:
        raise ConversionError(
            f"torch cannot write {path} in its core operators: {_reason(error)}",
            remedy="Export it with this version of torch, in eval mode.",
        ) from error


def _plain(program: ExportedProgram) -> ExportedProgram:
    """Write a program in the operators that rules are of: products of matrices for an einsum."""
    known = torch.export.default_decompositions()
    plain: ExportedProgram = program.run_decompositions({op: known[op] for op in BROKEN_UP})
    return plain
