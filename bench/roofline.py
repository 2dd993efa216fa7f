"""Files beside the most that this processor can do: `edgemat roofline NAME...`

For each architecture: float32 and int8 files of its deploy form (the weights are random, as speed
does not depend on them), measured in turns, with the multiply-accumulates that each reaches in a
second beside this machine's peak for the same type, which a large matrix product shows.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgemat.bench.result import Result
    from edgemat.models.deploy import DeployForm

TARGETS = ("tflite-fp32", "tflite-int8")
CALIBRATION = 8
# A product of matrices that fits no cache line for line, yet stays within the second-level cache.
PEAK_SIDE, PEAK_CHANNELS, PEAK_LAYERS = 64, 512, 4


@dataclass(frozen=True)
class Roof:
    """One file, or the large product that stands for the peak.

    Attributes
    ----------
    macs:
        Multiply-accumulates of one run, in 1e9.
    gmacs_per_second:
        What was reached at the median latency.
    peak:
        What the large product of the same type reached in the same run.
    outside:
        Operators that the delegate did not take, by name.
    """

    name: str
    target: str
    p50_ms: float
    macs: float
    gmacs_per_second: float
    peak: float
    partitions: int
    outside: dict[str, int]
    transposes: int
    verdict: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"share_of_peak": self.gmacs_per_second / self.peak}


def measure_roofline(
    names: Sequence[str], *, size: int = 256, threads: int = 1, seconds: float = 10.0
) -> list[Roof]:
    """Measure float32 against int8 files of architectures, and both against this machine's peak.

    Parameters
    ----------
    size:
        Height and width of the input, px.
    seconds:
        Of measuring, for each file.

    Returns
    -------
    list[Roof]
        The large product's rows first, then the architectures' in the order of `names`.
    """
    from edgemat.bench.devices.host import bench_host
    from edgemat.bench.protocol import Protocol
    from edgemat.models import model_info
    from edgemat.models.count import count

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        files, work = {}, {}
        peak_shape = (PEAK_CHANNELS, PEAK_SIDE, PEAK_SIDE)
        for target, path in _convert(_peak_form(), peak_shape, folder, "peak").items():
            files["peak", target] = path
        work["peak"] = PEAK_SIDE**2 * PEAK_CHANNELS**2 * PEAK_LAYERS / 1e9
        for name in names:
            shape = (model_info(name).in_channels, size, size)
            deploy = random_form(name, shape)
            for target, path in _convert(deploy, shape, folder, name).items():
                files[name, target] = path
            work[name] = count(deploy.network, shape)
        results = bench_host(
            {f"{name} {target}": path for (name, target), path in files.items()},
            threads=(threads,),
            protocol=Protocol(seconds=seconds),
        )
        by_key = dict(zip(files, results, strict=True))
        peaks = {t: work["peak"] / by_key["peak", t].latency.p50_ms * 1e3 for t in TARGETS}
        return [
            _row(name, target, path, by_key[name, target], work[name], peaks[target])
            for (name, target), path in files.items()
        ]


def _peak_form() -> DeployForm:
    """Pointwise convolutions, each a product of 4096 x 512 and 512 x 512."""
    import torch
    from torch import Tensor, nn

    from edgemat.models.deploy import to_deploy
    from edgemat.models.network import MattingNetwork, MattingOutput

    class Products(MattingNetwork):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(
                *(nn.Conv2d(PEAK_CHANNELS, PEAK_CHANNELS, 1) for _ in range(PEAK_LAYERS))
            )

        def forward(self, x: Tensor) -> MattingOutput:
            return MattingOutput(self.layers(x))

    torch.manual_seed(0)
    return to_deploy(Products())


def random_form(name: str, shape: tuple[int, int, int]) -> DeployForm:
    """Return the deploy form of an untrained network whose batch statistics have settled."""
    import torch

    from edgemat.models import create_matting
    from edgemat.models.deploy import to_deploy

    torch.manual_seed(0)
    network = create_matting(name).train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, shape[0], 64, 64))
    return to_deploy(network.eval())


def _convert(
    deploy: DeployForm, shape: tuple[int, int, int], folder: Path, name: str
) -> dict[str, Path]:
    import torch

    from edgemat.convert.backends import find_target
    from edgemat.convert.tflite import convert_tflite
    from edgemat.progress import progress_bar
    from edgemat.quantize.frozen import freeze
    from edgemat.quantize.ptq import quantize_ptq

    files = {}
    for target in TARGETS:
        with progress_bar(f"{name}: {target}"):
            model, known = deploy, find_target(target)
            if known.quantized:
                quantized = quantize_ptq(
                    deploy, [torch.rand(1, *shape) for _ in range(CALIBRATION)]
                )
                model = freeze(quantized.deploy, quantized.spec)  # type: ignore[assignment]
            files[target] = folder / f"{name}-{target}.tflite"
            convert_tflite(model, files[target], target=known, shape=shape, metadata={})
    return files


def _row(name: str, target: str, path: Path, result: Result, macs: float, peak: float) -> Roof:
    from edgemat.matting.runtime import TfliteModel

    model = TfliteModel(path)
    operators = Counter(model.operators())
    return Roof(
        name=name,
        target=target,
        p50_ms=result.latency.p50_ms,
        macs=macs,
        gmacs_per_second=macs / result.latency.p50_ms * 1e3,
        peak=peak,
        partitions=model.delegate_coverage().partitions,
        outside=dict(Counter(model.operators_outside())),
        transposes=operators["TRANSPOSE"],
        verdict=result.verdict,
    )
