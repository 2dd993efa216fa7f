"""The section of a recipe on a network and its training.

Apart from `edgemat.recipe.schema` so that training depends on nothing that comes after it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from edgemat.data.sections import BUILT_IN_SOURCES, DataSection
from edgemat.recipe.sections import TrainSection
from edgemat.section import MAX_SIDE, Section

Side = Annotated[int, Field(ge=32, le=MAX_SIDE)]


class NetworkSection(Section):
    """One network and its training."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    architecture: str = Field(description='"adopted": whatever `train.start` holds')
    config: dict[str, Any] = Field(default={}, description="arguments of the network")
    input_size: tuple[Side, Side] = Field(description="height and width of the mobile files, px")
    data: DataSection = DataSection()
    validation: DataSection | None = Field(
        default=None,
        description="by default what is held out of the training's; another folder is taken whole",
    )
    train: TrainSection

    def folders(self) -> set[str]:
        """Return the folders of the user's that the data name."""
        named: set[str] = set()
        for data in filter(None, (self.data, self.validation)):
            named |= {part.source for part in data.mix or (data,)}
            named |= {part.source for part in data.backgrounds}
        return named - set(BUILT_IN_SOURCES)
