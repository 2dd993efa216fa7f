"""One method of PyMatting is compiled, and not all: a minute before the first matte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = "foreground.estimate_foreground_ml"
CODE = f"""
import sys
import numpy as np
from edgemat.matting.pymatting_method import load_method
estimate = load_method("{MODULE}", purpose="A test")
layers = estimate(np.zeros((8, 8, 3), np.float32), np.ones((8, 8), np.float32))
print(layers.shape, [name for name in sys.modules if name.startswith("pymatting")])
"""


@pytest.mark.slow
def test_what_is_compiled_is_one_method_and_is_kept(tmp_path: Path) -> None:
    def said() -> str:
        fresh = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", CODE]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=fresh)
        return done.stdout.strip()

    assert said() == f"(8, 8, 3) ['pymatting.{MODULE}']"
    compiled = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")}
    assert compiled and all("estimate_foreground_ml" in path.name for path in compiled)
    assert said() == f"(8, 8, 3) ['pymatting.{MODULE}']", "from the cache, in another process"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")} == compiled
