"""The frontier: error against latency and size, over all that was made of one task's models.

`edgemat frontier FILE...` takes .tflite artefacts (float, PTQ, QAT, pruned, of any input size),
runs every one on the same pictures at full resolution, as an app would, measures all in turns, and
marks those that no other beats in both error and cost.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from edgemat.errors import UsageError
from edgemat.files import write_json, write_text

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.bench.result import Result
    from edgemat.scoring.evaluate import EvaluationSet

PICTURE_SIZE = 512
TABLE, PLOT, DATA = "frontier.md", "frontier.svg", "frontier.json"


@dataclass(frozen=True)
class Candidate:
    """One file, what it costs and how wrong it is.

    Attributes
    ----------
    kind:
        "float32", "float16", "PTQ" or "QAT"; with ", pruned" where channels have left.
    size:
        Height and width that the network sees.
    sad, grad:
        In the unknown region of pictures of 512 x 512, means.
    best_for_latency, best_for_size:
        No other file is both as right (in SAD) and as cheap.
    """

    name: str
    kind: str
    size: tuple[int, int]
    gmacs: float
    megabytes: float
    p50_ms: float
    quiet: bool
    sad: float
    grad: float
    best_for_latency: bool = False
    best_for_size: bool = False

    @property
    def best_for(self) -> str:
        """In words: "latency", "size", both or neither."""
        marks = (("latency", self.best_for_latency), ("size", self.best_for_size))
        return ", ".join(word for word, marked in marks if marked)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Frontier:
    """The results that `edgemat frontier` left in a folder.

    Attributes
    ----------
    plot:
        The SVG as a data URI.
    """

    candidates: tuple[Candidate, ...]
    plot: str


def read_frontier(folder: Path) -> Frontier:
    """Read a frontier back, for the report.

    Raises
    ------
    UsageError
        When the folder holds none.
    """
    try:
        rows = (folder / DATA).read_bytes()
        plot = base64.b64encode((folder / PLOT).read_bytes()).decode()
        candidates = TypeAdapter(tuple[Candidate, ...]).validate_json(rows)
    except (OSError, ValueError) as error:  # pydantic's is a ValueError
        raise UsageError(
            f"{folder} holds no frontier.",
            remedy="Run: edgemat frontier FILE... -o FOLDER",
        ) from error
    return Frontier(candidates, f"data:image/svg+xml;base64,{plot}")


def pareto(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Return, for each (cost, error), whether no other is at most as high in both and less in one.

    >>> from edgemat.bench.frontier import pareto
    >>> pareto([(1, 5), (2, 3), (3, 4), (4, 1)])
    [True, True, False, True]
    """

    def beaten(one: tuple[float, float]) -> bool:
        return any(other[0] <= one[0] and other[1] <= one[1] and other != one for other in points)

    return [not beaten(point) for point in points]


def find_frontier(
    files: Sequence[Artifact], pictures: EvaluationSet, *, threads: int = 1, seconds: float = 5.0
) -> list[Candidate]:
    """Score and measure .tflite artefacts of one task; the fastest first.

    Raises
    ------
    UsageError
        When a file is no .tflite, or the tasks differ.
    """
    from edgemat.bench.devices.host import bench_host
    from edgemat.bench.protocol import Protocol

    check_files(files)
    results = bench_host(
        {file.path.name: file.payload for file in files},
        threads=(threads,),
        protocol=Protocol(seconds=seconds),
    )
    found = [
        _candidate(file, result, pictures) for file, result in zip(files, results, strict=True)
    ]
    return sorted(_marked(found), key=lambda c: c.p50_ms)


def _candidate(file: Artifact, result: Result, pictures: EvaluationSet) -> Candidate:
    """Matte the pictures with a file, and put its errors beside its latency."""
    from edgemat.matting.matte import matte
    from edgemat.progress import track
    from edgemat.scoring.evaluate import score

    manifest = file.manifest
    pairs = zip(pictures.pixels, pictures.trimaps, strict=True)
    alphas = [
        matte(pixels[..., :3], trimap if pictures.needs_trimap else None, model=file)
        for pixels, trimap in track(pairs, f"{manifest.name}: mattes", len(pictures))
    ]
    scores = score(np.stack(alphas), pictures)["unknown"]
    return Candidate(
        name=file.path.name,
        kind=_kind(file),
        size=(manifest.feeding.height, manifest.feeding.width),
        gmacs=manifest.cost.macs,
        megabytes=manifest.payload_bytes / 1e6,
        p50_ms=result.latency.p50_ms,
        quiet=result.verdict == "valid",
        sad=scores.sad,
        grad=scores.grad,
    )


def _marked(found: Sequence[Candidate]) -> list[Candidate]:
    """Return the same, those marked that no other beats."""
    fast = pareto([(c.p50_ms, c.sad) for c in found])
    small = pareto([(c.megabytes, c.sad) for c in found])
    return [
        replace(c, best_for_latency=f, best_for_size=s)
        for c, f, s in zip(found, fast, small, strict=True)
    ]


def check_files(files: Sequence[Artifact]) -> None:
    """Refuse what has no place on one frontier.

    Raises
    ------
    UsageError
        When a file is no .tflite, or the tasks differ.
    """
    for file in files:
        if file.manifest.kind != "tflite":
            raise UsageError(
                f"{file.path.name} is {file.manifest.kind}, not a .tflite file.",
                remedy="Convert it first: edgemat convert ARTEFACT --target tflite-int8.",
            )
    tasks = sorted({file.manifest.task for file in files})
    if len(tasks) > 1:
        raise UsageError(
            "Portrait and trimap models answer different questions.",
            remedy="Give files of one task.",
        )


def _kind(file: Artifact) -> str:
    """Return the precision of a file, and how an int8 one came to its grids."""
    from edgemat.artifacts.artifact import QAT_SUFFIX
    from edgemat.artifacts.lineage import find_parent
    from edgemat.convert.backends import find_target
    from edgemat.errors import ArtifactError

    manifest = file.manifest
    floats = {"fp32": "float32", "fp16": "float16"}
    kind = floats.get(find_target(str(manifest.target)).precision, "int8")
    if kind == "int8":
        try:
            trained = find_parent(file).manifest.name.endswith(QAT_SUFFIX)
            kind = "QAT" if trained else "PTQ"
        except ArtifactError:
            pass  # a shipped file lies without its parent
    return kind + (", pruned" if manifest.pruning is not None else "")


def write_frontier(found: Sequence[Candidate], folder: Path) -> None:
    """Write the data and a table in Markdown into `folder`; the plot is drawn by its caller."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / DATA, [candidate.to_json() for candidate in found])
    header = "| file | kind | input | G MACs | MB | p50, ms | SAD | Grad | best for |"
    lines = [header, "|---|---|---|---|---|---|---|---|---|"]
    for c in found:
        lines.append(
            f"| {c.name} | {c.kind} | {c.size[0]}x{c.size[1]} | {c.gmacs:.2f} | {c.megabytes:.2f} "
            f"| {c.p50_ms:.2f}{'' if c.quiet else ' (!)'} | {c.sad:.3f} | {c.grad:.3f} "
            f"| {c.best_for} |"
        )
    write_text(folder / TABLE, "\n".join(lines) + "\n")
