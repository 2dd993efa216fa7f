"""What each step of matting takes in an app's own code, beside Python's time for the same step.

`python -m tools.android time` and `python -m tools.ios time` print it. Their programs,
`android/StepTimes.kt` and `ios/StepTimes.swift`, make the same pictures by the same formula, and
print a line for each step: its name, the mean of its result, and what each run took in ms.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from edgemat.bench.devices.host import host_condition, host_processor
from edgemat.errors import ArtifactError, GateFailed
from edgemat.files import write_text
from edgemat.images import F32, PIXEL_SCALE, U8, resize
from edgemat.matting.foreground import blur_background, estimate_foreground
from edgemat.matting.guided import guided_upsample
from edgemat.matting.smoothing import SMOOTHING, Smoother
from edgemat.matting.unknown import trimap_of_matte
from edgemat.terminal import out

ROOT = Path(__file__).parents[1]
HEIGHT, WIDTH = 864, 1152
REDUCTION = 4
"""The small picture's sides are a network's: 288 x 216 px."""
BLUR = 8.0
"""The widest disc that the picture is not reduced for, in whole pixels: the longest to compute."""
RUNS = 15
WARM_UP_S = 1.0
"""The JVM compiles what runs often; this is enough for it to be done."""
MOST_TIMES = 3.0
"""An app's step may take so many times as long as Python's."""
_AGREEMENT = 0.002
"""Between two means in 0..1: no bit for bit comparison, which tests/vectors are for."""


@dataclass(frozen=True)
class Pictures:
    """What the steps get: a textured picture, a soft disc as its matte, and both reduced."""

    image: U8
    alpha: F32
    small_image: U8
    small_alpha: F32


@dataclass(frozen=True)
class StepTime:
    """What one step took.

    Attributes
    ----------
    mean:
        Of the result, in 0..1: says that both sides did the same.
    runs_ms:
        Each run, after a warm-up.
    """

    mean: float
    runs_ms: tuple[float, ...]

    @property
    def best_ms(self) -> float:
        """The quickest run: other work on the machine only adds to a run."""
        return min(self.runs_ms)


def make_pictures() -> Pictures:
    """Return the pictures, by a formula in integers that every language computes alike."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    small = slice(REDUCTION // 2, None, REDUCTION)
    image, alpha = _image(rows, columns), _alpha(rows, columns)
    return Pictures(
        image,
        alpha,
        np.ascontiguousarray(image[small, small]),
        np.ascontiguousarray(alpha[small, small]),
    )


def _image(rows: NDArray[Any], columns: NDArray[Any]) -> U8:
    slope = [rows * (3 + c) + columns * (5 - c) + rows * columns // 64 for c in range(3)]
    image: U8 = (np.stack(slope, axis=2) & 255).astype(np.uint8)
    return image


def _alpha(rows: NDArray[Any], columns: NDArray[Any]) -> F32:
    squared = (rows - HEIGHT // 2) ** 2 + (columns - WIDTH // 2) ** 2
    alpha: F32 = np.clip((105_000 - squared).astype(np.float32) / np.float32(30_000), 0, 1)
    return alpha


def python_steps(pictures: Pictures) -> dict[str, Callable[[], NDArray[Any]]]:
    """Return what Python does in each step, by the name that all programs give it."""
    image, alpha = pictures.image, pictures.alpha
    small_image, small_alpha = pictures.small_image, pictures.small_alpha
    size, small = alpha.shape, small_alpha.shape
    smoother = Smoother(SMOOTHING)
    return {
        "shrink": lambda: resize(image, (small[0], small[1]), method="bilinear"),
        "enlarge": lambda: resize(small_image, (size[0], size[1]), method="bicubic"),
        "enlarge-matte": lambda: resize(small_alpha, (size[0], size[1]), method="bilinear"),
        "guided": lambda: guided_upsample(small_alpha, small_image * PIXEL_SCALE, image),
        "trimap": lambda: trimap_of_matte(alpha),
        "foreground": lambda: estimate_foreground(image, alpha),
        "blur": lambda: blur_background(image, alpha, BLUR),
        "smoothing": lambda: smoother(image, alpha),
    }


SAID = {
    "shrink": "picture made small, bilinear",
    "enlarge": "small picture made large, bicubic",
    "enlarge-matte": "small matte made large, bilinear",
    "guided": "small matte made large by the guided filter",
    "trimap": "trimap that a matte suggests",
    "foreground": "the foreground's colours",
    "blur": f"the background blurred by {BLUR:g} px, the colours' time included",
    "smoothing": "a video's next matte, smoothed",
}


def time_python(steps: Mapping[str, Callable[[], NDArray[Any]]], runs: int) -> dict[str, StepTime]:
    """Measure all steps in Python, one after the other."""
    return {name: _time(step, runs) for name, step in steps.items()}


def _time(step: Callable[[], NDArray[Any]], runs: int) -> StepTime:
    end = time.perf_counter() + WARM_UP_S
    result = step()
    while time.perf_counter() < end:
        result = step()
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        step()
        taken.append((time.perf_counter() - begun) * 1e3)
    scale = 255 if result.dtype == np.uint8 else 1
    return StepTime(float(result.mean(dtype=np.float64)) / scale, tuple(taken))


Program = tuple[Callable[[int], str], str]
"""What runs an app's steps so many times and returns what they printed; and its language."""


def times_mark(platform: str) -> str:
    """Return the line of docs/verification.md behind which a platform's times stand."""
    return f"<!-- times: python -m tools.{platform} time --write -->\n"


def time_command(
    platform: str, build: Callable[[], AbstractContextManager[Program]]
) -> Callable[[int, bool], None]:
    """Return the command `time` of `python -m tools.android` and `python -m tools.ios`.

    Parameters
    ----------
    platform:
        "android" or "ios".
    build:
        Fetches what compiles the app's core, and compiles it.
    """

    def time_steps(
        runs: Annotated[int, typer.Option(min=2, help="Of each step.")] = RUNS,
        write: Annotated[
            bool, typer.Option("--write", help="Into docs/verification.md, too.")
        ] = False,
    ) -> None:
        """Measure the core's steps beside Python's, and print a table of Markdown."""
        with build() as (program, language):
            app, python = compare_steps(program, runs)
        text = report(app, python, language=language)
        show_report(text, times_mark(platform), write=write)

    return time_steps


def compare_steps(
    program: Callable[[int], str], runs: int = RUNS
) -> tuple[dict[str, StepTime], dict[str, StepTime]]:
    """Measure Python, then an app's program, then Python again.

    Parameters
    ----------
    program:
        Given the number of runs, returns what it printed.

    Returns
    -------
    tuple
        The app's times and Python's, which has half of its runs before and half after the app's,
        so that a machine that grows slower or quicker does so for both.

    Raises
    ------
    ArtifactError
        When the program prints something else.
    GateFailed
        When its results are not Python's.
    """
    steps = python_steps(make_pictures())
    before = time_python(steps, -(-runs // 2))
    app = read_times(program(runs))
    after = time_python(steps, runs // 2)
    python = {
        name: StepTime(one.mean, one.runs_ms + after[name].runs_ms) for name, one in before.items()
    }
    check_same(app, python)
    return app, python


def read_times(printed: str) -> dict[str, StepTime]:
    """Return what an app's program printed.

    Raises
    ------
    ArtifactError
        When a line is no name and numbers, or when a step is missing.
    """
    times = {}
    for line in filter(str.strip, printed.splitlines()):
        name, *words = line.split()
        try:
            mean, *runs = map(float, words)
        except ValueError:
            raise _not_times(line) from None
        if name not in SAID or not runs:
            raise _not_times(line)
        times[name] = StepTime(mean, tuple(runs))
    if missing := SAID.keys() - times:
        raise _not_times(f"nothing of {', '.join(sorted(missing))}")
    return times


def _not_times(said: str) -> ArtifactError:
    return ArtifactError(
        f"The app's program does not print its times, but: {said}",
        remedy="Compare its steps with SAID in tools/step_times.py.",
    )


def check_same(app: Mapping[str, StepTime], python: Mapping[str, StepTime]) -> None:
    """Raise GateFailed where an app's result is not Python's: its time would say nothing."""
    for name, said in SAID.items():
        found, wanted = app[name].mean, python[name].mean
        if not abs(found - wanted) <= _AGREEMENT:
            raise GateFailed(
                f"{said}: the app's mean is {found:.4f}, Python's {wanted:.4f}.",
                remedy="Run the app's own check: make android-check or make ios-check.",
            )


def report(app: Mapping[str, StepTime], python: Mapping[str, StepTime], *, language: str) -> str:
    """Return the times as Markdown: the machine, a table, and which steps are too slow.

    Parameters
    ----------
    language:
        What ran the app's code, for example ``"Kotlin, JDK 17.0.16"``.
    """
    runs = min(len(one.runs_ms) for one in app.values())
    small = f"{WIDTH // REDUCTION} x {HEIGHT // REDUCTION} px"
    lines = [
        f"{WIDTH} x {HEIGHT} px, small {small}; the best of {runs} runs after {WARM_UP_S:g} s of "
        f"warm-up, in ms. {_machine()}",
        "",
        f"| step | {language} | Python {platform.python_version()} | times |",
        "|---|---|---|---|",
    ]
    for name, said in SAID.items():
        ms, python_ms = app[name].best_ms, python[name].best_ms
        lines.append(f"| {said} | {ms:.1f} | {python_ms:.1f} | {ms / python_ms:.1f} |")
    return "\n".join([*lines, "", _verdict(app, python), ""])


def show_report(text: str, mark: str, *, write: bool) -> None:
    """Print a report; with `write`, put it into docs/verification.md behind its mark as well."""
    out.print(text, markup=False, highlight=False, soft_wrap=True, end="")
    if write:
        from tools.docs import VERIFICATION, between  # with torch

        page = ROOT / VERIFICATION
        write_text(page, between(page.read_text(encoding="utf-8"), mark, text))


def _machine() -> str:
    load = host_condition().load_average
    busy = "" if load is None else f", load average {load:.1f}"
    return f"{host_processor()}, {os.cpu_count()} processors{busy}."


def _verdict(app: Mapping[str, StepTime], python: Mapping[str, StepTime]) -> str:
    """Return which steps take an app more than three times as long as Python."""
    slow = [
        said for name, said in SAID.items() if app[name].best_ms > MOST_TIMES * python[name].best_ms
    ]
    bound = f"{MOST_TIMES:g} times Python's time"
    return f"Above {bound}: {'; '.join(slow)}." if slow else f"Every step is within {bound}."
