"""Artefacts: folders written once, that say what they are, where they come from and what they cost.

    NAME@HASH8/manifest.json   the manifest below
               weights.safetensors | model.tflite | model.mlpackage    one payload
               golden.npz      inputs, the float model's alphas for them, and the true ones
               mattes.npz      this artefact's own alphas for them
               quant.json      grids, where quantized

HASH8 is the start of the SHA-256 over the payload and the parts of the manifest that are not
measured, so that the same recipe ends in the same names. The manifest holds the hashes of all other
files, and a seal of itself: whatever is changed later is noticed when the artefact is opened.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgemat.artifacts.feeding import Feeding as Feeding  # a part of the manifest, named with it
from edgemat.artifacts.seal import is_whole
from edgemat.artifacts.vocabulary import (
    TORCH_KINDS,
    ErrorName,
    Importance,
    NetworkTask,
    Region,
)
from edgemat.errors import ArtifactError
from edgemat.files import sha256_file, sha256_tree

if TYPE_CHECKING:
    from edgemat.models.info import MattingTask

MANIFEST = "manifest.json"
GOLDEN = "golden.npz"
MATTES = "mattes.npz"
QUANT = "quant.json"
TRAINING_LOG = "training.jsonl"
FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$"
"""Of what lies in an artefact's folder, and of the artefact: no path leads out of it."""
MAX_MANIFEST_BYTES = 4_000_000
SEALED_SINCE = 2
"""Manifests of this schema version have a seal; older ones may."""
PRUNED_SUFFIX, SPARSE_SUFFIX = "-pruned", "-sparse"
QUANTIZED_SUFFIX, QAT_SUFFIX = "-quantized", "-qat"
COPY_AGAIN = "Copy the whole artefact folder again, or make it anew."
CONVERT_AGAIN = "The file is damaged or of another kind: convert it again."


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Calibration(_Model):
    """The pictures that the quantization ranges were collected on."""

    count: int = Field(description="of distinct pictures")
    seed: int
    sha256: str = Field(description="over the bytes of all calibration inputs, in order")


class Cost(_Model):
    """The cost of a network, before any file is written."""

    parameters: int
    macs: float = Field(description="multiply-accumulates of one picture, in 1e9")


class Pruning(_Model):
    """The way in which a network lost channels."""

    importance: Importance
    macs_before: float = Field(description="multiply-accumulates of one picture, in 1e9")
    parameters_before: int
    left_alone: tuple[str, ...] = Field(
        default=(), description="operators through which channels could not be followed"
    )


class MattingErrors(_Model):
    """The four errors of mattes against the ground truth. Lower is better, 0 is perfect."""

    sad: float = Field(description="sum of absolute differences, in thousands")
    mse: float = Field(description="mean squared error over the region: a plain mean, no root")
    grad: float = Field(
        description="sum of squared differences of the gradient magnitude, divided by 1000"
    )
    conn: float = Field(description="connectivity error, divided by 1000")

    def of(self, name: ErrorName) -> float:
        """Return one of the four by its name."""
        value: float = getattr(self, name)
        return value


class SplitCounts(_Model):
    """The numbers of a folder's foregrounds: trained on, and held out to judge by."""

    source: str
    train: int
    held_out: int
    sha256: str = Field(description="over all names and the part that each is in")


class Validation(_Model):
    """The composites that an artefact was judged by."""

    images: int
    on_training_pictures: bool = Field(
        description="whether foregrounds among them are trained or calibrated on, too"
    )
    splits: tuple[SplitCounts, ...] = Field(
        default=(), description="of each folder; drawn pictures are endless, none comes twice"
    )

    @property
    def words(self) -> str:
        """Say in a sentence what the pictures have to do with those that were trained on."""
        kept = "; ".join(
            f"{one.source}: {one.held_out} of {one.train + one.held_out} foregrounds held out, "
            f"split {one.sha256[:8]}"
            for one in self.splits
        )
        kept = f" ({kept})" if kept else ""
        if self.on_training_pictures:
            return f"{self.images} composites, on training pictures{kept}."
        return f"{self.images} composites of foregrounds that are not trained on{kept}."


class Agreement(_Model):
    """The distance of a file's alpha from its reference's, over the validation inputs."""

    reference: Literal["float", "frozen"]
    runtime: str
    max_abs: float
    mean_abs: float
    psnr_db: float
    images: int
    rounding_db: float | None = Field(
        default=None,
        description="PSNR of the reference in float32 against itself in float64, where asked for",
    )


class GridOrigins(_Model):
    """Who decided on the grids that a file carries at their tensors."""

    nncf: int = Field(default=0, description="as NNCF chose")
    nature: int = Field(default=0, description="fixed by nature: pixels, masks, sigmoids")
    rule: int = Field(default=0, description="unified by rule: concatenation, resizing, pooling")


class Int8Proof(_Model):
    """Read from the file itself: what is really computed in int8."""

    convolutions: int
    int8_convolutions: int
    float_islands: tuple[str, ...] = ()
    scales: int = Field(description="grids in the quantization specification")
    scales_exact: int = Field(description="of those, found bit for bit at their own tensors")
    origins: GridOrigins | None = Field(
        default=None, description="of those found; None in artefacts of before"
    )
    tensors: int | None = Field(
        default=None,
        description="tensors of one picture that were compared with the frozen model's, which "
        "computes as the runtime's kernels do; None in artefacts of before",
    )
    tensors_equal: int | None = Field(
        default=None, description="of those, equal in every value to the last bit"
    )


class Origin(_Model):
    """The released checkpoint that a float network was imported from."""

    file: str = Field(description="its name")
    sha256: str
    bytes: int
    family: str = Field(description="whose network it is; edgemat import --as")
    mean: tuple[float, ...] | None = Field(
        default=None,
        description="of each colour in 0..1: taken off by an affine inside the network, before the "
        "convolutions that see pixels; None where its makers take nothing off",
    )
    deviation: tuple[float, ...] | None = Field(
        default=None, description="what that affine divides each colour by"
    )


class Card(_Model):
    """A notice for those who think of taking a model; written by hand in its recipe."""

    purpose: str = Field(description="what it is for")
    data: str = Field(description="what it was trained on, and under which licences")
    limits: str = Field(description="where it fails, and what it must not be used for")


class Manifest(_Model):
    """Everything that an artefact says of itself."""

    schema_version: Literal[1, 2] = 2
    name: str = Field(pattern=FILE_NAME)
    kind: str = Field(
        pattern=r"^[a-z][a-z0-9]*$", description="float, quantized, or the runtime of a mobile file"
    )
    target: str | None = None
    architecture: str
    config: dict[str, Any]
    task: NetworkTask
    feeding: Feeding
    payload: str = Field(pattern=FILE_NAME)
    payload_sha256: str
    payload_bytes: int
    files: dict[Annotated[str, Field(pattern=FILE_NAME)], str] = Field(
        default={}, description="SHA-256 of every other file of the artefact, by its name"
    )
    parent: str | None = Field(description="SHA-256 of the parent's payload")
    recipe_sha256: str | None = None
    seed: int | None = None
    calibration: Calibration | None = None
    cost: Cost
    scores: dict[Region, MattingErrors] = Field(
        default={}, description="means over the validation composites"
    )
    validation: Validation | None = None
    trimap_miou: float | None = Field(
        default=None, description="of a portrait network's own trimap, three classes"
    )
    agreements: tuple[Agreement, ...] = ()
    int8_proof: Int8Proof | None = None
    hazards: tuple[str, ...] = Field(
        default=(), description="reports of wrong results on phones that concern this file"
    )
    demonstration: bool = Field(description="weights of a short run: not fit for an app")
    licence: str
    data_notice: str
    card: Card | None = None
    pruning: Pruning | None = None
    origin: Origin | None = None
    zeros: float | None = Field(
        default=None, description="share of weights that NNCF set to 0: for the download's size"
    )
    tools: dict[str, str] = {}
    git: str | None = Field(default=None, description="commit of the code, '+dirty' if changed")
    seal: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the manifest's text, with zeros for the seal's digits",
    )

    @property
    def identity(self) -> str:
        """Hex SHA-256 over what the artefact is, leaving out what was measured of it."""
        measured = ("scores", "validation", "trimap_miou", "agreements", "hazards", "tools", "git")
        left_out: dict[str, Any] = dict.fromkeys((*measured, "files", "seal"), True)
        # younger than the first artefacts, whose names must hold
        left_out["int8_proof"] = {"origins", "tensors", "tensors_equal"}
        for younger in ("pruning", "zeros", "origin"):
            if getattr(self, younger) is None:
                left_out[younger] = True
        fields = self.model_dump(mode="json", exclude=left_out) | {"schema_version": 1}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    @property
    def is_mobile(self) -> bool:
        """Whether the payload is a file that a phone runs."""
        return self.kind not in TORCH_KINDS

    @property
    def matting_task(self) -> MattingTask:
        """The task of a matting network.

        Raises
        ------
        ArtifactError
            For a network that does something else.
        """
        if self.task == "trimap" or self.task == "portrait":
            return self.task
        raise ArtifactError(
            f"{self.name} is a network for {self.task}: it mattes nothing.",
            remedy=f"edgemat.load({self.folder_name!r}) returns it as a torch network.",
        )

    @property
    def model(self) -> str:
        """The recipe's name of the model, which all its artefacts' names begin with."""
        name = self.name.removesuffix(f"-{self.target}")
        return name.removesuffix(QUANTIZED_SUFFIX).removesuffix(QAT_SUFFIX)

    @property
    def folder_name(self) -> str:
        return f"{self.name}@{self.identity[:8]}"


class Artifact:
    """An artefact on disk, opened and, unless told otherwise, checked.

    >>> import edgemat
    >>> from edgemat.artifacts.shipped import find_artifact
    >>> edgemat.Artifact(find_artifact("portrait")).manifest.kind
    'float'

    Raises
    ------
    ArtifactError
        When the folder is not an artefact, or what lies in it is not what it was written with.
    """

    def __init__(self, path: Path | str, *, check: bool = True) -> None:
        self.path = Path(path)
        self.manifest = _read_manifest(self.path / MANIFEST)
        named = re.search(r"@([0-9a-f]{8})$", self.path.absolute().name)
        if named is not None and named[1] != self.manifest.identity[:8]:
            raise ArtifactError(
                f"{self.path} is not what its name says: its manifest is of "
                f"{self.manifest.folder_name}.",
                remedy=COPY_AGAIN,
            )
        if check:
            self.check()

    @property
    def payload(self) -> Path:
        return self.path / self.manifest.payload

    @property
    def golden(self) -> Path:
        return self.path / GOLDEN

    @property
    def mattes(self) -> Path:
        return self.path / MATTES

    @property
    def quant(self) -> Path:
        return self.path / QUANT

    def check(self) -> None:
        """Compare the payload and the files beside it with their hashes in the manifest."""
        if not self.payload.exists():
            raise ArtifactError(
                f"{self.path.name} has no payload {self.manifest.payload}.", remedy=COPY_AGAIN
            )
        _compare(self.payload, sha256_tree(self.payload), self.manifest.payload_sha256)
        for name, expected in self.manifest.files.items():
            path = self.path / name
            if not path.is_file():
                raise ArtifactError(f"{self.path.name} has no file {name}.", remedy=COPY_AGAIN)
            _compare(path, sha256_file(path), expected)


def _compare(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise ArtifactError(
            f"{path} is damaged: its SHA-256 is {found[:12]}..., the manifest says "
            f"{expected[:12]}...",
            remedy=COPY_AGAIN,
        )


def _read_manifest(path: Path) -> Manifest:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MANIFEST_BYTES)
        manifest = Manifest.model_validate_json(content)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArtifactError(
            f"{path.parent} is not an artefact: it has no {MANIFEST}.",
            remedy="Give a folder that edgemat wrote, named like NAME@1a2b3c4d.",
        ) from error
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be read: {error.strerror}.", remedy="Check its name and permissions."
        ) from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = "".join(f"{part}: " for part in first["loc"])
        raise ArtifactError(
            f"{path} is not a readable manifest: {place}{first['msg']}.", remedy=COPY_AGAIN
        ) from error
    if manifest.seal is None:
        if manifest.schema_version >= SEALED_SINCE:
            raise ArtifactError(f"{path} has lost its seal.", remedy=COPY_AGAIN)
    elif not is_whole(content, manifest.seal):
        raise ArtifactError(f"{path} was changed after it was written.", remedy=COPY_AGAIN)
    return manifest
