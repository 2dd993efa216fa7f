"""`edgemat --version`, and completion."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from calling import Call

import edgemat

ROOT = Path(__file__).parents[2]


def test_it_says_its_version(call: Call) -> None:
    assert call("--version") == (0, f"edgemat {edgemat.__version__}\n", "")


def test_words_are_completed() -> None:
    environment = {
        "PYTHONPATH": str(ROOT),
        "_EDGEMAT_COMPLETE": "complete_bash",
        "COMP_WORDS": "edgemat ser",
        "COMP_CWORD": "1",
    }
    code = "import sys; sys.argv[0] = 'edgemat'; from edgemat.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.stdout.split() == ["serve"], done.stderr


def test_the_citation_names_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {edgemat.__version__}\n" in text
