"""Put a run's models where users find them: `python -m tools.ship runs/portrait portrait`.

What was shipped under the same name before is removed. Only what a recipe of this repository and a
clean commit made is shipped, so that anybody can make it again.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from edgemat.artifacts.artifact import Artifact, Manifest
from edgemat.artifacts.shipped import SHELF, SHIPPED_TARGET
from edgemat.errors import UsageError
from edgemat.recipe.load import read_recipe
from edgemat.recipe.schema import Recipe
from edgemat.terminal import run_app

ROOT = Path(__file__).parents[1]
TAKEN_INTO = "tools/commits.toml"

app = typer.Typer(add_completion=False)


@app.command()
def main(
    run: Annotated[Path, typer.Argument(help="Folder of a run, runs/NAME.")],
    model: Annotated[str, typer.Argument(help="Name of the model in its recipe.")],
) -> None:
    """Copy the newest float and int8 artefacts of a model to edgemat/weights."""
    for path in ship(run, model):
        print(path)


def ship(run: Path, model: str) -> list[Path]:
    """Copy both artefacts; returns where they are now.

    Raises
    ------
    UsageError
        When the run has not made them, or nobody could make them again.
    """
    found = []
    for name in (model, f"{model}-{SHIPPED_TARGET}"):
        made = sorted((run / "artifacts").glob(f"{name}@*"), key=lambda path: path.stat().st_mtime)
        if not made:
            raise UsageError(
                f"{run} has no artefact {name}.", remedy="Run its recipe first: edgemat run."
            )
        lacking = what_lacks(Artifact(made[-1]).manifest)
        if lacking:
            raise UsageError(
                f"{made[-1].name} cannot be made again: {lacking}.",
                remedy="Commit everything, its recipe too, and run the recipe anew.",
            )
        found.append((name, made[-1]))
    shipped = []
    for name, path in found:
        for old in SHELF.glob(f"{name}@*"):
            shutil.rmtree(old)
        shipped.append(Path(shutil.copytree(path, SHELF / path.name)))
    return shipped


def what_lacks(manifest: Manifest, root: Path = ROOT) -> str:
    """Return why an artefact cannot be made again from this repository; empty when it can."""
    if manifest.git is None:
        return "it does not say of which commit it is"
    if manifest.git.endswith("+dirty"):
        return f"the source had changes beside commit {manifest.git.removesuffix('+dirty')[:8]}"
    if manifest.recipe_sha256 not in {one.sha256 for one in _recipes(root)}:
        return "its recipe is none of those in recipes/"
    if _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        return ""
    commit = _taken_into(root).get(manifest.git, manifest.git)
    if _git(root, "merge-base", "--is-ancestor", commit, "HEAD").returncode:
        return f"commit {commit[:8]} is not in this history"
    if commit != manifest.git and manifest.recipe_sha256 not in _hashes_at(root, commit):
        return (
            f"its recipe is not in {commit[:8]}, into which its commit is said to have been taken"
        )
    return ""


def _taken_into(root: Path) -> dict[str, str]:
    """Return which commits of this history hold what others did that it has no more."""
    path = root / TAKEN_INTO
    return dict(tomllib.loads(path.read_text())["taken-into"]) if path.exists() else {}


def _hashes_at(root: Path, commit: str) -> set[str]:
    """Return the hashes of a commit's recipes."""
    archive = _git(root, "archive", "--format=tar", commit, "recipes").stdout
    with (
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(fileobj=io.BytesIO(archive)) as opened,
    ):
        opened.extractall(folder, filter="data")
        return {one.sha256 for one in _recipes(Path(folder))}


def _recipes(root: Path) -> Iterator[Recipe]:
    for path in sorted((root / "recipes").rglob("*.toml")):
        if "models" in tomllib.loads(path.read_text()):  # not the table of bars
            yield read_recipe(path)


def _git(root: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", root, *command], capture_output=True)


if __name__ == "__main__":
    sys.exit(run_app(app))
