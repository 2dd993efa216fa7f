"""The base of everything that a user writes in a file: recipes, bars, albums."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

# Above these a number is a slip of the pen, and would end in too little memory.
MAX_SIDE, MAX_PICTURES, MAX_THREADS, MAX_SEED = 16_384, 1_000_000, 1024, 2**31 - 1


def wrong(problem: str, remedy: str) -> PydanticCustomError:
    """Return a complaint that says what to do about it."""
    return PydanticCustomError("wrong", "{problem}", {"problem": problem, "remedy": remedy})


class Section(BaseModel):
    """Base: no unknown keys, nothing that changes, no infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def paths(self) -> Iterable[Path]:
        """Return the files and folders that this section names, without those of its parts."""
        return ()
