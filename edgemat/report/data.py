"""The data of a report: what a run made of each model, with its verdicts and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgemat.artifacts.artifact import QAT_SUFFIX, Artifact, Manifest
from edgemat.bench.result import Result
from edgemat.convert.layer_parity import LayerTable
from edgemat.images import F32, U8
from edgemat.recipe.schema import ModelSection
from edgemat.scoring.bounds import Verdict


@dataclass(frozen=True)
class ModelRun:
    """The artefacts that a run made of one model of the recipe.

    Attributes
    ----------
    files:
        The mobile files.
    layers:
        Of int8 files, by target: differences from the frozen model.
    """

    section: ModelSection
    trained: Artifact
    pruned: Artifact | None = None
    quantized: Artifact | None = None
    qat: Artifact | None = None
    files: tuple[Artifact, ...] = ()
    layers: Mapping[str, tuple[LayerTable, ...]] = field(default_factory=dict)

    @property
    def float_model(self) -> Artifact:
        """The network that is quantized and converted."""
        return self.pruned or self.trained

    @property
    def artifacts(self) -> list[Artifact]:
        """All that the run made, from the trained network to the mobile files."""
        steps = (self.trained, self.pruned, self.quantized, self.qat)
        return [*(a for a in steps if a is not None), *self.files]

    def file(self, target: str) -> Artifact | None:
        return next((f for f in self.files if f.manifest.target == target), None)


@dataclass(frozen=True)
class FileReport:
    """One artefact of a model: its float or frozen form, or a mobile file.

    Attributes
    ----------
    layers:
        Differences from the frozen model tensor by tensor, for each way in which the file ran.
    """

    manifest: Manifest
    layers: tuple[LayerTable, ...] = ()

    @property
    def label(self) -> str:
        """Return the name by which tables and plots call the file within its model."""
        if self.manifest.kind == "quantized":
            trained = self.manifest.name.endswith(QAT_SUFFIX)
            return "frozen model (QAT)" if trained else "frozen model (PTQ)"
        if self.manifest.kind == "float":
            return "float model" if self.manifest.pruning is None else "pruned float model"
        return self.manifest.target or self.manifest.kind

    @property
    def is_mobile(self) -> bool:
        return self.manifest.is_mobile


@dataclass(frozen=True)
class MatteSample:
    """One validation sample with the matte that every file gives for it.

    Attributes
    ----------
    image:
        HxWx3 RGB, uint8 or float32 in 0..1.
    truth:
        HxW float32 in 0..1, the true alpha.
    mattes:
        :attr:`Manifest.name` to HxW float32 alpha. The float and the frozen model's belong here
        too: the others are compared with them.
    trimap:
        HxW uint8 in {0, 128, 255}, where the model takes one.
    """

    image: U8 | F32
    truth: F32
    mattes: Mapping[str, F32]
    trimap: U8 | None = None


@dataclass(frozen=True)
class ModelReport:
    """One trained model and everything made of it.

    Attributes
    ----------
    files:
        All artefacts, from the float model on; the one of kind "float" is the reference of the
        scores.
    training_log:
        The lines of the training log: "step", "loss", the loss's parts, and now and then figures
        of the validation set, whose names begin with "val_".
    """

    name: str
    task: str
    architecture: str
    files: tuple[FileReport, ...]
    training_log: tuple[Mapping[str, float], ...] = ()
    samples: tuple[MatteSample, ...] = ()

    def file_of_kind(self, kind: str) -> FileReport | None:
        """Return the first artefact of a kind ("float", "quantized", or a runtime)."""
        return next((f for f in self.files if f.manifest.kind == kind), None)

    def parent_of(self, file: FileReport) -> FileReport | None:
        """Return the artefact that `file` was made from."""
        sha256 = file.manifest.parent
        return next((f for f in self.files if f.manifest.payload_sha256 == sha256), None)

    def file_of_target(self, target: str) -> FileReport | None:
        """Return the artefact of a target ("tflite-int8", ...)."""
        return next((f for f in self.files if f.manifest.target == target), None)


@dataclass(frozen=True)
class GateRow:
    """One verdict of the gate and what it is about.

    Attributes
    ----------
    model, file:
        :attr:`ModelReport.name` and :attr:`FileReport.label`.
    scope:
        What the figure was taken over and compared with, in words, with its unit:
        "unknown region, against the float model", "dB, against the frozen model in LiteRT".
    """

    model: str
    file: str
    verdict: Verdict
    scope: str = ""


@dataclass(frozen=True)
class CutOut:
    """The pictures of a photograph that was cut out, in the run's folder.

    Attributes
    ----------
    files:
        Names of the pictures.
    model:
        Name of the artefact that made the matte.
    """

    files: tuple[str, ...]
    model: str


@dataclass(frozen=True)
class PhotoReport:
    """The real photograph that was cut out at the end.

    Attributes
    ----------
    image, replaced, blurred:
        HxWx3 RGB, uint8 or float32 in 0..1: the original, with a new background, with the
        background blurred.
    alpha:
        HxW float32 in 0..1.
    cutout:
        HxWx4 RGBA, not premultiplied.
    model:
        The file that made the matte, as a reader would look it up.
    credit:
        Title, author and licence of the photograph.
    album:
        HxWx3 uint8: a sheet of more photographs beside their cut-outs.
    """

    image: U8 | F32
    alpha: F32
    cutout: U8 | F32
    replaced: U8 | F32
    blurred: U8 | F32
    model: str
    credit: str = ""
    album: U8 | None = None


@dataclass(frozen=True)
class ReportData:
    """Everything that the report tells.

    Attributes
    ----------
    created:
        UTC, ISO 8601.
    circumstances:
        What the run depended on beside the recipe (machine, device, time taken), label to value.
    demonstrations:
        Models whose weights are those of a run of minutes; the report says so at the top.
    benches:
        Every measurement. One without its circumstances is not printed.
    skipped:
        What was not done, a sentence each with the reason.
    int8_is_slow_here:
        Whether this processor lacks what makes int8 fast on phones.
    """

    recipe_name: str
    recipe_text: str
    created: str
    circumstances: Mapping[str, object]
    demonstrations: tuple[str, ...]
    models: tuple[ModelReport, ...]
    benches: tuple[Result, ...] = ()
    gates: tuple[GateRow, ...] = ()
    photo: PhotoReport | None = None
    skipped: tuple[str, ...] = ()
    int8_is_slow_here: bool = False
