"""One reader that is tried: what it reads, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reader:
    """A way in which something of a stranger's is read.

    Attributes
    ----------
    write:
        Writes right inputs into a folder; called once.
    read:
        Gets the path of the one file of a copy of the folder that was damaged. It may return, or
        raise an :class:`edgemat.errors.EdgematError` with a remedy.
    share:
        Of all inputs, in ten thousandths.
    damaged:
        Which files are damaged, as patterns.
    mend:
        Called with the copy: makes hashes right again, so that the damage gets past them.
    """

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    share: int
    damaged: tuple[str, ...] = ("*",)
    mend: Callable[[Path], object] = lambda folder: None
