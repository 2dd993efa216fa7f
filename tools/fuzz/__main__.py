"""Try damaged inputs on every reader; exit status 1 when one is taken badly.

    python -m tools.fuzz                              ten thousand inputs, in about ten minutes
    python -m tools.fuzz --reader golden --only 17    one of them again, with all that it says

Bad is an exception other than edgemat's own, an error without a remedy, a process that ends, more
than five seconds of processors, more than a gigabyte.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from edgemat.errors import GateFailed
from edgemat.terminal import err, out, plain, run_app
from tools.fuzz.reader import Reader
from tools.fuzz.worker import damage, find_reader

TABLE = "tools.fuzz.readers"
INPUTS, SEED = 10_000, 20_261_129
MOST_SECONDS, MOST_KB = 5.0, 1_000_000
START_S = 180.0
"""That imports may take before the first input."""
HANG_S = 60.0
"""Without an answer: a busy machine may take longer than its processors do."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass
class Tally:
    """What became of the inputs of one reader."""

    reader: str
    tried: int = 0
    seconds: float = 0.0
    peak_kb: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


@app.command()
def main(
    inputs: Annotated[int, typer.Option(min=1)] = INPUTS,
    seed: int = SEED,
    jobs: Annotated[int, typer.Option(min=1)] = 2,
    reader: Annotated[list[str] | None, typer.Option(help="Only of this name.")] = None,
    only: Annotated[int | None, typer.Option(help="Only this input, in this process.")] = None,
) -> int:
    """Try damaged inputs on every reader."""
    if only is not None:
        for name in reader or ():
            _once(name, seed, only)
        return 0
    outcomes = fuzz(inputs=inputs, seed=seed, jobs=jobs, names=reader)
    return GateFailed.exit_code if any(one.faults for one in outcomes) else 0


def fuzz(
    *,
    inputs: int,
    seed: int = SEED,
    jobs: int = 2,
    names: Sequence[str] | None = None,
    table: str = TABLE,
) -> list[Tally]:
    """Try about so many inputs, and return what became of them, by reader.

    Parameters
    ----------
    table:
        Module that holds the readers.
    """
    readers: Sequence[Reader] = import_module(table).READERS
    chosen = [one for one in readers if names is None or one.name in names]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(jobs) as pool:
        tried = [
            pool.submit(_try_reader, table, one, Path(scratch), seed, _count(one, inputs))
            for one in chosen
        ]
        return [one.result() for one in tried]


def _count(reader: Reader, inputs: int) -> int:
    return max(1, round(reader.share * inputs / INPUTS))


def _try_reader(table: str, reader: Reader, scratch: Path, seed: int, count: int) -> Tally:
    right = scratch / reader.name
    script = (
        "import sys; from pathlib import Path; from tools.fuzz.worker import find_reader; "
        "right = Path(sys.argv[3]); right.mkdir(); find_reader(*sys.argv[1:3]).write(right)"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, table, reader.name, str(right)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    outcome = Tally(reader.name)
    while outcome.tried < count:
        _run_worker(table, reader.name, right, seed, count, outcome)
    _show(outcome)
    return outcome


def _show(one: Tally) -> None:
    out.print(
        f"{one.reader:10} {one.tried:5} inputs {one.seconds:6.1f} s "
        f"{one.peak_kb / 1000:5.0f} MB {len(one.faults):3} faults"
    )
    for index, fault in one.faults:
        err.print(plain(f"  --reader {one.reader} --only {index}: {fault}"), soft_wrap=True)


def _run_worker(table: str, name: str, right: Path, seed: int, count: int, outcome: Tally) -> None:
    """Try inputs in one process until all are done, or one ends it, or takes too much."""
    command = [sys.executable, "-m", "tools.fuzz.worker", table, name, str(right), str(seed)]
    command += [str(outcome.tried), str(count)]
    lines: queue.Queue[str] = queue.Queue()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        stdout = process.stdout

        def listen() -> None:
            for line in stdout:
                lines.put(line)
            lines.put("")

        threading.Thread(target=listen, daemon=True).start()
        wait = START_S
        while outcome.tried < count:
            try:
                line = lines.get(timeout=wait)
            except queue.Empty:
                process.kill()
                outcome.faults.append((outcome.tried, f"more than {wait:.0f} s"))
                outcome.tried += 1
                return
            if line == "":
                code = process.wait()
                outcome.faults.append((outcome.tried, f"the process ended, status {code}"))
                outcome.tried += 1
                return
            wait = HANG_S
            if line.startswith("{") and _note(json.loads(line), outcome):
                process.kill()
                return


def _note(told: dict[str, object], outcome: Tally) -> bool:
    """Note what became of an input; True when the process has taken too much memory."""
    seconds, peak = float(str(told["seconds"])), int(str(told["peak_kb"]))
    fault = str(told["fault"])
    if not fault and seconds > MOST_SECONDS:
        fault = f"{seconds:.1f} s"
    if not fault and peak > MOST_KB:
        fault = f"{peak / 1000:.0f} MB"
    if fault:
        outcome.faults.append((outcome.tried, fault))
    outcome.tried += 1
    outcome.seconds += seconds
    outcome.peak_kb = max(outcome.peak_kb, peak)
    return peak > MOST_KB


def _once(name: str, seed: int, index: int) -> None:
    reader = find_reader(TABLE, name)
    with tempfile.TemporaryDirectory() as scratch:
        right, folder = Path(scratch) / "right", Path(scratch) / "input"
        right.mkdir()
        reader.write(right)
        reader.read(damage(reader, right, folder, seed, index))


if __name__ == "__main__":
    sys.exit(run_app(app))
