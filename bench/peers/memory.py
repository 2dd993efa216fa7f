"""Peak memory of one contestant on one photograph, each in a process of its own.

The figure is the peak of a process that loads the contestant and makes one matte, minus that of a
process that imports the same modules and reads the same photograph but makes none. It counts the
model, the runtime's working memory and the full-size arrays around it.

    python -m edgemat.bench.peers.memory JSON      the work of one such process; prints bytes
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from edgemat.bench.child import run_child
from edgemat.bench.devices.host import peak_rss_bytes
from edgemat.bench.peers.contestants import Entry
from edgemat.bench.peers.entries import open_entry
from edgemat.bench.peers.pictures import Photo
from edgemat.images import read_image, read_trimap

MODULES = {
    "litert": "ai_edge_litert.interpreter",
    "torch": "torch",
    "onnxruntime": "onnxruntime",
    "pymatting": "pymatting",
}
"""Runtime, as in the contestants' facts, to the module that brings it."""
TIMEOUT_S = 600


def peak_memory(entry: Entry, photo: Photo, *, runtime: str, threads: int) -> int | None:
    """Return the bytes that a contestant adds to its process; None where no system call tells.

    Raises
    ------
    MissingToolError
        When the process dies, for example for lack of memory.
    """
    task = {
        "entry": {**dataclasses.asdict(entry), "path": str(entry.path) if entry.path else None},
        "image": str(photo.image),
        "trimap": str(photo.trimap) if photo.trimap else None,
        "modules": [MODULES[runtime]] + [MODULES["litert"]] * entry.refined,
        "threads": threads,
    }
    idle = _peak_of_process(task | {"works": False}, entry.name)
    busy = _peak_of_process(task | {"works": True}, entry.name)
    return None if idle is None or busy is None else max(0, busy - idle)


def _peak_of_process(task: dict[str, Any], name: str) -> int | None:
    remedy = "Free some memory and try again, or leave the measurement out: --no-costs."
    found: int | None = run_child(
        "edgemat.bench.peers.memory",
        task,
        measures=f"the memory of {name}",
        timeout_s=TIMEOUT_S,
        remedy=remedy,
    )
    return found


def _work(task: dict[str, Any]) -> None:
    """Do what `task` says and print this process's peak memory."""
    path = task["entry"].pop("path")
    entry = Entry(path=Path(path) if path else None, **task["entry"])
    for module in task["modules"]:
        importlib.import_module(module)
    image = read_image(task["image"])
    trimap = read_trimap(task["trimap"]) if task["trimap"] else None
    if task["works"]:
        open_entry(entry, threads=task["threads"]).predict(image, trimap)
    sys.stdout.write(json.dumps(peak_rss_bytes()) + "\n")


if __name__ == "__main__":
    _work(json.loads(sys.argv[1]))
