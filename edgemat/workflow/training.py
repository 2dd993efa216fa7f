"""`edgemat train RECIPE`: the training alone, which needs neither NNCF nor a converter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edgemat.artifacts.artifact import Artifact
from edgemat.recipe.adopted import adopted_start, is_adopted, task_of
from edgemat.recipe.load import load_recipe
from edgemat.recipe.schema import ModelSection, Recipe
from edgemat.scoring.evaluate import EvaluationSet
from edgemat.scoring.validation import VALIDATION_SEED, evaluation_set
from edgemat.training.processes import is_helper
from edgemat.workflow.cache import Cache
from edgemat.workflow.stages.training import Notices, train_stage
from edgemat.workflow.step import Destination, Drawn, Step

MADE = {"out": Destination.ARTIFACTS}
TRAINED = MADE | {"work": Destination.WORK}
ANY_DEVICE = {"device": "whoever reads a report must not train anew because she has no GPU"}
ANY_RECIPE = {"recipe_sha256": "the manifest notes by which recipe it was made first"}


@dataclass(frozen=True)
class TrainingSteps:
    """The steps of one model: its training, and what the others begin with.

    Attributes
    ----------
    device:
        Of training.
    """

    section: ModelSection
    recipe: Recipe
    device: str

    @cached_property
    def drawn(self) -> dict[str, Drawn[EvaluationSet]]:
        """The validation set, which all of these steps score on."""
        section, recipe = self.section, self.recipe
        draw = partial(
            evaluation_set,
            section.validation or section.data,
            task=task_of(section),
            size=section.input_size,
            count=recipe.verify.images,
            seed=VALIDATION_SEED + recipe.seed,
            trained_on=section.data,
        )
        return {"validation": Drawn(draw)}

    def train(self) -> Step:
        """Train the network."""
        section, recipe = self.section, self.recipe
        licence = recipe.licence
        if is_adopted(section) and "licence" not in recipe.model_fields_set:
            licence = adopted_start(section).manifest.licence  # its owner's, not edgemat's
        notices = Notices(licence, recipe.data_notice, section.demonstration, section.card)
        call = partial(
            train_stage,
            section.network,
            notices=notices,
            recipe_sha256=recipe.sha256,
            seed=recipe.seed,
            device=self.device,
        )
        return self.step("train", "train", call, TRAINED, unkeyed=ANY_DEVICE | ANY_RECIPE)

    def step(
        self,
        stage: str,
        title: str,
        call: partial[Any],
        destinations: Mapping[str, Destination],
        *,
        unkeyed: Mapping[str, str] | None = None,
    ) -> Step:
        """Return a step of this model."""
        return Step(
            stage,
            f"{self.section.name}: {title}",
            call,
            drawn=self.drawn,
            destinations=destinations,
            unkeyed=unkeyed or {},
            threads=self.recipe.threads,
        )


def train_recipe(
    path: Path, *, folder: Path | None = None, device: str = "auto", changes: Sequence[str] = ()
) -> list[Artifact]:
    """Run the training stage of every model of a recipe; returns the float artefacts.

    Started by `torchrun`, all processes train together; the first alone writes, and has artefacts
    to return.
    """
    recipe = load_recipe(path, changes)
    place = folder or Path("runs") / recipe.name
    if is_helper():
        for one in recipe.models:
            _help_to_train(TrainingSteps(one, recipe, device).train(), Cache(place))
        return []
    with Cache(place) as cache:
        return [cache.make(TrainingSteps(one, recipe, device).train()) for one in recipe.models]


def _help_to_train(step: Step, cache: Cache) -> None:
    """Take part in a training that another process writes, unless that is done already."""
    if cache.has(step):
        return
    with TemporaryDirectory() as scratch:
        step.run(dict.fromkeys(Destination, Path(scratch)))
