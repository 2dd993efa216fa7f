"""The folder of an app that takes its models from `edgemat export`: what it says, what it gets.

FOLDER/edgemat-app.toml        where the app wants its models, and which kinds of file
FOLDER/MODELS/manifest.json    all models in it: how each is fed, and what it may be used for
FOLDER/MODELS/NAME.mlpackage   or .tflite
FOLDER/MODELS/NAME-golden.u8   a picture as the file takes it, H,W,C bytes
FOLDER/MODELS/NAME-golden.f32  the alpha that the file computes for it, H,W float32, little-endian

The golden files are raw, because every language reads that without a library.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from convert.target import Target, find_target
from edgemat.artifact import Card, Feeding, Manifest
from edgemat.errors import ArtifactError, UsageError
from edgemat.evaluate import F32, U8
from edgemat.files import atomic_path, explain_os_errors, write_json

APP_FILE = "edgemat-app.toml"
MANIFEST = "manifest.json"


class AppSettings(BaseModel):
    """The content of ``edgemat-app.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: str = Field(description="folder for the models, relative to the app's folder")
    targets: tuple[str, ...] = Field(min_length=1, description="such as coreml-fp16")


class GoldenFiles(BaseModel):
    """Files beside the model that an app checks its own output against."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pixels: str = Field(description="a picture as the file takes it, H,W,C bytes")
    alpha: str = Field(description="what the file computes for it, H,W float32, little-endian")


class AppModel(BaseModel):
    """One model of an app, as far as an app needs to know it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="such as portrait-int8")
    file: str
    task: Literal["trimap", "portrait"]
    target: str = Field(description="such as coreml-w8a8")
    precision: Literal["fp32", "fp16", "int8"]
    sha256: str
    bytes: int
    feeding: Feeding
    golden: GoldenFiles
    demonstration: bool
    licence: str
    data_notice: str
    card: Card | None

    @classmethod
    def describe(cls, name: str, file: str, golden: GoldenFiles, manifest: Manifest) -> Self:
        """Return what an app needs to know of an artefact's payload that it has as `file`."""
        assert manifest.target is not None  # only converted files go into an app
        return cls(
            name=name,
            file=file,
            task=manifest.task,
            target=manifest.target,
            precision=find_target(manifest.target).precision,
            sha256=manifest.payload_sha256,
            bytes=manifest.payload_bytes,
            feeding=manifest.feeding,
            golden=golden,
            demonstration=manifest.demonstration,
            licence=manifest.licence,
            data_notice=manifest.data_notice,
            card=manifest.card,
        )


class AppManifest(BaseModel):
    """What an app reads at its start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = 1
    models: tuple[AppModel, ...] = ()


@dataclass(frozen=True)
class AppFolder:
    """An app that takes models.

    Attributes
    ----------
    models:
        The folder that they are written into.
    targets:
        The kinds of file that the app runs.
    """

    models: Path
    targets: tuple[Target, ...]

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """Return what `folder` says of itself, None where it is no app's.

        Raises
        ------
        UsageError
            When its ``edgemat-app.toml`` cannot be understood.
        """
        path = folder / APP_FILE
        if not path.is_file():
            return None
        try:
            text = path.read_text(encoding="utf-8")
            settings = AppSettings.model_validate(tomllib.loads(text))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} cannot be understood: {_first_line(error)}.",
                remedy='It has two lines, such as: models = "Models" and '
                'targets = ["coreml-fp16"].',
            ) from error
        targets = tuple(find_target(name) for name in settings.targets)
        return cls(folder / settings.models, targets)

    def read(self) -> AppManifest:
        """Return what the app has by now.

        Raises
        ------
        ArtifactError
            When the manifest is damaged.
        """
        path = self.models / MANIFEST
        if not path.exists():
            return AppManifest()
        try:
            return AppManifest.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ArtifactError(
                f"{path} is damaged: {error.errors()[0]['msg']}.",
                remedy="Remove it and export all models of the app again.",
            ) from error

    def write_golden(self, name: str, pixels: U8, alpha: F32) -> GoldenFiles:
        """Write a picture, H,W,C, and the alpha that the model `name` computes for it, H,W."""
        files = GoldenFiles(pixels=f"{name}-golden.u8", alpha=f"{name}-golden.f32")
        for file, content in (
            (files.pixels, pixels.tobytes()),
            (files.alpha, alpha.astype("<f4").tobytes()),
        ):
            with (
                explain_os_errors(self.models),
                atomic_path(self.models / file) as temporary,
            ):
                temporary.write_bytes(content)
        return files

    def add(self, model: AppModel) -> None:
        """Enter a model into the manifest; it takes the place of one of the same name."""
        others = [known for known in self.read().models if known.name != model.name]
        models = sorted([*others, model], key=lambda one: one.name)
        manifest = AppManifest(models=tuple(models))
        write_json(self.models / MANIFEST, manifest.model_dump(mode="json"))


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first: Any = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).splitlines()[0]

