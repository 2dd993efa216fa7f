"""Ctrl-C while the command is still loading: status 130, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Presses Ctrl-C at the moment at which a module begins to be imported.
CODE = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Press:
    def find_spec(self, name, *_):
        if name == MODULE:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Press())
from edgemat.cli import main
sys.argv = WORDS
main()
"""


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("typer", "--help"),
        ("rich.console", "--help"),
        ("edgemat.terminal", "--help"),
        ("edgemat.cli.measuring", "--help"),
        ("numpy", "matte photo.png -o a.png"),
        ("pydantic", "history"),
    ],
)
def test_it_ends_with_a_word(tmp_path: Path, module: str, words: str) -> None:
    code = f"MODULE, WORDS = {module!r}, {['edgemat', *words.split()]!r}\n{CODE}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr and "Interrupted." in done.stderr
