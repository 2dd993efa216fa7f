"""The two largest released networks in narrow forms, so that tests take seconds."""

from __future__ import annotations

import dataclasses

from edgemat.models.released.depth import HU
from edgemat.models.released.dim import DIM
from edgemat.models.released.family import Family


def _with_width(family: Family, width: float) -> Family:
    (member,) = family.members
    members = (member, dataclasses.replace(member, config={"width": width}))
    return dataclasses.replace(family, members=members)


NARROW = {"dim": _with_width(DIM, 1 / 8), "hu-depth": _with_width(HU, 1 / 4)}
"""To stand for the families of these names: they know both widths."""
