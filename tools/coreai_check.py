"""Check the shipped models as Core AI files, in Apple's runtime: `make coreai-check`.

Each is converted to all three targets and to Core ML, in int8 on the grids of the file that ships,
and judged by the targets' own bars. It prints a table, and exits with 1 where a bar is missed. Half
an hour on two slow cores.

The last column is the int8 model's own unrest: the mean difference between the frozen model in
torch and itself, with pictures in another memory layout, so that sums are rounded otherwise. No
runtime that is not torch to the bit can be expected to come nearer.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.golden import read_pixels
from edgemat.artifacts.shipped import file_beside, open_artifact
from edgemat.convert.backends import find_target
from edgemat.convert.backends.coreai import COREAI
from edgemat.errors import EdgematError
from edgemat.images import PIXEL_SCALE
from edgemat.quantize.reference import load_reference
from edgemat.scoring.bounds import Bound, Verdict, judge
from edgemat.scoring.validation import evaluation_set_for
from edgemat.workflow.api.mobile import convert_all
from edgemat.workflow.api.opening import pictures_for
from edgemat.workflow.stages.judging import measured
from edgemat.workflow.stages.quantizing import quantize_as_shipped

MODELS = ("portrait", "trimap")
PICTURES = 8  # that the quantized network is scored on
LINES = 2 + len(MODELS) * len(COREAI.targets)
"""Of the whole table."""
BESIDE = {"coreai-fp16": "coreml-fp16", "coreai-w8a8": "coreml-w8a8"}


def main(names: Iterable[str] = MODELS) -> int:
    """Check the models called `names`; returns the exit status."""
    print("| model | target | MB | Core ML, MB | max abs | mean abs | PSNR, dB | own unrest |")
    print("|---|---|---|---|---|---|---|---|")
    missed: list[str] = []
    for name in names:
        with tempfile.TemporaryDirectory() as shelf:
            os.environ["XDG_CACHE_HOME"] = str(Path(shelf) / "cache")  # the runtime itself is asked
            for file, other, unrest in _make(name, Path(shelf)):
                print(_row(name, file, other, unrest), flush=True)
                missed += [f"{file.path.name}: {verdict}" for verdict in _failed(file)]
    for line in missed:
        print(line, file=sys.stderr)
    return 1 if missed else 0


def _make(name: str, shelf: Path) -> Iterable[tuple[Artifact, Artifact | None, float | None]]:
    """Give each Core AI file, its like in Core ML, and the unrest of the model it is made of."""
    network = open_artifact(name)
    sources = {False: network, True: _as_shipped(network, shelf)}
    for target in COREAI.targets:
        source = sources[target.quantized]
        wanted = [target.name, *filter(None, [BESIDE.get(target.name)])]
        made = convert_all(source, wanted, output=shelf)
        unrest = own_unrest(source) if target.quantized else None
        yield made[0], made[1] if len(made) > 1 else None, unrest


def own_unrest(quantized: Artifact) -> float:
    """Return the mean difference of a frozen model from itself, over the golden pictures."""
    frozen = load_reference(quantized)
    x = torch.from_numpy(read_pixels(quantized)).permute(0, 3, 1, 2) * float(PIXEL_SCALE)
    with torch.no_grad():
        planes = frozen(x.contiguous())
        pixels = frozen(x.contiguous(memory_format=torch.channels_last))
    return float(np.abs(planes.numpy() - pixels.numpy()).mean())


def _failed(file: Artifact) -> list[Verdict]:
    bounds = [Bound(*rule) for rule in find_target(str(file.manifest.target)).parity.items()]
    return [verdict for verdict in judge(bounds, measured(file)) if not verdict.passed]


def _as_shipped(network: Artifact, shelf: Path) -> Artifact:
    file = file_beside(network)
    assert file is not None  # of every shipped network
    validation = evaluation_set_for(network.manifest, pictures_for(network, None), count=PICTURES)
    return quantize_as_shipped(network, file, validation, out=shelf)


def _row(name: str, file: Artifact, other: Artifact | None, unrest: float | None) -> str:
    first = file.manifest.agreements[0]
    cells = [
        name,
        str(file.manifest.target),
        f"{file.manifest.payload_bytes / 1e6:.2f}",
        "" if other is None else f"{other.manifest.payload_bytes / 1e6:.2f}",
        f"{first.max_abs:.2g}",
        f"{first.mean_abs:.2g}",
        f"{first.psnr_db:.1f}",
        "" if unrest is None else f"{unrest:.2g}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:] or MODELS))
    except EdgematError as error:
        sys.exit(str(error))
