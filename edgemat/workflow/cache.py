"""The pipeline's cache: a stage runs unless its result is there and whole.

A stage's key is the hash of its inputs and of the code that it runs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from edgemat.artifacts.artifact import Artifact
from edgemat.errors import ArtifactError, DiskError
from edgemat.files import write_json
from edgemat.terminal import err

ROOT = Path(__file__).resolve().parents[2]
# The code that each stage's result depends on.
CODE = {
    "train": (
        *(
            "edgemat/models",
            "edgemat/data",
            "edgemat/training/losses.py",
            "edgemat/scoring/metrics.py",
        ),
        *(
            "edgemat/training/loop.py",
            "edgemat/scoring/evaluate.py",
            "edgemat/scoring/validation.py",
            "edgemat/workflow/stages",
        ),
    ),
    "quantize": (
        *(
            "edgemat/models",
            "edgemat/data",
            "edgemat/scoring/metrics.py",
            "edgemat/scoring/evaluate.py",
        ),
        *("edgemat/scoring/validation.py", "edgemat/workflow/stages", "quantize"),
    ),
    "prune": (
        *(
            "edgemat/models",
            "edgemat/data",
            "edgemat/training/losses.py",
            "edgemat/scoring/metrics.py",
        ),
        *(
            "edgemat/training/loop.py",
            "edgemat/scoring/evaluate.py",
            "edgemat/workflow/stages",
            "quantize",
        ),
    ),
    "qat": (
        *(
            "edgemat/models",
            "edgemat/data",
            "edgemat/training/losses.py",
            "edgemat/scoring/metrics.py",
        ),
        *(
            "edgemat/training/loop.py",
            "edgemat/scoring/evaluate.py",
            "edgemat/workflow/stages",
            "quantize",
        ),
    ),
    "convert": (
        *(
            "edgemat/models",
            "edgemat/data",
            "edgemat/scoring/metrics.py",
            "edgemat/scoring/evaluate.py",
        ),
        *("edgemat/scoring/validation.py", "edgemat/workflow/stages", "edgemat/matting/runtime.py"),
        *("quantize", "convert"),
    ),
    "bench": (
        *("bench/devices/device.py", "bench/devices/host.py", "bench/devices/linux.py"),
        *("bench/protocol.py", "bench/result.py", "bench/stats.py", "bench/store.py"),
        "edgemat/matting/runtime.py",
    ),
    "photo": ("edgemat",),
    "report": ("edgemat",),
}


class Stages:
    """The cache: runs a stage unless its result is there and whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.artifacts = folder / "artifacts"
        self.ran: list[str] = []
        if folder.exists() and not folder.is_dir():
            raise DiskError(
                f"{folder} is a file; a run needs a folder.", remedy="Give another --output."
            )
        for leftover in self.artifacts.glob(".*"):  # of a run that was killed
            shutil.rmtree(leftover, ignore_errors=True)

    def run(
        self,
        stage: str,
        title: str,
        inputs: Mapping[str, Any],
        make: Callable[[Path], dict[str, Any]],
    ) -> dict[str, Any]:
        """Return the stage's result, a JSON object, by the cache or by `make`.

        Parameters
        ----------
        inputs:
            Everything that the result depends on, beside the code.
        make:
            Called with a folder for unfinished work. An "artifact" in its result names a folder
            in ``artifacts``, which must be whole for the cache to count.
        """
        key = _key(stage, inputs)
        record = self.folder / "stages" / f"{key}.json"
        known = self._read(record)
        if known is not None:
            err.print(f"[dim]{title}: up to date[/dim]")
            return known
        started = time.monotonic()
        work = self.folder / "work" / key
        result = make(work)
        write_json(record, result)
        shutil.rmtree(work, ignore_errors=True)
        self.ran.append(title)
        err.print(f"{title}: done in {time.monotonic() - started:.0f} s")
        return result

    def open(self, result: Mapping[str, Any]) -> Artifact:
        return Artifact(self.artifacts / result["artifact"], check=False)

    def _read(self, record: Path) -> dict[str, Any] | None:
        try:
            known: dict[str, Any] = json.loads(record.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if "artifact" in known:
            try:
                Artifact(self.artifacts / known["artifact"])
            except ArtifactError as error:
                err.print(f"[yellow]{error.message} It is made anew.[/yellow]")
                return None
        if any(not (self.folder / name).exists() for name in known.get("files", ())):
            return None
        return known


def _key(stage: str, inputs: Mapping[str, Any]) -> str:
    content = {"stage": stage, "inputs": inputs, "code": _code_hash(stage)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def identity_of(path: Path) -> str:
    """Return what tells a user's file or folder apart: names, sizes and times of change."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


@cache
def _code_hash(stage: str) -> str:
    digest = hashlib.sha256()
    for name in CODE[stage]:
        path = ROOT / name
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for file in files:
            digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
