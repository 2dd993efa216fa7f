"""Two measurements side by side: the change, how sure it is, and what else differs."""

from __future__ import annotations

import numpy as np
import pytest
from toy_results import toy_circumstances, toy_result

from edgemat.bench.compare import compare
from edgemat.bench.result import Result
from edgemat.bench.stats import summarise
from edgemat.errors import UsageError


def measured(median_ms: float, *, seed: int = 0, count: int = 400, **fields: object) -> Result:
    """Return a result whose samples scatter by 3 %, neighbours alike."""
    noise = np.random.default_rng(seed).normal(size=count + 4)
    smooth = np.convolve(noise, np.ones(5) / 5, "valid")
    samples = tuple((median_ms * (1 + 0.03 * smooth / smooth.std())).tolist())
    return toy_result(samples_ms=samples, latency=summarise(samples), **fields)


def test_a_change_is_found_with_its_interval() -> None:
    (change,) = compare([measured(10.0)], [measured(11.0, seed=1)])
    assert change.figure == "p50" and change.certain
    assert change.low < change.change < change.high
    assert change.low < 0.10 < change.high and change.high - change.low < 0.04
    assert change.notes == ()


@pytest.mark.long
def test_of_the_same_speed_nothing_is_certain_most_of_the_time() -> None:
    found = [
        compare([measured(10.0, seed=2 * n)], [measured(10.0, seed=2 * n + 1)])[0].certain
        for n in range(40)
    ]
    assert sum(found) <= 8  # a 95 % interval misses 2 of 40; smooth noise makes it a bit narrow


def test_other_percentiles() -> None:
    (change,) = compare([measured(10.0)], [measured(10.0)], percentile=90)
    assert change.figure == "p90" and change.change == 0.0
    assert change.before == pytest.approx(measured(10.0).latency.p90_ms)


def test_pairs_have_the_same_name_and_threads() -> None:
    before = [measured(10.0, name="a"), measured(6.0, name="a", threads=2), measured(9, name="b")]
    after = [measured(5.0, name="b"), measured(3.0, name="a", threads=2)]
    found = compare(before, after)
    assert [(c.name, c.threads, round(c.change, 1)) for c in found] == [
        ("b", 1, -0.4),
        ("a", 2, -0.5),
    ]
    (renamed,) = compare([measured(10, name="old")], [measured(9, name="new")])
    assert renamed.name == "old -> new"
    with pytest.raises(UsageError, match="No model was measured in both"):
        compare(before, [measured(1, name="c"), measured(1, name="d")])


def test_what_else_differs_is_said() -> None:
    other = measured(
        10.0,
        circumstances=toy_circumstances(os="Android 16", governor="performance"),
        verdict="invalid",
        reason="CV 20.0% is above 10%",
    )
    (change,) = compare([measured(10.0)], [other])
    assert change.notes == (
        "system: Android 15 and Android 16",
        "governor: None and performance",
        "after is invalid: CV 20.0% is above 10%",
    )


def test_instructions_are_exact_and_emulated_stays_among_itself() -> None:
    arm = toy_circumstances(device_kind="emulated", transport="emulated-arm64")
    before = measured(900.0, circumstances=arm, instructions=1_000_000)
    after = measured(800.0, circumstances=arm, instructions=1_020_000)
    (change,) = compare([before], [after])
    assert (change.figure, change.before, change.after) == ("instructions", 1e6, 1.02e6)
    assert change.low == change.change == change.high == pytest.approx(0.02)
    with pytest.raises(UsageError, match="emulated and on a physical"):
        compare([before], [measured(10.0)])
