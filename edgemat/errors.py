"""The errors: one sentence each, with the remedy and the exit status.

Every error that a user can cause or meet is an :class:`EdgematError`. The command line prints
``message`` and ``remedy`` and exits with ``exit_code``; a library user catches the class.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EdgematError(Exception):
    """Base of all errors of the project.

    >>> import edgemat
    >>> try:
    ...     edgemat.evaluate("portait")
    ... except edgemat.EdgematError as error:
    ...     print(error.remedy)
    Did you mean 'portrait' or 'portrait-clean'?

    Parameters
    ----------
    message:
        One sentence that says what is wrong and names the offending thing.
    remedy:
        One sentence that says what to do about it.
    """

    exit_code = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(EdgematError):
    """A wrong argument, recipe, name or file given by the user (exit status 2)."""


class ImageError(UsageError):
    """A picture that cannot be read, or has an impossible size or content (exit status 2)."""


class ArtifactError(EdgematError):
    """An artefact that is missing, damaged or of the wrong kind (exit status 2)."""


class TrainingError(EdgematError):
    """Training that cannot continue, for example a loss that is not finite (exit status 2)."""


class ConversionError(EdgematError):
    """A model that a converter cannot take, or took wrongly (exit status 2)."""


class UnsupportedError(ConversionError):
    """A network with an operation that no phone's runtime has (exit status 3)."""

    exit_code = 3


class GateFailed(EdgematError):
    """A measured figure lies outside the bound that the user set (exit status 1)."""

    exit_code = 1


class MissingToolError(EdgematError):
    """A package, tool or device that this machine lacks (exit status 3)."""

    exit_code = 3


class DiskError(EdgematError):
    """A file that cannot be written: disk full, no permission (exit status 3)."""

    exit_code = 3


class EdgematWarning(UserWarning):
    """Something a user should know although the work continues; the command line prints it."""


class DataWarning(EdgematWarning):
    """A figure means less than it seems to, by what it is measured on."""


class TrainingWarning(EdgematWarning):
    """A training that did not do what one trains for."""


class OutputWarning(EdgematWarning):
    """The output of a stranger's network that was chosen, where it gives several."""


class InputWarning(EdgematWarning):
    """Further inputs of a stranger's network, which are constants from then on."""


class PictureWarning(EdgematWarning):
    """A picture that was understood in a way which its owner may not expect."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a remedy sentence that offers the known names nearest to `name`."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(repr(c) for c in close) + "?"
    return "Known: " + ", ".join(names) + "."
