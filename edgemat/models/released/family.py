"""A family of released networks: whose they are, their names, and how their papers feed them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edgemat.models.count import on_paper
from edgemat.models.pretrained.renaming import CheckpointLayout, Renaming, renamed_by
from edgemat.models.pruned import Shape, shapes_of


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network of a family.

    Attributes
    ----------
    architecture, config:
        What :func:`edgemat.models.create_model` calls it.
    rows:
        Their names beside edgemat's.
    """

    architecture: str
    rows: tuple[Renaming, ...]
    config: Mapping[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each of edgemat's tensors."""
        network = on_paper(self.architecture, **self.config)
        return shapes_of(network.state_dict())

    @functools.cached_property
    def layout(self) -> CheckpointLayout:
        """Which of the checkpoint's each of edgemat's tensors is."""
        return CheckpointLayout.of(self.architecture, renamed_by(self.rows), self.shapes)


@dataclass(frozen=True, kw_only=True)
class Family:
    """Networks that one public repository releases.

    Attributes
    ----------
    name:
        What ``edgemat import --as`` calls it.
    title:
        Whose they are.
    members:
        The first that fits is taken: two that compute differently differ in names or shapes.
    pixels:
        The parts of the network whose first convolutions see the input.
    normalised:
        Whether they see colours less ImageNet's mean over its deviation; a trimap stays as it is.
    fit:
        What their authors do with a picture of any size, by the words of a manifest's feeding; None
        where a network mattes nothing.
    size:
        Height and width that files take unless told otherwise.
    """

    name: str
    title: str
    members: tuple[Member, ...]
    pixels: tuple[str, ...] = ("encoder",)
    normalised: bool = True
    fit: Literal["resize", "pad"] | None = None
    size: tuple[int, int] = (320, 320)
