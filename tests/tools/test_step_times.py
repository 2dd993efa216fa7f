"""The table of an app's times beside Python's: its figures, its rows, and what it is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edgemat.errors import ArtifactError, GateFailed
from edgemat.matting.smoothing import SMOOTHING
from tools import step_times
from tools.android import __main__ as android
from tools.ios import __main__ as ios
from tools.step_times import SAID, StepTime

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = ("tools/android/StepTimes.kt", "tools/ios/StepTimes.swift")


def times(*runs_ms: float, mean: float = 0.5) -> dict[str, StepTime]:
    return {name: StepTime(mean, runs_ms) for name in SAID}


def printed(times: dict[str, StepTime]) -> str:
    return "\n".join(
        f"{name} {one.mean} {' '.join(map(str, one.runs_ms))}" for name, one in times.items()
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that every step is done with at once."""
    monkeypatch.setattr(step_times, "HEIGHT", 48)
    monkeypatch.setattr(step_times, "WIDTH", 64)
    monkeypatch.setattr(step_times, "WARM_UP_S", 0.0)


def test_the_table_has_the_best_run_of_each_side_and_their_ratio() -> None:
    app, python = times(9.0, 5.0, 7.0), times(2.0, 4.0)
    app["trimap"] = StepTime(0.5, (1.0, 1.5, 1.2))
    text = step_times.report(app, python, language="Kotlin, JDK 17")
    head, empty, *lines = text.splitlines()
    assert head.startswith("1152 x 864 px, small 288 x 216 px; the best of 3 runs after 1 s")
    assert "processors" in head and not empty
    assert lines[0].startswith("| step | Kotlin, JDK 17 | Python 3.") and lines[1].count("-|") == 4
    assert lines[2] == "| picture made small, bilinear | 5.0 | 2.0 | 2.5 |"
    assert lines[2 + list(SAID).index("trimap")] == f"| {SAID['trimap']} | 1.0 | 2.0 | 0.5 |"
    assert lines[-2:] == ["", "Every step is within 3 times Python's time."]
    assert len(lines) == 2 + len(SAID) + 2


def test_a_step_that_takes_too_long_is_named() -> None:
    app = times(2.0) | {"guided": StepTime(0.5, (7.0, 6.1))}
    text = step_times.report(app, times(2.0), language="Swift")
    assert text.endswith(f"\nAbove 3 times Python's time: {SAID['guided']}.\n")


def test_what_a_program_prints_is_read() -> None:
    assert step_times.read_times(printed(times(1.5, 2.5)) + "\n\n") == times(1.5, 2.5)


@pytest.mark.parametrize("line", ["guided 0.5", "guided", "else 0.5 1.0", "Exception in thread"])
def test_what_is_no_time_is_refused(line: str) -> None:
    with pytest.raises(ArtifactError, match=re.escape(line)):
        step_times.read_times(f"{printed(times(1.0))}\n{line}")


def test_a_step_without_times_is_missed() -> None:
    some = times(1.0)
    del some["blur"], some["guided"]
    with pytest.raises(ArtifactError, match="nothing of blur, guided"):
        step_times.read_times(printed(some))


@pytest.mark.usefixtures("small")
def test_python_runs_before_and_after_the_app_and_both_do_the_same() -> None:
    steps = step_times.python_steps(step_times.make_pictures())
    means = {name: one.mean for name, one in step_times.time_python(steps, 1).items()}

    def program(means: dict[str, float]) -> Callable[[int], str]:
        return lambda runs: printed(
            {name: StepTime(mean, (1.0,) * runs) for name, mean in means.items()}
        )

    app, python = step_times.compare_steps(program(means), runs=3)
    assert {len(one.runs_ms) for one in (*app.values(), *python.values())} == {3}
    wrong = means | {"smoothing": means["smoothing"] + 0.01}
    with pytest.raises(GateFailed, match="smoothed: the app's mean is"):
        step_times.compare_steps(program(wrong), runs=2)


@pytest.mark.usefixtures("small")
def test_a_mean_that_is_no_number_is_not_pythons() -> None:
    with pytest.raises(GateFailed):
        step_times.check_same(times(1.0, mean=float("nan")), times(1.0))


def test_the_small_pictures_are_the_large_ones_reduced() -> None:
    made = step_times.make_pictures()
    assert made.image.shape == (864, 1152, 3) and made.small_alpha.shape == (216, 288)
    assert made.alpha.min() == 0 and made.alpha.max() == 1
    assert ((made.alpha > 0) & (made.alpha < 1)).mean() > 0.05
    assert np.array_equal(made.small_image, made.image[2::4, 2::4])


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_programs_have_the_same_steps_and_constants(program: str) -> None:
    source = (REPOSITORY / program).read_text(encoding="utf-8")
    assert re.findall(r'time\("([\w-]+)"', source) == list(SAID)
    constants = dict(re.findall(r"(?:val|let) (\w+)(?:: \w+)? = ([\w.]+)", source))
    found = {name.lower(): value for name, value in constants.items()}
    assert float(found["smoothing"].rstrip("f")) == SMOOTHING
    assert float(found["blur"]) == step_times.BLUR
    assert int(found["reduction"]) == step_times.REDUCTION
    assert re.search(rf"Size\(\D*{step_times.HEIGHT},\D*{step_times.WIDTH}\)", source)
    assert "105_000" in source and "30_000" in source


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("platform", ["android", "ios"])
def test_the_command_writes_its_table_behind_its_mark(
    platform: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "docs" / "verification.md"
    page.parent.mkdir()
    before = (REPOSITORY / "docs" / "verification.md").read_text(encoding="utf-8")
    page.write_text(before, encoding="utf-8")
    monkeypatch.setattr(step_times, "ROOT", tmp_path)
    steps = step_times.python_steps(step_times.make_pictures())
    same = {name: one.mean for name, one in step_times.time_python(steps, 1).items()}
    open_builds = []

    @contextmanager
    def build() -> Iterator[step_times.Program]:
        open_builds.append(platform)
        yield (
            lambda runs: printed({name: StepTime(same[name], (9.0,) * runs) for name in SAID}),
            "Kotlin, or Swift" * len(open_builds),  # what is built is there while it is measured
        )
        open_builds.pop()

    command = step_times.time_command(platform, build)
    command(2, False)
    table = capsys.readouterr().out
    assert "the best of 2 runs" in table and "| step | Kotlin, or Swift | Python 3." in table
    assert page.read_text(encoding="utf-8") == before
    command(2, True)
    table = capsys.readouterr().out
    mark = f"<!-- times: python -m tools.{platform} time --write -->\n"
    assert f"{mark}{table}<!-- end -->" in page.read_text(encoding="utf-8")
    assert not open_builds


@pytest.mark.parametrize("tools", [android, ios])
def test_both_platforms_have_the_command(tools: ModuleType) -> None:
    (command,) = (one for one in tools.app.registered_commands if one.name == "time")
    assert command.callback is not None
    assert command.callback.__module__ == step_times.__name__
