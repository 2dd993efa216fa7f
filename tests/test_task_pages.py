"""The commands of the pages, run one after another as they stand there, on toys.

A folder is filled with what a page takes for granted (tests/toy_worlds.py), and each command is run
there, with what makes it small. Those that are parsed alone (tests/test_page_commands.py) are named
below with the reason, and with the test that runs as much.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from calling import Call
from page_commands import PAGES, Written, code_of, commands_of, text_of
from real_command import COMMAND, ENVIRONMENT
from toy_worlds import WORLDS

from edgemat.models import list_models

PARSED_ONLY = {
    "matte photos -o cutouts --watch": "never ends: tests/cli/test_matte_many.py",
    "edgemat serve": "never ends: tests/serve",
    "ship.md: edgemat export portrait --to web": "needs LiteRT.js: docs/web.md has it too",
    "--ray": "needs Ray: tests/ground/test_spread_ray.py",
    "--device adb": "needs a phone: tests/bench/test_adb.py has Android's adbd",
    "--device ssh": "needs a board: tests/bench/test_ssh.py has an sshd",
    "--device browser": "waits for a browser: tests/bench/test_browser.py opens one",
    "portrait --device emulated-arm64": "needs qemu: tests/bench/test_emulated.py",
    "--milliseconds": "a toy takes less: tests/quantize/pruning/test_prune.py",
    "opinions": "needs `make onnx2tf`: tests/bench/test_opinions.py",
}
"""What a command says, its page before it, that is not run; and why."""
RECIPE = (
    "--set threads=1 --set models.0.config={width=0.25} --set models.0.input_size=[64,64] "
    "--set models.0.train.steps=2 --set models.0.train.batch=2 --set models.0.train.size=64"
)
ALSO = {
    "train": RECIPE,
    "run": f"{RECIPE} --set models.0.targets=['tflite-int8'] "
    "--set models.0.quantize={calibration=4} --set verify={images=2} "
    "--set bench={runs=2,seconds=0.1,threads=[1]} --set gate={sad='+900%',grad='+900%'}",
    "prune": "--steps 1 --rounds 1 --batch 2 --size 64 --images 2",
    "quantize": "--images 2 --calibration 4",
    "convert": "--images 2",
    "verify": "--images 2",
    "throughput": "--width 0.25 --cores 1 --steps 1",
    "memory": "--below 9000 --threads 1",
    "sensitivity": "--images 1 --calibration 2",
    "frontier": "--images 2 --seconds 0.1",
    "flicker": "--people 1 --frames 2",
    "experiments reconstruct": "--steps 2 --width 0.25 --model reconstruct-index-m2o",
    "experiments denoise": "--steps 2 --width 0.25",
    "experiments degrade": "--steps 2",
    "experiments series": "--seed 1 --set epochs=1 --set samples=4 --set batch=2 --set width=0.125",
    "train recipes/thesis/a2u.toml": f"{RECIPE} --set models.0.train.init= "
    "--set models.0.train.workers=0",
    "data compose": "--count 2 --size 64",
    "data draw": "--count 2 --size 64",
    "peers run": "--runs 2 --seconds 0.1 --photo-runs 1",
    "import": "--images 1 --size 64 64",
    "evaluate artefacts/indexnet-m2o-nlc": "--images 1",
}
"""A command's first words, three at most, to what makes it small."""
LESS = {
    "roofline .*": "roofline pspm-slim --size 64 --seconds 0.1",
    "--keep 0.5 --cost host": "--keep 0.9 --cost host",
    "--strict --sustained 10m": "--runs 2 --seconds 0 --sustained 1s --threads 1",
    r"\bARTEFACT\b": "portrait-tflite-int8@*",
    r"--megapixels \d+": "--megapixels 0.1",
    "--size 128 --size 256 --batch 8 --batch 4": "--size 32 --batch 2",
    "--calibration 100": "",
    "--steps 200": "--steps 2 --batch 2 --size 64",
    r"\+\d+%": "+900%",
}
"""What makes it small in place of what stands there. Bounds are for networks that have learned."""


ELSEWHERE = {
    "docs/own-model.md": "tests/workflow/test_own_model_page.py",
    "docs/tasks/ci.md": "tests/test_ci_gate.py: needs qemu",
    "docs/ci/gate.sh": "tests/test_ci_gate.py: needs qemu",
    "docs/devices.md": "needs a Mac: tests/bench/test_ios.py has a stand-in for one",
    "ios_demo/README.md": "exports as docs/tasks/ship.md does, for ten minutes",
}
"""A page whose commands do not run here to why not, or to where as much runs."""


def smaller_words(words: tuple[str, ...]) -> list[str]:
    """Return a command that takes seconds on a toy; patterns are expanded as a shell does."""
    line = shlex.join(words)
    for old, new in LESS.items():
        line = re.sub(old, new, line)
    found = [glob.glob(word) or [word] for word in shlex.split(line)]
    starts = [" ".join(words[:count]) for count in (3, 2, 1)]
    also = next((ALSO[start] for start in starts if start in ALSO), "")
    wanted = shlex.split(also.replace("'", '"').replace('"', r"\""))
    return [*(word for some in found for word in some), *wanted]


def is_parsed_only(written: Written) -> bool:
    return any(said in f"{written.page}: {written.line}" for said in PARSED_ONLY)


def test_every_page_with_commands_has_a_folder_to_run_in() -> None:
    assert {*WORLDS, *ELSEWHERE} == {page for page in PAGES if commands_of(page)}


def test_what_is_parsed_alone_stands_on_a_page() -> None:
    lines = [f"{page}: {one.line}" for page in WORLDS for one in commands_of(page)]
    assert not [said for said in PARSED_ONLY if not any(said in line for line in lines)]


def run_in_shell(line: str) -> tuple[int, str, str]:
    """Run what a shell takes a part of, with the command in a process of its own."""
    (folder := Path("bin")).mkdir(exist_ok=True)
    (folder / "edgemat").write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    (folder / "edgemat").chmod(0o755)
    path = f"{folder.resolve()}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", line], env=ENVIRONMENT | {"PATH": path}, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten what no option does: the product that shows the peak."""
    for name, value in (("CHANNELS", 32), ("SIDE", 8)):
        monkeypatch.setattr(f"edgemat.bench.roofline.PEAK_{name}", value)


@pytest.mark.long
@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("page", WORLDS)
def test_the_commands_of_a_page_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "kept"))
    folder = tmp_path / "folder"
    folder.mkdir()
    WORLDS[page](folder)
    monkeypatch.chdir(folder)
    run = 0
    for written in commands_of(page):
        if is_parsed_only(written):
            continue
        words = smaller_words(written.words)
        status, text, error = run_in_shell(written.line) if written.piped else call(*words)
        # a layer of a network that never learned may lie further away than one LSB; times scatter
        allowed = (0, 1) if words[0] == "verify" or "--sustained" in words else (0,)
        assert status in allowed, f"{words}: {text}{error}"
        run += 1
    assert run


def test_the_readme_has_five_tasks_and_leads_to_every_page_of_one() -> None:
    readme = text_of("README.md")
    assert "## Five tasks" in readme
    tasks = [page for page in PAGES if page.startswith("docs/tasks/")]
    pages = [*tasks, "docs/web.md", "docs/own-model.md"]
    assert [page for page in pages if f"({page})" not in readme] == []


def test_the_readmes_tasks_are_those_of_their_pages() -> None:
    rows = re.findall(r"^\| .* \| `(.+)` \| \[.+\]\((.+)\) \|$", text_of("README.md"), re.M)
    assert len(rows) == 5
    for command, page in rows:
        typed = [line.partition("#")[0].strip() for line in code_of(text_of(page))]
        assert any(line.startswith(command.partition(" --output")[0]) for line in typed), command


def test_the_networks_are_counted() -> None:
    of_the_thesis = [info.thesis is not None for info in list_models()]
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    beyond = words[of_the_thesis.count(False)]
    counted = f"# {of_the_thesis.count(True)}, and {beyond} beyond it"
    assert counted in text_of("docs/tasks/reproduce.md")
