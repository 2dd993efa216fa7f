"""docs/ci/gate.sh, which users call on each push, run as it stands."""

from __future__ import annotations

import os
import shlex
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from real_command import COMMAND, ENVIRONMENT, ROOT
from toy_examples import write_toys

from edgemat.bench.devices.emulated import find_emulator
from edgemat.bench.runner.bundle import find_bundle
from edgemat.errors import MissingToolError

GATE = ROOT / "docs" / "ci" / "gate.sh"
PRETENDER = """#!/bin/sh
echo "$@" >> asked
case $1 in
quantize) mkdir gated/toy-quantized@1 ;;
convert) mkdir gated/toy-tflite-int8@1 ;;
gate) case $* in *FAILS*) exit 1 ;; esac ;;
esac
"""


def run_gate(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(GATE), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT | environment,
    )


def cases_of(path: Path) -> dict[str, bool]:
    """Return what a JUnit file judges: name to whether it passed."""
    cases = ElementTree.parse(path).getroot().iter("testcase")
    return {str(one.get("name")): one.find("failure") is None for one in cases}


@pytest.fixture
def pretender(tmp_path: Path) -> str:
    """What notes how it is called, in the command's place."""
    path = tmp_path / "pretender"
    path.write_text(PRETENDER)
    path.chmod(0o755)
    return str(path)


def test_a_push_without_a_base_is_told_that_latency_is_not_compared(
    tmp_path: Path, pretender: str
) -> None:
    done = run_gate(tmp_path, "model", EDGEMAT=pretender)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No latency-base.json: latency not compared." in done.stdout
    gates = [line for line in (tmp_path / "asked").read_text().splitlines() if "gate " in line[:5]]
    assert gates == ["gate gated/toy-tflite-int8@1 --sad +5% --grad +10% --junit gated/errors.xml"]


@pytest.mark.parametrize(("base", "status"), [("base.json", 0), ("base-FAILS.json", 1)])
def test_with_a_base_it_is_compared_and_ends_by_what_the_gates_say(
    tmp_path: Path, pretender: str, base: str, status: int
) -> None:
    (tmp_path / base).write_text("{}")
    done = run_gate(tmp_path, "model", base, EDGEMAT=pretender)
    assert done.returncode == status and "not compared" not in done.stdout
    assert f"gate gated/latency.json {base} --latency +2%" in (tmp_path / "asked").read_text()


@pytest.mark.long
def test_a_network_becomes_an_int8_file_that_is_gated_twice(tmp_path: Path) -> None:
    """A toy that never learned, so that only the gate of its latency must be green."""
    try:
        find_emulator()
        find_bundle("aarch64")
    except MissingToolError as error:
        pytest.skip(str(error))
    write_toys(tmp_path)
    environment = {
        "EDGEMAT": shlex.join(COMMAND),
        "CALIBRATION": "4",
        "XDG_DATA_HOME": str(tmp_path / "kept"),
    }
    first = run_gate(tmp_path, "portrait", **environment)
    assert "latency not compared" in first.stdout, first.stdout + first.stderr
    # the toy's errors are no network's that has learned, but they are compared
    made = {path.name.partition("@")[0] for path in (tmp_path / "gated").iterdir()}
    assert {"portrait-tflite-int8", "latency.json", "latency.html", "errors.xml"} <= made

    assert "is not in gated" not in first.stderr
    assert cases_of(tmp_path / "gated" / "errors.xml").keys() == {"sad", "grad"}

    os.replace(tmp_path / "gated" / "latency.json", tmp_path / "latency-base.json")
    (tmp_path / "gated").rename(tmp_path / "before")
    run_gate(tmp_path, "portrait", **environment)
    assert set(cases_of(tmp_path / "gated" / "latency.xml").values()) == {True}
