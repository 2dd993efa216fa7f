"""The parent of an artefact, and the float network at the root."""

from __future__ import annotations

from collections.abc import Iterator

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import SHELF
from edgemat.errors import ArtifactError


def find_parent(artifact: Artifact) -> Artifact:
    """Return the artefact that `artifact` was made from: beside it, or a shipped model.

    Raises
    ------
    ArtifactError
        When there is none.
    """
    parent = look_for_parent(artifact)
    if parent is None:
        raise ArtifactError(
            f"The parent of {artifact.path.name} is not in {artifact.path.parent}.",
            remedy="Keep an artefact beside those that it was made from.",
        )
    return parent


def float_ancestor(artifact: Artifact) -> Artifact:
    """Return the float artefact at the root of `artifact`'s lineage.

    Where what lies between is not there, as with shipped files, it is known by its training: the
    float artefact of the same model, recipe and seed.

    Raises
    ------
    ArtifactError
        When there is none.
    """
    oldest = _oldest(artifact)
    if oldest.manifest.kind == "float":
        return oldest
    for candidate in _around(oldest):
        if _is_trained_as(candidate, oldest):
            candidate.check()
            return candidate
    return find_parent(oldest)  # which says that it is missing


def has_parents(artifact: Artifact) -> bool:
    """Whether all that lies between `artifact` and its float network is there."""
    return _oldest(artifact).manifest.kind == "float"


def _oldest(artifact: Artifact) -> Artifact:
    """Return the float network, or what comes before a gap."""
    while artifact.manifest.kind != "float":
        parent = look_for_parent(artifact)
        if parent is None:
            break
        artifact = parent
    return artifact


def look_for_parent(artifact: Artifact) -> Artifact | None:
    """Return what :func:`find_parent` does, or None; one that is damaged is an error."""
    for candidate in _around(artifact):
        if candidate.manifest.payload_sha256 == artifact.manifest.parent:
            candidate.check()
            return candidate
    return None


def _around(artifact: Artifact) -> Iterator[Artifact]:
    for path in (*sorted(artifact.path.parent.glob("*@*")), *sorted(SHELF.glob("*@*"))):
        yield Artifact(path, check=False)


def _is_trained_as(candidate: Artifact, artifact: Artifact) -> bool:
    one, other = candidate.manifest, artifact.manifest
    return (
        one.kind == "float"
        and one.recipe_sha256 is not None
        and (one.model, one.recipe_sha256, one.seed)
        == (other.model, other.recipe_sha256, other.seed)
    )
