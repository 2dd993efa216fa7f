"""Artefacts in the making: what a stage says of one, and how its folder is written."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from edgemat.artifacts.artifact import (
    MANIFEST,
    Agreement,
    Artifact,
    Calibration,
    Card,
    Cost,
    Feeding,
    Int8Proof,
    Manifest,
    MattingErrors,
    Origin,
    Pruning,
    Validation,
)
from edgemat.artifacts.seal import BLANK, seal_text
from edgemat.artifacts.vocabulary import NetworkTask, Region
from edgemat.files import explain_os_errors, sha256_file, sha256_tree, size_bytes, write_text

TOOLS = ("torch", "nncf", "numpy")
"""On whose versions the bytes of any artefact may depend."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The fields of a :class:`Manifest` that a stage fills; the others are read off the payload.

    Attributes
    ----------
    payload:
        Name of the file or folder that the stage writes.
    parent:
        SHA-256 of the parent's payload.
    made_with:
        Tools beside :data:`TOOLS`, whose versions the manifest names as well.
    """

    name: str
    kind: str
    payload: str
    parent: str | None
    architecture: str
    config: Mapping[str, Any]
    task: NetworkTask
    feeding: Feeding
    cost: Cost
    demonstration: bool
    licence: str
    data_notice: str
    target: str | None = None
    recipe_sha256: str | None = None
    seed: int | None = None
    calibration: Calibration | None = None
    scores: Mapping[Region, MattingErrors] = field(default_factory=dict)
    validation: Validation | None = None
    trimap_miou: float | None = None
    agreements: tuple[Agreement, ...] = ()
    int8_proof: Int8Proof | None = None
    hazards: tuple[str, ...] = ()
    card: Card | None = None
    pruning: Pruning | None = None
    origin: Origin | None = None
    made_with: tuple[str, ...] = ()
    zeros: float | None = None

    def finish(self, folder: Path) -> Manifest:
        """Return the manifest of what lies in `folder`, made with this machine's tools; no seal."""
        payload = folder / self.payload
        beside = sorted(path for path in folder.iterdir() if path.is_file() and path != payload)
        return Manifest(
            **{name: value for name, value in vars(self).items() if name != "made_with"},
            payload_sha256=sha256_tree(payload),
            payload_bytes=size_bytes(payload),
            files={path.name: sha256_file(path) for path in beside},
            tools=tool_versions(self.made_with),
            git=git_state(),
        )


def draft_child(parent: Artifact) -> Draft:
    """Return what an artefact made of `parent` has in common with it.

    Its name, kind, payload and feeding are the parent's: a stage replaces those that change, and
    adds what it measured.
    """
    manifest = parent.manifest
    return Draft(
        name=manifest.name,
        kind=manifest.kind,
        payload=manifest.payload,
        parent=manifest.payload_sha256,
        architecture=manifest.architecture,
        config=manifest.config,
        task=manifest.task,
        feeding=manifest.feeding,
        cost=manifest.cost,
        demonstration=manifest.demonstration,
        licence=manifest.licence,
        data_notice=manifest.data_notice,
        recipe_sha256=manifest.recipe_sha256,
        seed=manifest.seed,
        card=manifest.card,
        pruning=manifest.pruning,
        origin=manifest.origin,
        zeros=manifest.zeros,
    )


def write_artifact(shelf: Path, fill: Callable[[Path], object], draft: Draft) -> Artifact:
    """Write one artefact into the folder `shelf`, whole or not at all.

    Parameters
    ----------
    fill:
        Called with an empty folder; writes the payload and the files beside it.
    draft:
        What the stage says of it.
    """
    with tempfile.TemporaryDirectory(prefix=".building-", dir=_existing(shelf)) as scratch:
        folder = Path(scratch) / "artifact"
        folder.mkdir()
        with explain_os_errors(shelf):
            fill(folder)
        manifest = draft.finish(folder).model_copy(update={"seal": BLANK})
        write_text(folder / MANIFEST, seal_text(manifest.model_dump_json(indent=2) + "\n"))
        target = shelf / manifest.folder_name
        if target.exists():  # the same content, perhaps damaged since: the new one replaces it
            shutil.rmtree(target)
        os.replace(folder, target)
    return Artifact(target, check=False)


def _existing(folder: Path) -> Path:
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def tool_versions(more: Sequence[str] = ()) -> dict[str, str]:
    """Return the versions of Python and of the tools that an artefact's bytes depend on.

    Parameters
    ----------
    more:
        Further tools, of the runtime that a file is for.
    """
    versions = {"python": platform.python_version(), "edgemat": _version("edgemat")}
    return versions | {tool: _version(tool) for tool in (*TOOLS, *more)}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


def git_state() -> str | None:
    """Return the commit of this source tree, "+dirty" if it has changes; None outside of git."""
    here = Path(__file__).parent
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(here), *command],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for command in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+dirty" if changes else "")
