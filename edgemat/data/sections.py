"""The names of a user's data: the sections of a recipe that :mod:`edgemat.data.open` opens."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from edgemat.data.layouts.table import DatasetLayout
from edgemat.data.sample import DatasetPart, Use
from edgemat.section import Section, wrong

# Sources that are no folders of the user's.
BUILT_IN_SOURCES = ("procedural", "people", "empty")
AUTO: Literal["auto"] = "auto"
PEOPLE = Path(__file__).parents[1] / "assets" / "people"


def source_path(name: str) -> Path:
    """Return the folder that a source's name means: "people" is the set that edgemat brings."""
    return PEOPLE if name == "people" else Path(name)


def opened_part(part: DatasetPart | Literal["auto"]) -> DatasetPart:
    """Return the part that is opened where no other use is said: of "auto", what is trained on."""
    return "train" if part == AUTO else part


class SourceSection(Section):
    """One place that mattes come from."""

    source: str = Field(
        default="procedural",
        description='"procedural", "people" (the set that edgemat brings), "empty" (backgrounds '
        "alone), or a folder",
    )
    kinds: Literal["all", "portrait", "objects"] = "all"
    layout: DatasetLayout = Field(
        default="own", description="of a folder; `edgemat data layouts` shows them all"
    )
    use: Use = Field(default="auto", description="which colours of a folder that has both")
    part: DatasetPart | Literal["auto"] = Field(
        default=AUTO,
        description="auto: what is trained on is held out from validation; see edgemat.data.split",
    )
    weight: float = Field(default=1.0, gt=0, description="share in a mix")
    ignore_below: float = Field(
        default=0.0, ge=0, lt=1, description="share of a view below which a part teaches nothing"
    )

    @model_validator(mode="after")
    def _only_folders_have_a_layout(self) -> SourceSection:
        if self.layout != "own" and self.source in BUILT_IN_SOURCES:
            raise wrong(f'layout beside source = "{self.source}"', "It is for a folder.")
        return self

    @model_validator(mode="after")
    def _only_folders_have_small_parts(self) -> SourceSection:
        if self.ignore_below and self.source in BUILT_IN_SOURCES:
            raise wrong(
                f'ignore_below beside source = "{self.source}"',
                "It is for a folder of photographs; leave it out.",
            )
        return self

    def paths(self) -> Iterable[Path]:
        return () if self.source in ("procedural", "empty") else (source_path(self.source),)


class BackgroundSection(Section):
    """One place that backgrounds come from."""

    source: str = Field(description='"procedural", or a folder of photographs')
    surroundings: bool = Field(
        default=False, description="what lies beside the people of a folder of mattes"
    )
    part: DatasetPart | Literal["auto"] = AUTO
    weight: float = Field(default=1.0, gt=0)

    def paths(self) -> Iterable[Path]:
        return () if self.source == "procedural" else (source_path(self.source),)


class DataSection(SourceSection):
    """The source of mattes and backgrounds, or a mix of several."""

    mix: tuple[SourceSection, ...] = ()
    backgrounds: tuple[BackgroundSection, ...] = Field(
        default=(), description="by default the source's own"
    )
