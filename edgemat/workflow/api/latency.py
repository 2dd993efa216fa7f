"""Latencies, here or on a device, and whether they lie within a bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import SHIPPED_TARGET, ArtifactLike, find_artifact
from edgemat.doctor import needs
from edgemat.errors import UsageError
from edgemat.terminal import err

if TYPE_CHECKING:
    from edgemat.bench.devices.device import BenchModel, Runtime
    from edgemat.bench.protocol import Protocol
    from edgemat.bench.result import Result
    from edgemat.scoring.bounds import Verdict


@needs()
def bench(
    artifacts: ArtifactLike | Sequence[ArtifactLike],
    *,
    device: str = "host",
    threads: Sequence[int] = (1, 2),
    delegate: str | None = None,
    strict: bool = False,
    runs: int | None = None,
    seconds: float | None = None,
    sustained: float = 0.0,
    profile: bool = False,
    cpu_mask: int = 0,
    listen: str = "127.0.0.1",
    tls: bool = False,
    say: Callable[[str], object] = err.print,
) -> list[Result]:
    """Measure latencies, here or on a device; what is not quiet and right is marked invalid.

    >>> import edgemat
    >>> (result,) = edgemat.bench("portrait", threads=[1], runs=10, seconds=0.1)
    >>> len(result.samples_ms) >= 10, result.delegate.used
    (True, 'xnnpack')

    Parameters
    ----------
    artifacts:
        One or several, measured in turns: .tflite files, TFLite artefacts, shipped models' names
        (their int8 files); for an iPhone .mlpackage or Core ML artefacts.
    device:
        "host", "adb", "adb:SERIAL", "adb-app", "ssh:HOST", "browser", "ios", "emulated-arm64".
    threads:
        All are measured once with each number.
    delegate:
        "xnnpack", "none"; "webgpu" in a browser; "npu", "gpu", "cpu", "all" on an iPhone. By
        default "xnnpack", on an iPhone "npu".
    strict:
        For publication: at least 1024 runs and 60 s each.
    runs, seconds:
        Both minimums hold; 200 and 10.
    sustained:
        Seconds that each model afterwards runs alone.
    profile:
        Also note the time of each operator, where the device tells.
    cpu_mask:
        Cores of a phone or board, bit n for core n; 0 leaves the runner's choice.
    listen, tls:
        Where a browser's page is served, and whether by HTTPS.
    say:
        Prints what the user must do, such as opening a page.

    Returns
    -------
    list of Result
        By threads, then in the order of `artifacts`. The history keeps what
        :meth:`edgemat.bench.store.RunStore.append` is given.

    Raises
    ------
    UsageError
        For a name, a device or a setting that is none.
    MissingToolError
        When the device, or a tool on the way to it, is not there.
    """
    from edgemat.bench.devices.device import Request
    from edgemat.bench.devices.transports import find_transport, open_device
    from edgemat.progress import share_bar

    protocol = _protocol(strict, runs, seconds, sustained)
    transport = find_transport(device)
    opened_device = open_device(device, say=say, cpu_mask=cpu_mask, listen=listen, tls=tls)
    named = [artifacts] if isinstance(artifacts, Artifact | Path | str) else artifacts
    models = _open_models(named, transport.runtime)
    delegate = delegate or transport.default_delegate
    request = Request(models, threads, delegate, protocol, profile)
    with share_bar(f"measuring on {device}") as show:
        return opened_device.measure(request, progress=show)


def gate_latency(after: Sequence[Result], before: Sequence[Result], rule: str) -> list[Verdict]:
    """Judge how latencies changed by a bound such as "+5%"; needs no torch.

    Parameters
    ----------
    after, before:
        Results of :func:`bench`, matched by what was measured and how.
    """
    from edgemat.bench.compare import compare
    from edgemat.scoring.bounds import Bound, judge

    verdicts = []
    for change in compare(before, after):
        name = f"{change.name}, threads {change.threads}, {change.figure}"
        (verdict,) = judge(
            [Bound(name, rule)], {name: change.after}, reference={name: change.before}
        )
        if not change.valid:
            verdict = replace(verdict, passed=False, note="; ".join(change.notes))
        verdicts.append(verdict)
    return verdicts


def _protocol(strict: bool, runs: int | None, seconds: float | None, sustained: float) -> Protocol:
    from edgemat.bench.protocol import Protocol

    base = Protocol.strict() if strict else Protocol()
    if strict and (runs is not None or seconds is not None):
        raise UsageError(
            "--strict sets how many runs and seconds there are.",
            remedy="Leave out --runs and --seconds, or --strict.",
        )
    return replace(
        base,
        runs=base.runs if runs is None else runs,
        seconds=base.seconds if seconds is None else seconds,
        sustained_seconds=sustained,
    )


def _open_models(named: Sequence[ArtifactLike], runtime: Runtime) -> list[BenchModel]:
    from edgemat.bench.devices.device import BenchModel

    paths = [_find_file(one) for one in named]
    short = len({path.name for path in paths}) == len(paths)
    return [
        BenchModel.open(path, path.name if short else str(path), runtime=runtime) for path in paths
    ]


def _find_file(named: ArtifactLike) -> Path:
    """Return where a file to measure is; a name alone means the int8 TFLite file."""
    if isinstance(named, Artifact):
        return named.path
    path = Path(named)
    known = path.suffix or path.exists()
    return path if known else find_artifact(named, target=SHIPPED_TARGET)
