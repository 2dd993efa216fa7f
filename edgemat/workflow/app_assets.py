"""Models for the demo apps: `edgemat export --to android_demo`, `ios_demo`, or `web` (web_app.py).

ASSETS/portrait-int8.tflite          the file; for iOS portrait-int8.mlpackage, and
                                     portrait-int8-coreai.aimodel if asked for
       portrait-int8-pixels.bin      an input: bytes H,W,C, to be multiplied by the feeding's scale
       portrait-int8-alpha.bin       the matte that the file computes for it: float32 H,W
       manifest.json                 how to feed each file; the apps hard-code nothing of it

No torch is needed to put a converted artefact there.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.golden import read_mattes, read_pixels
from edgemat.artifacts.shipped import SHIPPED_TARGET, open_artifact
from edgemat.convert.backends import find_target
from edgemat.convert.backends.coreai import COREAI
from edgemat.convert.backends.coreml import COREML
from edgemat.convert.backends.tflite import TFLITE
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import (
    atomic_path,
    explain_os_errors,
    move_into_place,
    sha256_tree,
    write_json,
)

LISTING = "manifest.json"
SCHEMA_VERSION = 1
SHIPPED = ("portrait", "trimap")
"""The models whose int8 files an app gets unless told otherwise."""


@dataclass(frozen=True)
class App:
    """A demo app's folder.

    Attributes
    ----------
    marker:
        The file that such a folder has.
    assets:
        Where its models lie.
    kinds:
        Of the artefacts that it can run; it gets the first unless another is asked for.
    precisions:
        Of the files that are made from a float artefact unless one is asked for.
    """

    marker: str
    assets: str
    kinds: tuple[str, ...]
    precisions: tuple[str, ...]


WEB = App("app.webmanifest", "models", (TFLITE.runtime,), ("int8",))
APPS = (
    App("settings.gradle.kts", "app/src/main/assets/models", (TFLITE.runtime,), ("int8",)),
    App(
        "MattingDemo.xcodeproj/project.pbxproj",
        "Models",
        (COREML.runtime, COREAI.runtime),
        ("int8", "fp16"),
    ),
    WEB,
)


def find_app(folder: Path) -> App | None:
    """Return which demo app a folder holds, None for any other folder."""
    return next((app for app in APPS if (folder / app.marker).is_file()), None)


def put_shipped(folder: Path) -> list[Path]:
    """Put the shipped int8 models into a demo app; see :func:`put_into_app`.

    Raises
    ------
    UsageError
        When the folder holds no demo app.
    """
    app = find_app(folder)
    if app is None:
        raise UsageError(
            f"{folder} is no demo app, so that it is open what to export there.",
            remedy="Name a model, such as portrait; or export to android_demo.",
        )
    if find_target(SHIPPED_TARGET).runtime not in app.kinds:
        raise UsageError(
            f"edgemat brings no {app.kinds[0]} files: they are made from the float models.",
            remedy=f"Run: edgemat export portrait --to {folder}; then trimap likewise.",
        )
    return put_into_app(
        [open_artifact(name, target=SHIPPED_TARGET) for name in SHIPPED], app, folder
    )


def put_into_app(artifacts: Sequence[Artifact], app: App, folder: Path) -> list[Path]:
    """Copy models to the app's assets and enter them in its manifest.

    A model of the same name and precision is replaced, others stay.

    Returns
    -------
    list of Path
        Everything that was written.

    Raises
    ------
    ArtifactError
        When an artefact is of a kind that the app cannot run.
    """
    assets = folder / app.assets
    with explain_os_errors(assets):
        assets.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    entries = _entries(assets)
    for artifact in artifacts:
        if artifact.manifest.kind not in app.kinds:
            raise ArtifactError(
                f"{artifact.path.name} is {artifact.manifest.kind}, which {folder} cannot run.",
                remedy=f"Give a {' or '.join(app.kinds)} artefact, or a float one.",
            )
        entry, files = _put(artifact, assets, app)
        entries[entry["name"]] = entry
        written += files
    models = [entries[name] for name in sorted(entries)]
    write_json(assets / LISTING, {"schema_version": SCHEMA_VERSION, "models": models})
    return [*written, assets / LISTING]


def _entries(assets: Path) -> dict[str, Mapping[str, Any]]:
    """Return the manifest's models by name, without those whose file has gone."""
    try:
        models = json.loads((assets / LISTING).read_text(encoding="utf-8"))["models"]
        return {one["name"]: one for one in models if (assets / one["file"]).exists()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise ArtifactError(
            f"{assets / LISTING} cannot be read.", remedy="Delete that folder, and export again."
        ) from error


def _put(artifact: Artifact, assets: Path, app: App) -> tuple[dict[str, Any], list[Path]]:
    manifest = artifact.manifest
    precision = find_target(str(manifest.target)).precision
    name = f"{manifest.model}-{precision}"
    if manifest.kind != app.kinds[0]:  # beside the same model in the format of older phones
        name += f"-{manifest.kind}"
    file = assets / f"{name}{artifact.payload.suffix}"
    with tempfile.TemporaryDirectory(dir=assets, prefix=".exporting-") as scratch:
        copy = Path(scratch) / file.name
        if artifact.payload.is_dir():  # a package
            shutil.copytree(artifact.payload, copy)
        else:
            shutil.copyfile(artifact.payload, copy)
        move_into_place(copy, file)
    golden, golden_files = _put_golden(artifact, assets, name)
    entry = {
        "name": name,
        "file": file.name,
        "task": manifest.task,
        "precision": precision,
        "sha256": sha256_tree(file),
        "bytes": manifest.payload_bytes,
        "feeding": manifest.feeding.model_dump(mode="json"),
        "golden": golden,
        "licence": manifest.licence,
        "data_notice": manifest.data_notice,
        "demonstration": manifest.demonstration,
        "card": None if manifest.card is None else manifest.card.model_dump(),
    }
    return entry, [file, *golden_files]


def _put_golden(
    artifact: Artifact, assets: Path, name: str
) -> tuple[dict[str, str] | None, list[Path]]:
    """Write the artefact's first golden input and its own matte, if it has them."""
    if not artifact.mattes.exists():
        return None, []
    pixels, alpha = read_pixels(artifact)[0], read_mattes(artifact)[0].astype("<f4")
    files = {"pixels": assets / f"{name}-pixels.bin", "alpha": assets / f"{name}-alpha.bin"}
    for array, path in zip((pixels, alpha), files.values(), strict=True):
        with atomic_path(path) as temporary:
            temporary.write_bytes(array.tobytes())
    return {what: path.name for what, path in files.items()}, list(files.values())
