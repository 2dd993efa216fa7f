"""Whose a line of code is: a stranger's, who shall read of it, or a library's."""

from __future__ import annotations

from pathlib import Path

import torch

_EDGEMAT = Path(__file__).parents[2]
_LIBRARIES = (f"{Path(str(torch.__file__)).parent}/", f"{_EDGEMAT}/")
_INSTALLED = ("/site-packages/torch/", "/site-packages/edgemat/")
"""Where these lay on the machine on which a program was traced."""


def is_library(file: str) -> bool:
    """Return whether a source file is one of torch's or edgemat's.

    >>> import torch
    >>> from edgemat.models.adopted.lines import is_library
    >>> is_library("/home/her/edgemat/hernet.py"), is_library(torch.__file__)
    (False, True)
    """
    return file.startswith(_LIBRARIES) or any(place in file for place in _INSTALLED)
