"""The parent of an artefact, and the float network at the root."""

from __future__ import annotations

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
    for path in (*sorted(artifact.path.parent.glob("*@*")), *sorted(SHELF.glob("*@*"))):
        candidate = Artifact(path, check=False)
        if candidate.manifest.payload_sha256 == artifact.manifest.parent:
            candidate.check()
            return candidate
    raise ArtifactError(
        f"The parent of {artifact.path.name} is not in {artifact.path.parent}.",
        remedy="Keep an artefact beside those that it was made from.",
    )


def float_ancestor(artifact: Artifact) -> Artifact:
    """Return the float artefact at the root of `artifact`'s lineage."""
    while artifact.manifest.kind != "float":
        artifact = find_parent(artifact)
    return artifact
