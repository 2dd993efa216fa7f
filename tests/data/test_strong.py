"""Strong augmentation keeps the matting equation where the thesis says so; shares as printed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from edgemat.data.composite import composite
from edgemat.data.dataset import MattingDataset
from edgemat.data.drawn.source import ProceduralSource
from edgemat.data.operations import OPERATIONS, Distortion, blur, gamma, jpeg
from edgemat.data.sample import Matte, Sample
from edgemat.data.strong import strengthen
from edgemat.data.trimap import fixed_trimap
from edgemat.images import F32

SIDE = 48
ALL = [operation for operations in OPERATIONS.values() for operation in operations]


def layers(seed: int = 0) -> tuple[F32, F32, F32]:
    rng = np.random.default_rng(seed)
    foreground, background = (rng.random((SIDE, SIDE, 3), np.float32) * 0.6 + 0.2 for _ in range(2))
    ramp = np.clip((np.arange(SIDE) - 12) / 24, 0, 1).astype(np.float32)
    return foreground.astype(np.float32), background.astype(np.float32), np.tile(ramp, (SIDE, 1))


def sample(seed: int = 0) -> Sample:
    foreground, background, alpha = layers(seed)
    image = composite(foreground, background, alpha=alpha)
    return Sample(image, alpha, fixed_trimap(alpha, dilation=2), foreground, background)


def off_the_equation(operation: Distortion, seed: int) -> float:
    """How far the changed composite lies from the composite of the changed layers (eq. 5.2)."""
    foreground, background, alpha = layers(seed)
    image = composite(foreground, background, alpha=alpha)
    change = operation(image, np.random.default_rng(seed))
    again = composite(change(foreground), change(background), alpha=alpha)
    return float(np.abs(change(image) - again).max())


@pytest.mark.parametrize("operation", OPERATIONS["linear"], ids=lambda o: o.__name__)
def test_a_linear_operation_keeps_the_equation(operation: Distortion) -> None:
    assert max(off_the_equation(operation, seed) for seed in range(5)) < 1e-5


@pytest.mark.parametrize(
    "operation", [*OPERATIONS["nonlinear"], *OPERATIONS["region"]], ids=lambda o: o.__name__
)
def test_another_operation_does_not(operation: Distortion) -> None:
    assert max(off_the_equation(operation, seed) for seed in range(5)) > 1e-3


@pytest.mark.parametrize("operation", ALL, ids=lambda o: o.__name__)
def test_every_operation_changes_the_picture_and_stays_finite(operation: Distortion) -> None:
    image = sample().image
    found = [operation(image, np.random.default_rng(seed))(image) for seed in range(8)]
    assert all(x.shape == image.shape and np.isfinite(x).all() for x in found)
    assert any(np.abs(x - image).max() > 0.01 for x in found)


def test_the_list_is_that_of_the_text() -> None:
    """Section 5.6: eleven linear ones (inversion and shuffling are two), three, and two."""
    assert {c: len(o) for c, o in OPERATIONS.items()} == {"linear": 11, "nonlinear": 3, "region": 2}
    assert {gamma, blur, jpeg} <= set(ALL)


def kind(before: Sample, after: Sample) -> str:
    assert before.foreground is not None and after.foreground is not None
    assert before.background is not None and after.background is not None
    if after.pseudo:
        return "pseudo"
    fore = not np.array_equal(before.foreground, after.foreground)
    back = not np.array_equal(before.background, after.background)
    return {(False, False): "none", (True, False): "af"}.get((fore, back), "both")


@pytest.mark.parametrize(
    ("chosen", "shares"),
    [
        (("af",), {"af": 0.5}),
        (("afb",), {"both": 0.5}),
        (("af", "afb"), {"af": 0.25, "both": 0.25}),
        # AC in 0.1 of the other half: 0.8 of it is neither linear nor sure of its matte
        (("af", "afb", "ac"), {"af": 0.25, "both": 0.25 + 0.01, "pseudo": 0.04}),
    ],
)
def test_shares_are_those_of_the_text(chosen: tuple[str, ...], shares: dict[str, float]) -> None:
    before, count = sample(), 1500
    rng = np.random.default_rng(1)
    found = Counter(kind(before, strengthen(before, chosen, rng)) for _ in range(count))  # type: ignore[arg-type]
    for name, share in shares.items():
        # an operation now and then changes nothing, such as an inversion of no channel
        assert found[name] / count == pytest.approx(share, abs=0.035), found
    assert set(found) <= {*shares, "none", "af", "both"}


def test_every_composite_that_is_sure_of_its_matte_obeys_the_equation() -> None:
    rng = np.random.default_rng(2)
    for seed in range(200):
        found = strengthen(sample(seed), ("af", "afb", "ac"), rng)
        assert found.foreground is not None and found.background is not None
        again = composite(found.foreground, found.background, alpha=found.alpha)
        if not found.pseudo:
            np.testing.assert_allclose(found.image, again, atol=1e-6)


def test_a_degraded_picture_keeps_its_matte_or_not() -> None:
    """Table 5.1: the same picture, with the old matte and with one degraded likewise."""
    before = sample()
    changed = 0
    for seed in range(20):
        kept, modified = (
            strengthen(before, (one,), np.random.default_rng(seed))  # type: ignore[arg-type]
            for one in ("degrade", "degrade-alpha")
        )
        np.testing.assert_array_equal(kept.image, modified.image)
        np.testing.assert_array_equal(kept.alpha, before.alpha)
        changed += not np.array_equal(modified.alpha, before.alpha)
    assert 4 <= changed <= 16  # 1 - 0.75 ** 2 of 20 is 8.75


@pytest.mark.parametrize("views", ["indexnet", "gca", "photographs"])
def test_a_pipeline_gives_composites_with_trimaps_that_hold(views: str) -> None:
    source = ProceduralSource(3, size=(160, 120))
    data = MattingDataset(source, size=(96, 96), seed=5, length=12, views=views)  # type: ignore[arg-type]
    unknown = 0
    for index in range(12):
        found = data.sample(index)
        assert found.image.shape == (96, 96, 3) and found.alpha.shape == (96, 96)
        assert found.foreground is not None and found.background is not None
        again = composite(found.foreground, found.background, alpha=found.alpha)
        np.testing.assert_allclose(found.image, again, atol=1e-6)
        assert set(np.unique(found.trimap)) <= {0, 128, 255}
        # interpolation after the dilation moves edges by a pixel; nothing is beyond that
        partial = (found.alpha > 0.1) & (found.alpha < 0.9)
        assert (found.trimap[partial] == 128).mean() > 0.9 if partial.any() else True
        unknown += int((found.trimap == 128).any())
        np.testing.assert_array_equal(found.image, data.sample(index).image)
    assert unknown >= 8


def test_a_quarter_is_resized_whether_merged_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thesis, section 4.6: "Next, they are resized to 640x640 with a probability of 0.25"."""
    from edgemat.data import pipelines

    seen: list[tuple[int, ...]] = []
    real = pipelines._partial_pixel
    monkeypatch.setattr(
        pipelines,
        "_partial_pixel",
        lambda alpha, rng: (seen.append(alpha.shape), real(alpha, rng))[1],
    )
    alpha = np.full((80, 90), 255, np.uint8)
    alone = Matte(alpha, foreground=np.full((80, 90, 3), 90, np.uint8))
    rng = np.random.default_rng(0)
    for other in (None, alone):
        seen.clear()
        for _ in range(60):
            pipelines.gca_view(alone, other, 32, rng)
        assert set(seen) == {(80, 90), (640, 640)}
        assert 7 <= seen.count((640, 640)) <= 23


def test_two_foregrounds_are_merged() -> None:
    """Two discs far apart: with the second there, more of the picture is foreground."""
    from edgemat.data.pipelines import gca_view

    alpha = np.zeros((200, 200), np.uint8)
    alpha[20:60, 20:60], alpha[20, 20:60] = 255, 128
    colours = np.full((200, 200, 3), 90, np.uint8)
    first = Matte(alpha, foreground=colours)
    second = Matte(alpha[::-1, ::-1].copy(), foreground=colours)
    alone, both = (
        gca_view(first, other, 256, np.random.default_rng(3)).alpha.mean()
        for other in (None, second)
    )
    assert both != alone


def test_a_second_foreground_comes_half_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thesis, line 1242: "chosen with a probability of 0.5"; five deviations are 43 of 300."""
    from edgemat.data import dataset

    seconds: list[bool] = []

    def small_view(
        matte: Matte, second: Matte | None, side: int, rng: np.random.Generator
    ) -> Matte:
        seconds.append(second is not None)
        assert matte.foreground is not None
        return Matte(matte.alpha[:side, :side], foreground=matte.foreground[:side, :side])

    monkeypatch.setattr(dataset, "gca_view", small_view)
    source = ProceduralSource(3, size=(32, 32))
    data = MattingDataset(source, size=(32, 32), seed=5, length=300, views="gca")
    for index in range(300):
        data.sample(index)
    assert len(seconds) == 300 and abs(sum(seconds) - 150) <= 43
