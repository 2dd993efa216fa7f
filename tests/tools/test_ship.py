"""What ships is tied to a recipe of the repository and to a clean commit of its history."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from toy_artifacts import tflite_artifact

from edgemat.artifacts.artifact import Artifact, Manifest
from edgemat.artifacts.shipped import SHELF
from edgemat.errors import UsageError
from edgemat.recipe.load import read_recipe
from tools import ship
from tools.ship import what_lacks

RECIPE = """
name = "a"
[[models]]
name = "m"
architecture = "pspm-slim"
input_size = [64, 64]
train = { steps = 2 }
"""


@pytest.mark.parametrize("path", sorted(SHELF.glob("*@*")), ids=lambda path: path.name)
def test_what_ships_can_be_made_again(path: Path) -> None:
    assert what_lacks(Artifact(path).manifest) == ""


@pytest.mark.parametrize("path", sorted(SHELF.glob("*@*")), ids=lambda path: path.name)
def test_what_ships_was_judged_by_what_was_never_trained_on(path: Path) -> None:
    manifest = Artifact(path).manifest
    validation = manifest.validation
    assert validation is not None and not validation.on_training_pictures
    assert all(one.held_out and one.train for one in validation.splits)
    if manifest.int8_proof is not None:
        assert manifest.int8_proof.origins is not None


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one commit, with one recipe and a table that is none."""
    root = tmp_path / "repository"
    (root / "recipes/weights").mkdir(parents=True)
    (root / "recipes/weights/m.toml").write_text(RECIPE)
    (root / "recipes/weights/bars.toml").write_text("[m]\niou = 0.9\n")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"],
    ):
        subprocess.run(["git", "-C", root, *command], check=True)
    return root


def made_in(root: Path, **changes: object) -> Manifest:
    commit = subprocess.run(
        ["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    sha256 = read_recipe(root / "recipes/weights/m.toml").sha256
    manifest = tflite_artifact(root.parent / "shelf").manifest
    return manifest.model_copy(update={"git": commit, "recipe_sha256": sha256} | changes)


def test_a_clean_commit_and_its_recipe_are_enough(repository: Path) -> None:
    assert what_lacks(made_in(repository), repository) == ""


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"git": None}, "does not say of which commit"),
        ({"git": "0" * 40 + "+dirty"}, "had changes beside commit 00000000"),
        ({"git": "0" * 40}, "not in this history"),
        ({"recipe_sha256": "0" * 64}, "none of those in recipes/"),
    ],
)
def test_what_cannot_be_made_again_is_told(
    repository: Path, changes: dict[str, object], lacking: str
) -> None:
    assert lacking in what_lacks(made_in(repository, **changes), repository)


@pytest.mark.parametrize(
    ("recipe", "lacking"), [(RECIPE, ""), (RECIPE.replace("64, 64", "96, 96"), "is not in")]
)
def test_a_commit_that_was_taken_into_another_needs_its_recipe_there(
    repository: Path, recipe: str, lacking: str
) -> None:
    made = made_in(repository, git="1" * 40)
    (repository / "recipes/weights/m.toml").write_text(recipe)
    commit = ["git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit"]
    subprocess.run([*commit, "--allow-empty", "-qam", "two"], check=True)
    heir = made_in(repository).git
    (repository / "recipes/weights/m.toml").write_text(RECIPE)
    assert "11111111 is not in this history" in what_lacks(made, repository)
    (repository / ship.TAKEN_INTO).parent.mkdir()
    (repository / ship.TAKEN_INTO).write_text(f'[taken-into]\n{"1" * 40} = "{heir}"\n')
    found = what_lacks(made, repository)
    assert lacking in found and bool(lacking) == bool(found)


def test_a_recipe_that_has_changed_is_another(repository: Path) -> None:
    made = made_in(repository)
    (repository / "recipes/weights/m.toml").write_text(RECIPE.replace("64, 64", "96, 96"))
    assert "none of those" in what_lacks(made, repository)


def test_nothing_is_removed_for_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    (shelf / "m@00000000").mkdir(parents=True)
    monkeypatch.setattr(ship, "SHELF", shelf)
    tflite_artifact(tmp_path / "run/artifacts", name="m")
    with pytest.raises(UsageError, match="cannot be made again"):
        ship.ship(tmp_path / "run", "m")
    assert (shelf / "m@00000000").is_dir()
