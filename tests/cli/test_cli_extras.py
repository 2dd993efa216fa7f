"""A command without its packages names the one installation that brings them all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from real_command import ENVIRONMENT
from test_structure import BLOCK

# What is typed, and the extra. Several packages are missing to most: the first one asked for says
# nothing of the others.
COMMANDS = {
    "data soften source made": "classical",
    "data label source made --teacher teacher.onnx": "label",
    "evaluate closed-form source": "classical",
    "evaluate portrait source": "train",
    "evaluate portrait-tflite-int8 source": "evaluate",
    "evaluate portrait source --beside knn --plot plot.svg": "classical,report,train",
    "evaluate portrait": "train",
    "quantize portrait": "deploy",
    "sensitivity portrait": "deploy",
    "prune portrait": "train",
    "convert portrait --target tflite-int8": "deploy",
    "verify portrait": "deploy",
    "export portrait --to app": "deploy",
    "roofline portrait": "deploy",
    "opinions portrait": "deploy",
    "bias portrait": "evaluate",
    "bias portrait-tflite-int8": "evaluate",
    "flicker portrait": "train",
    "experiments reconstruct": "report,train",
    "experiments denoise source": "report,train",
    "experiments degrade": "train",
}


def test_one_installation_is_named_for_each_command(tmp_path: Path) -> None:
    (tmp_path / "source" / "image").mkdir(parents=True)
    code = f"""{BLOCK}
import json
from edgemat.cli import app
from edgemat.doctor import explain_missing
from edgemat.errors import EdgematError
said = {{}}
for command in {[*COMMANDS]!r}:
    try:
        app(command.split(), standalone_mode=False)
    except ImportError as error:
        said[command] = explain_missing(error).remedy
    except EdgematError as error:
        said[command] = error.remedy
print(json.dumps(said))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == {
        command: f'Run: pip install "edgemat[{extra}]"' for command, extra in COMMANDS.items()
    }
