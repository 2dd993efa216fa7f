"""Sections of a recipe on a network that somebody else wrote: `architecture = "adopted"`.

Its program says what others have in a table of networks: the task, and the only size it takes.
"""

from __future__ import annotations

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import open_artifact
from edgemat.models import MattingTask, model_info
from edgemat.models.adopted.network import ADOPTED
from edgemat.recipe.network import NetworkSection


def is_adopted(section: NetworkSection) -> bool:
    """Return whether a section is on an adopted network."""
    return section.architecture == ADOPTED


def adopted_start(section: NetworkSection) -> Artifact:
    """Open the adopted network of a section, in which `start` is checked to name one."""
    assert section.train.start is not None
    return open_artifact(section.train.start)


def task_of(section: NetworkSection) -> MattingTask:
    """Return what a section's network is for, trimaps or portraits."""
    if is_adopted(section):
        return adopted_start(section).manifest.matting_task
    return model_info(section.architecture).matting_task
