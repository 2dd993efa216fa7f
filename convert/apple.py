"""coremltools: imported once, kept quiet, or a clear error where it is missing."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest.mock import patch

from edgemat.errors import MissingToolError

log = logging.getLogger(__name__)

TALKATIVE_LOGGERS = ("coremltools", "torch")


def import_coremltools() -> ModuleType:
    """Return the coremltools package, whatever it prints while it loads going to the log.

    Raises
    ------
    MissingToolError
        When coremltools is not installed.
    """
    try:
        with quietly():
            return importlib.import_module("coremltools")
    except ModuleNotFoundError as error:
        if error.name != "coremltools":
            raise
        raise MissingToolError(
            "Core ML files need coremltools, which is not installed.",
            remedy='Install it: pip install "edgemat[deploy]"',
        ) from error


@contextlib.contextmanager
def quietly() -> Iterator[io.StringIO]:
    """Catch all that coremltools and torch print (notes, warnings, progress bars).

    The text can be read from the value given, and goes to this module's log at DEBUG level.
    """
    printed = io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(printed))
        for name in TALKATIVE_LOGGERS:
            stack.enter_context(_logger_to(printed, logging.getLogger(name)))
        caught = stack.enter_context(warnings.catch_warnings(record=True))
        try:
            yield printed
        finally:
            for warning in caught:
                print(warning.message, file=printed)
            log.debug("%s", printed.getvalue())


@contextlib.contextmanager
def validated_once() -> Iterator[None]:
    """While it lasts, coremltools validates a program behind all passes instead of each of them.

    A third of a conversion's time goes into that, a hundred times over; the file is the same.
    Scopes, which only programs of ExecuTorch have, are not looked at.
    """
    from coremltools.converters.mil.mil import Program
    from coremltools.converters.mil.mil.passes.pass_pipeline import PassPipelineManager

    apply = PassPipelineManager.apply_pipeline

    def apply_then_validate(program: Any, pipeline: Any) -> None:
        with patch.object(Program, "validate", lambda *args, **options: None):
            apply(program, pipeline)
        program.validate()

    with patch.object(PassPipelineManager, "apply_pipeline", staticmethod(apply_then_validate)):
        yield


@contextlib.contextmanager
def _logger_to(stream: io.StringIO, logger: logging.Logger) -> Iterator[None]:
    handlers, propagate = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [logging.StreamHandler(stream)], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
