"""LiteRT's own benchmark, `litert-benchmark`: another tool's opinion on this machine's latency.

It comes with ai-edge-litert, measures through that package's newer interface (CompiledModel, where
edgemat's own benchmark has the Interpreter), on random values, and after a warm-up of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from edgemat.errors import MissingToolError

MODULE = "ai_edge_litert.tools.benchmark_litert_model"
NAME = "litert-benchmark"
WARMUP, FEWEST, MOST = 5, 5, 2000  # runs
LOADING_S = 60.0
INSTALL = 'It needs ml_dtypes: pip install "edgemat[deploy]".'
QUIETER = "Try again on a quieter machine."
LOOK = f"See what it says by itself: python -m {MODULE} --model FILE."


def median_ms(path: Path, *, threads: int, seconds: float, expected_ms: float) -> float:
    """Return the median latency of a .tflite on this machine's CPU, in milliseconds.

    Parameters
    ----------
    seconds:
        Of measuring: the tool takes a number of runs, which `expected_ms` tells.

    Raises
    ------
    MissingToolError
        When the tool is not installed, ends with an error, or says no latency.
    """
    runs = min(max(int(1000 * seconds / max(expected_ms, 1e-3)), FEWEST), MOST)
    patience = LOADING_S + 20 * (runs + WARMUP) * expected_ms / 1000
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", MODULE, "--model", str(path), "--result_json", str(result)]
        command += ["--num_runs", str(runs), "--warmup_runs", str(WARMUP)]
        command += ["--num_threads", str(threads)]
        try:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=patience,
            )
            return float(json.loads(result.read_text(encoding="utf-8"))["latency"]["median_ms"])
        except subprocess.TimeoutExpired as error:
            raise _failed(path, f"it took more than {patience:.0f} s", QUIETER) from error
        except subprocess.CalledProcessError as error:
            remedy = INSTALL if "ModuleNotFoundError" in error.stderr else LOOK
            raise _failed(path, _reason(error), remedy) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _failed(path, "it wrote no latency", LOOK) from error


def _reason(error: subprocess.CalledProcessError) -> str:
    """Return the error among what the tool and LiteRT say; LiteRT's last words are no error."""
    said: str = error.stderr
    logged: list[str] = re.findall(r"^.* ERROR \w+: (.+)$", said, re.MULTILINE)
    raised: list[str] = re.findall(r"^[\w.]*(?:Error|Exception)\b.*$", said, re.MULTILINE)
    return [f"exit status {error.returncode}", *logged, *raised][-1]


def _failed(path: Path, reason: str, remedy: str) -> MissingToolError:
    return MissingToolError(
        f"{NAME} did not measure {path.name}: {reason.rstrip('.')}.", remedy=remedy
    )
