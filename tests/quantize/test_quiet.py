"""Nothing phones home: quantization, training, pruning and conversion in processes of their own.

Under pytest NNCF switches its telemetry off, so that a test within this process would see nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WORK = """
import sys
from pathlib import Path

import torch
from toy_networks import calibration, toy_deploy, picture
from toy_training import data

from edgemat.convert.coreml import convert_coreml
from edgemat.convert.backends import find_target
from edgemat.convert.tflite import convert_tflite
from edgemat.models import create_model
from edgemat.quantize.frozen import freeze
from edgemat.quantize.kernels import fused_kernels
from edgemat.quantize.ptq import quantize_ptq
from edgemat.quantize.qat import QuantizationAware
from edgemat.quantize.pruning.prune import prune
from edgemat.quantize.pruning.sparse import mask_weights
from edgemat.training.loop import train
from edgemat.training.schedule import Schedule

folder = Path(sys.argv[1])
shape = (3, 64, 64)
examples = calibration(3, 64, count=2)
toy = quantize_ptq(toy_deploy(), examples)
frozen = freeze(toy.deploy, toy.spec)
target = find_target("tflite-int8")
convert_tflite(frozen, folder / "toy.tflite", target=target, shape=shape, metadata={})
convert_coreml(
    frozen, folder / "toy.mlpackage", height=64, width=64, channels=3, precision="fp32",
    quantized=True, metadata={}, licence="", author="", description="",
)
torch.manual_seed(0)
network = create_model("pspm-slim", width=0.35).eval()
mask_weights(network, examples[0], 0.5)
pruned = prune(create_model("pspm-slim", width=0.25), examples[0], 12e6, importance="magnitude")
assert pruned.removed
from edgemat.models.deploy import to_deploy
slim = quantize_ptq(to_deploy(create_model("pspm-slim", width=0.35).eval()), examples)
aware = QuantizationAware(slim, examples[0])
with fused_kernels():
    train(aware.model, data(), task="portrait", groups=aware.parameter_groups(), device="cpu",
          schedule=Schedule(steps=1, batch=2, workers=0), folder=folder)
print("done")
"""
INTERNET = re.compile(r"sa_family=AF_INET6?\b")
WRITTEN = re.compile(r'(?:openat|open|mkdir|rename|creat)\(.*?"([^"]+)"(.*)')
# Where the system lets every process write.
EVERYBODYS = ("/dev/", "/proc/", "/sys/")


@pytest.mark.long
def test_no_connection_is_tried_and_nothing_written_elsewhere(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: it also sees what child processes do")
    home, work, log = tmp_path / "home", tmp_path / "work", tmp_path / "trace.log"
    for folder in (home, work, tmp_path / "tmp"):
        folder.mkdir()
    tests = Path(__file__).parents[1]
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environment |= {
        "HOME": str(home),
        "TMPDIR": str(tmp_path / "tmp"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "PYTHONPATH": f"{tests}:{tests.parent}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    calls = "trace=connect,sendto,openat,open,creat,mkdir,rename"
    command = [strace, "-f", "--seccomp-bpf", "-e", calls, "-o", str(log)]
    command += [sys.executable, "-c", WORK, str(work)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=work)
    assert result.returncode == 0 and "done" in result.stdout, result.stderr[-3000:]
    lines = log.read_text(errors="replace").splitlines()
    assert any("toy.tflite" in line for line in lines)  # children and all, it was traced
    assert not [line for line in lines if INTERNET.search(line)]
    assert not [
        path for line in lines if (path := written_to(line)) and is_elsewhere(path, tmp_path)
    ]


def written_to(line: str) -> str | None:
    """Return the absolute path that a traced call wrote to, None if it only read or failed."""
    found = WRITTEN.search(line)
    if found is None or " = -1 " in line:
        return None
    path, rest = found.groups()
    if "open" in line.split("(")[0] and not re.search(r"O_WRONLY|O_RDWR|O_CREAT", rest):
        return None
    return path


def is_elsewhere(path: str, allowed: Path) -> bool:
    return path.startswith("/") and not path.startswith((str(allowed), *EVERYBODYS))
