"""All that a recipe says, or the training alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.doctor import needs

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.workflow.pipeline import RunResult


@needs("train")
def train(
    recipe: Path | str,
    *,
    output: Path | str | None = None,
    device: str = "auto",
    changes: Sequence[str] = (),
) -> list[Artifact]:
    """Train the networks of a recipe, and nothing else.

    >>> import edgemat
    >>> networks = edgemat.train("recipes/quickstart.toml")
    >>> {network.manifest.kind for network in networks}
    {'float'}

    Parameters
    ----------
    recipe:
        A TOML file, such as recipes/quickstart.toml.
    output:
        Folder for the results and the checkpoints; ``runs/NAME`` by default. A killed training
        resumes from there, to the same hashes.
    device:
        "auto", "cpu", "cuda", "mps", ...
    changes:
        Values of the recipe to set, KEY=VALUE each, such as "models.0.train.steps=10".

    Returns
    -------
    list of Artifact
        A float artefact for each model of the recipe.

    Raises
    ------
    UsageError
        For a recipe that is wrong: the key is named, with the nearest right one.
    TrainingError
        When the loss is not finite.
    MissingToolError
        When torch is not installed.
    """
    from edgemat.workflow.training import train_recipe

    return train_recipe(
        Path(recipe),
        folder=None if output is None else Path(output),
        device=device,
        changes=changes,
    )


@needs("deploy")
def run(
    recipe: Path | str,
    *,
    output: Path | str | None = None,
    device: str = "auto",
    changes: Sequence[str] = (),
) -> RunResult:
    """Do all that a recipe says: train, quantize, convert, verify, measure, judge, report.

    >>> import edgemat
    >>> result = edgemat.run("recipes/quickstart.toml")
    >>> result.failed, result.report.name
    ([], 'report.html')

    Parameters
    ----------
    recipe, output, device, changes:
        As for :func:`train`. A stage whose result is there already is not run again.

    Raises
    ------
    EdgematError
        Whatever a stage raises. What was finished before stays.
    """
    from edgemat.workflow.pipeline import run_recipe

    folder = None if output is None else Path(output)
    return run_recipe(Path(recipe), folder=folder, device=device, changes=changes)
