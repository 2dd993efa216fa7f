"""The table of all families, and what a checkpoint that fits one becomes."""

from __future__ import annotations

from collections.abc import Mapping

from edgemat.errors import UsageError, nearest
from edgemat.models.released.a2u import A2U
from edgemat.models.released.denoise import DNCNN
from edgemat.models.released.depth import FASTDEPTH, HU
from edgemat.models.released.dim import DIM
from edgemat.models.released.family import Family
from edgemat.models.released.indexnet import INDEXNET
from edgemat.models.released.mmagic import MMAGIC

FAMILIES: Mapping[str, Family] = {
    family.name: family for family in (INDEXNET, MMAGIC, DIM, A2U, FASTDEPTH, HU, DNCNN)
}


def find_family(name: str) -> Family:
    """Return a family by its name.

    >>> from edgemat.models.released.families import find_family
    >>> find_family("a2u").title
    'A2U matting (dongdong93/a2u_matting)'

    Raises
    ------
    UsageError
        When there is none of that name; the nearest are offered.
    """
    if name not in FAMILIES:
        raise UsageError(
            f"There is no family of released networks {name!r}.", remedy=nearest(name, FAMILIES)
        )
    return FAMILIES[name]
