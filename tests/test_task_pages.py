"""The commands of the task pages, run one after another as they stand there, on toys.

A folder is filled with what a page takes for granted, and each of its commands is run there, with
what makes it small. Those that are parsed alone (tests/test_page_commands.py) are named below with
the reason. One's own network has a test of its own: tests/workflow/test_own_model_page.py.
"""

from __future__ import annotations

import glob
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from page_commands import PAGES, ROOT, code_of, commands_of, text_of
from toy_artifacts import tflite_artifact
from toy_examples import write_toys
from toy_results import toy_result
from toy_videos import write_clip

from edgemat.bench.store import RunStore, default_history
from edgemat.images import write_image

TASKS = {Path(page).stem: page for page in PAGES if page.startswith("docs/tasks/")}
PARSED_ONLY = {
    "matte photos -o cutouts --watch": "never ends",
    "matte - < photo.jpg": "a shell's pipe: tests/cli/test_matte_many.py",
    "edgemat serve": "never ends: tests/serve",
    "--to web": "needs npm: tests/web",
    "edgemat run my.toml": "takes minutes: tests/workflow/test_pipeline.py",
    "data label": "needs a large network: tests/data/test_label.py has a toy",
    "--ray local": "needs Ray: tests/ground/test_spread_ray.py",
    "--device adb": "needs a phone: tests/bench/test_adb.py has Android's adbd",
    "--device ssh": "needs a board: tests/bench/test_ssh.py has an sshd",
    "--device browser": "waits for a browser: tests/bench/test_browser.py opens one",
    "portrait --device emulated-arm64": "needs qemu: tests/bench/test_emulated.py",
    "--strict --sustained": "takes eleven minutes a file",
    "--cost host": "measures every layer for a minute: tests/quantize/pruning",
    "--milliseconds": "the same",
    "roofline": "measures for minutes: tests/bench/test_bench.py",
    "opinions": "needs `make onnx2tf`: tests/bench/test_opinions.py",
    "edgemat quality": "needs photographs: tests/bench/test_quality.py",
    "peers run": "needs `make peers`: tests/bench/test_peers.py",
    "--layout p3m-10k": "needs the set: tests/data/test_layouts.py has a toy",
    "experiments denoise": "needs photographs: tests/experiments/test_experiments.py",
    "data check adobe": "needs the set: tests/data/test_layouts.py has a toy",
    "train recipes/thesis": "needs the set and a GPU: tests/workflow/test_thesis_training.py",
}
"""What a command says that is not run, and why."""
RECIPE = (
    "--set threads=1 --set models.0.config={width=0.25} --set models.0.input_size=[64,64] "
    "--set models.0.train.steps=2 --set models.0.train.batch=2 --set models.0.train.size=64"
)
ALSO = {
    "train": RECIPE,
    "run": f"{RECIPE} --set verify={{images=2}} --set bench={{runs=2,seconds=0.1,threads=[1]}} "
    "--set gate={sad='+900%',grad='+900%'}",
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
    "experiments degrade": "--steps 2",
    "experiments series": "--model reconstruct-avgpool-nn --seed 1",
}
"""A command's first word, or first two, to what makes it small."""
LESS = {
    r"--megapixels \d+": "--megapixels 0.1",
    "--size 128 --size 256 --batch 8 --batch 4": "--size 32 --batch 2",
    "--calibration 100": "",
    "--steps 200": "--steps 2 --batch 2 --size 64",
    r"\+\d+%": "+900%",
}
"""What makes it small in place of what stands there. Bounds are for networks that have learned."""


def portrait(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a bright disc on noise, and its matte."""
    random = np.random.default_rng(side)
    y, x = np.mgrid[:side, :side]
    alpha = np.clip(side / 4 - np.hypot(y - side / 2, x - side / 2), 0, 1)[..., None]
    pixels = 255 * alpha + (1 - alpha) * random.uniform(0, 90, (side, side, 3))
    return pixels.astype(np.uint8), (255 * alpha[..., 0]).astype(np.uint8)


def cut_out(folder: Path) -> None:
    for number, name in enumerate(("photo", "beach", "photos/a", "photos/b")):
        write_image(folder / f"{name}.jpg", portrait(96 + number)[0])
    trimap = np.full((96, 96), 128, np.uint8)
    trimap[:16], trimap[40:56, 40:56] = 0, 255
    write_image(folder / "trimap.png", trimap)
    write_image(folder / "mask.png", portrait(96)[1])
    pytest.importorskip("av")
    write_clip(folder / "clip.mp4", count=3)


def own_data(folder: Path) -> None:
    write_toys(folder)
    for number in range(12):
        pixels, alpha = portrait(90 + number)
        for name, picture in (("image", pixels), ("alpha", alpha)):
            write_image(folder / f"path/to/mattes/{name}/{number}.png", picture)
        write_image(folder / f"path/to/photographs/{number}.png", pixels[:, ::-1])
        write_image(folder / f"masks/image/{number}.png", pixels)
        write_image(folder / f"masks/mask/{number}.png", 255 * (alpha > 99).astype(np.uint8))
    (recipe,) = re.findall(r"^```toml\n(.*?)^```", text_of(TASKS["own-data"]), re.M | re.S)
    (folder / "my.toml").write_text(recipe)


def profile(folder: Path) -> None:
    store = RunStore(default_history())
    for _ in range(7):
        store.append(toy_result())
    (folder / "result.json").write_text(toy_result().model_dump_json())


def ship(folder: Path) -> None:
    write_toys(folder)
    for demo in ("android_demo", "ios_demo"):
        ignored = shutil.ignore_patterns("build", ".gradle")
        shutil.copytree(ROOT / demo, folder / demo, ignore=ignored)


def smaller(folder: Path) -> None:
    write_toys(folder)
    for name in ("portrait-tflite-int8", "portrait-tflite-fp32"):
        target = name.removeprefix("portrait-")
        tflite_artifact(folder / "runs/toy/artifacts", name=name, target=target)


def quality(folder: Path) -> None:
    write_toys(folder)
    for number in range(2):
        pixels, alpha = portrait(144 + number)  # beside 30 px of unknown something is known
        for name, picture in (("image", pixels), ("alpha", alpha)):
            write_image(folder / f"FOLDER/{name}/{number}.png", picture)


WORLDS: dict[str, Callable[[Path], object]] = {
    **{"cut-out": cut_out, "own-data": own_data, "profile": profile, "ship": ship},
    **{"smaller": smaller, "quality": quality, "reproduce": lambda folder: None},
}
"""A page to what fills its folder."""
ELSEWHERE = {"python": "tests/test_examples.py", "ci": "parsed alone: its bench needs qemu"}


def smaller_words(words: tuple[str, ...]) -> list[str]:
    """Return a command that takes seconds on a toy; patterns are expanded as a shell does."""
    line = shlex.join(words)
    for old, new in LESS.items():
        line = re.sub(old, new, line)
    found = [glob.glob(word) or [word] for word in shlex.split(line)]
    also = ALSO.get(" ".join(words[:2]), ALSO.get(words[0], ""))
    wanted = shlex.split(also.replace("'", '"').replace('"', r"\""))
    return [*(word for some in found for word in some), *wanted]


def test_every_task_page_has_a_folder_to_run_in() -> None:
    assert {*WORLDS, *ELSEWHERE} == {*TASKS}


def test_what_is_parsed_alone_stands_on_a_page() -> None:
    lines = [one.line for page in TASKS.values() for one in commands_of(page)]
    assert not [said for said in PARSED_ONLY if not any(said in line for line in lines)]


@pytest.mark.long
@pytest.mark.parametrize("task", WORLDS)
def test_the_commands_of_a_task_run(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "kept"))
    folder = tmp_path / "folder"
    folder.mkdir()
    WORLDS[task](folder)
    monkeypatch.chdir(folder)
    run = 0
    for written in commands_of(TASKS[task]):
        if any(said in written.line for said in PARSED_ONLY):
            continue
        words = smaller_words(written.words)
        status, text, error = call(*words)
        # a layer of a network that never learned may lie further away than one LSB
        assert status == 0 or (words[0] == "verify" and status == 1), f"{words}: {text}{error}"
        run += 1
    assert run


def test_the_readmes_tasks_are_those_of_their_pages() -> None:
    rows = re.findall(r"^\| .* \| `(.+)` \| \[.+\]\((.+)\) \|$", text_of("README.md"), re.M)
    assert len(rows) == 6
    for command, page in rows:
        typed = [line.partition("#")[0].strip() for line in code_of(text_of(page))]
        assert any(line.startswith(command.partition(" --output")[0]) for line in typed), command
