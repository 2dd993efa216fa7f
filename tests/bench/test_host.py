"""What a benchmark on this machine tells of its own process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from edgemat.bench.devices.host import peak_rss_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="VmHWM is Linux'")
def test_a_large_parent_does_not_make_a_small_child_large() -> None:
    ballast = np.ones(50_000_000)  # 400 MB
    code = "from edgemat.bench.devices.host import peak_rss_bytes; print(peak_rss_bytes())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    mine = peak_rss_bytes()
    assert mine is not None
    assert mine > ballast.nbytes > int(done.stdout) > 1e6
