"""What the runs of a series say: the kinds of sampling, Table 3.2's order, means over seeds."""

from __future__ import annotations

import pytest
from toy_series import MODELS, TINY

from edgemat.experiments.kinds import Kind, kind_of, order_holds
from edgemat.experiments.series import Run, Series
from edgemat.experiments.summary import Spread, orders, summarise


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("reconstruct-index-hin", "guided"),
        ("reconstruct-a2u", "guided"),
        ("reconstruct-maxpool-unpool", "max-unpooling"),
        ("reconstruct-conv-bilinear", "blind"),
        ("reconstruct-avgpool-nn", "blind"),
        ("reconstruct-s2d-d2s", "other"),
        ("reconstruct-conv-deconv", "other"),
        ("dncnn", "other"),
        ("dncnn-m2o-nlc", "guided"),
        ("matting-b11-carafe", "blind"),
        ("matting-b11", "max-unpooling"),
        ("matting-b11-1.4", "max-unpooling"),
        ("matting-hmi", "max-unpooling"),
        ("segnet", "max-unpooling"),
        ("indexnet-slim", "guided"),
        ("indexnet-shared-nl", "guided"),
        ("a2u-nearest", "blind"),
        ("a2u-dynamic-cs-d", "guided"),
    ],
)
def test_what_upsampling_knows(model: str, kind: Kind) -> None:
    assert kind_of(model) == kind


GUIDED, UNPOOLED, BLIND = "reconstruct-index-hin", MODELS[1], MODELS[0]


@pytest.mark.parametrize(
    ("scores", "holds"),
    [
        ({GUIDED: 30, UNPOOLED: 28, BLIND: 20}, True),
        ({GUIDED: 28, UNPOOLED: 30, BLIND: 20}, False),
        ({GUIDED: 30, UNPOOLED: 20, BLIND: 28}, False),
        ({GUIDED: 30, "reconstruct-index-m2o": 27, UNPOOLED: 28, BLIND: 20}, False),
        ({GUIDED: 30, "reconstruct-s2d-d2s": 99, UNPOOLED: 28, BLIND: 20}, True),
        ({GUIDED: 30, BLIND: 20}, None),
    ],
)
def test_the_order_holds_or_not(scores: dict[str, float], holds: bool | None) -> None:
    assert order_holds(scores) is holds


def series(values: dict[str, list[float]], *, more_is_better: bool = True) -> Series:
    return Series(
        subject="reconstruct",
        protocol=TINY,
        data="noise",
        pixels="0",
        score="psnr",
        more_is_better=more_is_better,
        runs=tuple(
            Run(model=model, seed=seed, figures={"psnr": value}, seconds=2, processor="a CPU")
            for model, all_ in values.items()
            for seed, value in enumerate(all_, start=1)
        ),
    )


def test_mean_and_spread_over_seeds() -> None:
    found = series({BLIND: [20, 22, 24], GUIDED: [30, 30, 20], UNPOOLED: [25]})
    best, middle, last = summarise(found)
    assert (best.model, middle.model, last.model) == (GUIDED, UNPOOLED, BLIND)
    assert (last.figures["psnr"], last.seeds) == (Spread(22, 2), (1, 2, 3))
    assert [str(one.figures["psnr"]) for one in (middle, last)] == ["25", "22 ± 2"]
    assert orders(found) == {1: True}
    assert orders(found.model_copy(update={"more_is_better": False})) == {1: False}
    assert [
        one.model for one in summarise(series({BLIND: [9], GUIDED: [1]}, more_is_better=False))
    ] == [
        GUIDED,
        BLIND,
    ]
