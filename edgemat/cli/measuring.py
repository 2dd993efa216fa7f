"""`edgemat bench`, `devices`, `history`, `report`, `compare`, `gate`: latencies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgemat.cli import bench_tables
from edgemat.cli.tables import show_verdicts
from edgemat.errors import UsageError
from edgemat.files import shorten
from edgemat.terminal import AsJson, out, print_json

if TYPE_CHECKING:
    from edgemat.bench.result import Result
    from edgemat.bench.store import RunStore
    from edgemat.scoring.bounds import Verdict

IMPORT = "import"
MAX_DIGITS = 18
"""Of a result's number."""
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

HistoryOption = Annotated[
    Path | None, typer.Option("--history", help="SQLite file; by default one for each user.")
]
ResultOperand = Annotated[
    str, typer.Argument(help="A JSON file that bench wrote, or a number of the history.")
]


def bench(
    models: Annotated[
        list[str],
        typer.Argument(
            help=".tflite files, TFLite artefacts, or shipped models' names; .mlpackage for an "
            "iPhone; or `import` and JSON files that a demo app or another bench wrote."
        ),
    ],
    devices: Annotated[
        list[str] | None,
        typer.Option("--device", help="As edgemat devices lists them; this machine by default."),
    ] = None,
    threads: Annotated[list[int] | None, typer.Option(help="Once per number; 1 and 2.")] = None,
    delegate: Annotated[
        str | None,
        typer.Option(
            help="xnnpack, none; webgpu in a browser; npu, gpu, cpu, all on an iPhone. By default "
            "the kind of device's own: xnnpack or, on an iPhone, npu."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="For publication: >= 1024 runs and 60 s each.")
    ] = False,
    runs: Annotated[int | None, typer.Option(min=1, help="At least; 200.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="At least; 10.")] = None,
    sustained: Annotated[
        str, typer.Option(help="Afterwards each model alone for so long: 90s, 10m.")
    ] = "0",
    profile: Annotated[
        bool, typer.Option("--profile", help="Also the time of each operator, where told.")
    ] = False,
    cpu_mask: Annotated[
        str, typer.Option(help="Cores of a phone or board, hexadecimal: f0 for the cores 4 to 7.")
    ] = "",
    listen: Annotated[str, typer.Option(help="Address of the browser's page.")] = "127.0.0.1",
    tls: Annotated[bool, typer.Option("--tls", help="Serve the browser's page by HTTPS.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSON file for the results.")
    ] = None,
    history: HistoryOption = None,
    as_json: AsJson = False,
) -> int:
    """Measure latencies, here or on a device; exit status 1 when one is invalid."""
    from edgemat.bench.store import RunStore, default_history
    from edgemat.errors import GateFailed
    from edgemat.files import write_json
    from edgemat.workflow.api.latency import bench as measure

    if models[0] == IMPORT:
        results = _read_all([Path(name) for name in models[1:]])
    else:
        results = []
        for device in devices or ["host"]:
            results += measure(
                models,
                device=device,
                threads=threads or (1, 2),
                delegate=delegate,
                strict=strict,
                runs=runs,
                seconds=seconds,
                sustained=seconds_of(sustained),
                profile=profile,
                cpu_mask=_mask(cpu_mask),
                listen=listen,
                tls=tls,
            )
    store = RunStore(history or default_history())
    numbers = [store.append(result) for result in results]
    if output is not None:
        write_json(output, [result.to_json() for result in results])
    if as_json:
        print_json([result.to_json() for result in results])
    else:
        bench_tables.show_latencies(out, dict(zip(numbers, results, strict=True)))
    invalid = any(result.verdict == "invalid" for result in results)
    return GateFailed.exit_code if invalid else 0


def devices(as_json: AsJson = False) -> None:
    """List what can be measured on, and what is missing with the remedy."""
    from edgemat.bench.devices.transports import list_devices

    found = list_devices()
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        bench_tables.show_devices(out, found)


def history(
    model: Annotated[
        str | None, typer.Option(help="Only of this name, or of a SHA-256 that begins so.")
    ] = None,
    file: HistoryOption = None,
    as_json: AsJson = False,
) -> None:
    """List the results that bench has kept, the oldest first."""
    from edgemat.bench.store import RunStore, default_history

    kept = {
        number: result
        for number, result in RunStore(file or default_history()).history().items()
        if model is None or result.name == model or result.model_sha256.startswith(model)
    }
    if as_json:
        print_json({number: result.to_json() for number, result in kept.items()})
    elif kept:
        bench_tables.show_latencies(out, kept)
    else:
        out.print("Nothing has been measured yet: edgemat bench MODEL.")


def report(
    results: Annotated[
        list[str] | None,
        typer.Argument(help="JSON files that bench wrote, or numbers of the history."),
    ] = None,
    frontier: Annotated[
        Path | None, typer.Option(help="Folder that edgemat frontier wrote.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o")] = Path("bench.html"),
    history: HistoryOption = None,
) -> None:
    """Write a page of latencies: every device with its circumstances, curves and operators."""
    from datetime import UTC, datetime

    from edgemat.bench.frontier import read_frontier
    from edgemat.bench.store import RunStore, default_history
    from edgemat.cli.tables import show_path
    from edgemat.report.write import write_bench_report

    if not results and frontier is None:
        raise UsageError(
            "There is nothing to report.", remedy="edgemat history lists results and their numbers."
        )
    store = RunStore(history or default_history())
    found = [result for operand in results or () for result in open_results(operand, store)]
    write_bench_report(
        found,
        output,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        frontier=None if frontier is None else read_frontier(frontier),
    )
    show_path(out, output)


def compare(
    before: ResultOperand,
    after: ResultOperand,
    percentile: Annotated[float, typer.Option(min=0, max=100)] = 50.0,
    history: HistoryOption = None,
    as_json: AsJson = False,
) -> None:
    """Show by how much latencies changed, with 95 % confidence intervals."""
    from edgemat.bench.compare import compare as compare_results
    from edgemat.bench.store import RunStore, default_history

    store = RunStore(history or default_history())
    changes = compare_results(
        open_results(before, store), open_results(after, store), percentile=percentile
    )
    if as_json:
        print_json([change.to_json() for change in changes])
    else:
        bench_tables.show_changes(out, changes)


def gate(
    subject: Annotated[
        str,
        typer.Argument(
            help="An artefact, compared with the float model by its errors; or a result of bench, "
            "compared with another by its latency."
        ),
    ],
    base: Annotated[
        str | None, typer.Argument(help="The result that a result is compared with.")
    ] = None,
    sad: Annotated[str, typer.Option(help="Bound on SAD in the unknown region.")] = "+5%",
    grad: Annotated[str, typer.Option(help="Bound on Grad in the unknown region.")] = "+10%",
    latency: Annotated[
        str, typer.Option(help="Bound on p50, or on the instructions of an emulated device.")
    ] = "+5%",
    junit: Annotated[
        Path | None, typer.Option(help="Write the verdicts as JUnit XML, for CI.")
    ] = None,
    history: HistoryOption = None,
    as_json: AsJson = False,
) -> None:
    """Judge a file's errors, or a result's latency, by bounds; exit status 1 when one is broken.

    A file's errors are those in its manifest. A shipped one is scored anew beside its float
    network, which takes the extra "train".
    """
    from edgemat.scoring.bounds import enforce
    from edgemat.scoring.junit import write_junit
    from edgemat.workflow.api.scores import gate as judge_artifact

    if base is not None or _names_results(subject):
        verdicts = _judge_latency(subject, base, latency, history)
    else:
        verdicts = judge_artifact(subject, {"sad": sad, "grad": grad})
    if junit is not None:
        write_junit(junit, subject, verdicts)
    if as_json:
        print_json([verdict.to_json() for verdict in verdicts])
    else:
        show_verdicts(out, verdicts)
    enforce(verdicts)


def _judge_latency(
    subject: str, base: str | None, rule: str, history: Path | None
) -> list[Verdict]:
    from edgemat.bench.store import RunStore, default_history
    from edgemat.workflow.api.latency import gate_latency

    if base is None:
        raise UsageError(
            "A result is compared with another one.",
            remedy="Write: edgemat gate NEW OLD --latency +5%",
        )
    store = RunStore(history or default_history())
    before = open_results(base, store)
    return gate_latency(open_results(subject, store), before, rule)


def _names_results(operand: str) -> bool:
    return operand.isdecimal() or operand.endswith(".json")


def open_results(operand: str, store: RunStore) -> list[Result]:
    """Return the results in a JSON file, or the one of that number in the history."""
    from edgemat.bench.result import read_results

    if not operand.isdecimal():
        return read_results(Path(operand))
    if len(operand) > MAX_DIGITS:
        raise UsageError(
            f"The history has no result number {shorten(operand)}.",
            remedy="edgemat history lists results and their numbers.",
        )
    return [store.get(int(operand))]


def seconds_of(text: str) -> float:
    """Return the seconds in a text such as "90s", "10m", "0.5h" or "30".

    Raises
    ------
    UsageError
        When it is none of the kind.
    """
    found = re.fullmatch(r"(\d+\.?\d*)([smh]?)", text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no duration.", remedy="Write for example 90s or 10m.")
    return float(found[1]) * _UNITS[found[2]]


def _mask(text: str) -> int:
    try:
        return int(text, 16) if text else 0
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no CPU mask.", remedy="Write it in hexadecimal: f0 for cores 4 to 7."
        ) from error


def _read_all(paths: Sequence[Path]) -> list[Result]:
    from edgemat.bench.result import read_results

    if not paths:
        raise UsageError(
            "There is nothing to import.", remedy="Write: edgemat bench import RESULT.json"
        )
    return [result for path in paths for result in read_results(path)]
