"""Tools in environments of their own: found or not, run apart from edgemat, their failures told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from toy_environments import pretend

from edgemat.convert.isolated import Environment, explain_failure, find_python, run_isolated
from edgemat.errors import MissingToolError


@pytest.mark.parametrize("environment", ["onnx2tf", "old-runtime"])
def test_a_missing_environment_says_how_to_get_it(
    environment: Environment, nothing_installed: Path
) -> None:
    (nothing_installed / f".venv-{environment}" / "bin").mkdir(parents=True)  # only in part
    with pytest.raises(MissingToolError, match=f"make {environment}") as caught:
        find_python(environment)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (1, "Traceback\n  File x\nValueError: no shape\n\nCall arguments:\n  x=1\n", "ValueError"),
        (1, "\x1b[31mERROR:\x1b[0m no such operator: Foo\nsee the README\n", "ERROR: no such"),
        (1, "onnx.onnx_cpp2py_export.checker.ValidationError: bad\n", "onnx.onnx_cpp2py_export"),
        (2, "usage: onnx2tf [-h]\nunrecognised\n", "unrecognised"),
        (2, "", "exit status 2"),
        (-6, "F0000 check failed\n", "killed by SIGABRT"),
    ],
)
def test_a_failure_is_told_in_one_line(status: int, said: str, expected: str) -> None:
    line = explain_failure(status, said)
    assert line.startswith(expected) and "\n" not in line


def test_a_tool_apart_sees_nothing_of_ours(
    nothing_installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(nothing_installed, "onnx2tf", f'exec "{sys.executable}" "$@"')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "ours.py").write_text("")
    said = run_isolated("onnx2tf", ["-c", "import ours"], cwd=tmp_path)
    assert said == "ModuleNotFoundError: No module named 'ours'"
    assert run_isolated("onnx2tf", ["-c", "print('ValueError: no')"], cwd=tmp_path) is None
    sleeping = run_isolated(
        "onnx2tf", ["-c", "import time; time.sleep(9)"], cwd=tmp_path, timeout_s=1
    )
    assert sleeping == "no end after 1 s"
