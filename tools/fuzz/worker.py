"""A process that reads damaged inputs one by one: `python -m tools.fuzz.worker TABLE READER ...`.

It says on its standard output, for each input, how that ended; whoever started it sees which input
ends or hangs the process.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sys
import tempfile
import traceback
import warnings
from importlib import import_module
from pathlib import Path

from edgemat.bench.devices.host import peak_rss_bytes
from edgemat.errors import EdgematError
from tools.fuzz.mutate import mutate
from tools.fuzz.reader import Reader

MOST_MEMORY = 3 << 30
"""Above this an allocation fails, so that a bomb does not take the machine down."""


def find_reader(table: str, name: str) -> Reader:
    """Return a reader of the module `table`, which has a tuple READERS."""
    readers: dict[str, Reader] = {one.name: one for one in import_module(table).READERS}
    return readers[name]


def list_files(reader: Reader, folder: Path) -> list[Path]:
    """Return the files of a folder that a reader's inputs are made of."""
    return sorted({p for one in reader.damaged for p in folder.rglob(one) if p.is_file()})


def damage(reader: Reader, right: Path, folder: Path, seed: int, index: int) -> Path:
    """Copy `right` to `folder`, damage one file there, and return it; the same for the same index.

    A tenth of the inputs stays right: what damages nothing must not be refused by chance.
    """
    draw = random.Random(f"{seed} {reader.name} {index}")
    shutil.copytree(right, folder)
    file = draw.choice(list_files(reader, folder))
    if draw.random() < 0.9:
        content = mutate(file.read_bytes(), draw, is_json=file.suffix == ".json")
        file.write_bytes(content)
    reader.mend(folder)
    return file


def try_one(reader: Reader, file: Path) -> str:
    """Return what is wrong with how an input was taken; empty when nothing is."""
    try:
        reader.read(file)
    except EdgematError as error:
        return "" if error.message and error.remedy else f"no remedy: {error.message}"
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} ({last.filename}:{last.lineno})"
    return ""


def main(table: str, name: str, right: str, seed: str, start: str, stop: str) -> None:
    """Try the inputs from `start` to before `stop`; write a line of JSON for each."""
    tell = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # what libraries print is not edgemat's
        os.dup2(null, stream)
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    reader = find_reader(table, name)
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(right, Path(scratch) / "right")
        try_one(reader, list_files(reader, Path(scratch) / "right")[0])  # what it imports
        print("ready", file=tell, flush=True)
        for index in range(int(start), int(stop)):
            folder = Path(scratch) / "input"
            file = damage(reader, Path(right), folder, int(seed), index)
            started = sum(os.times()[:4])  # of processors: a busy machine is no fault
            fault = try_one(reader, file)
            seconds = sum(os.times()[:4]) - started
            children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            peak = max((peak_rss_bytes() or 0) // 1024, children)
            told = {"index": index, "seconds": seconds, "peak_kb": peak, "fault": fault}
            print(json.dumps(told), file=tell, flush=True)
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
