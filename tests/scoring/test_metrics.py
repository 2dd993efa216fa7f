"""Known values of the matting errors (reference: DIM's MATLAB code), and their properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from edgemat.errors import UsageError
from edgemat.scoring.metrics import matting_errors, trimap_miou

Array = npt.NDArray[Any]
FLOAT32_EPS = float(np.finfo(np.float32).eps)  # Conn is computed in float32, as in DIM


def ramp(start: int) -> Array:
    x = np.arange(64, dtype=np.float32)
    return np.tile(np.clip((x - start) / 32, 0, 1), (64, 1)).astype(np.float32)


def as_uint8(matte: Array) -> Array:
    return np.round(matte * 255).astype(np.uint8)


def all_unknown(matte: Array) -> Array:
    return np.full(matte.shape, 128, dtype=np.uint8)


def errors(pred: Array, truth: Array) -> tuple[float, float, float, float]:
    e = matting_errors(pred, truth, trimap=all_unknown(truth))
    return e.sad, e.mse, e.grad, e.conn


def test_case_a_unknown_quarter() -> None:
    trimap = np.zeros((32, 32), np.uint8)
    trimap[:16, :16] = 128
    trimap[16:, 16:] = 255
    pred = (trimap == 255).astype(np.float32)
    truth = np.ones((32, 32), np.float32)
    for p, t in ((pred, truth), (as_uint8(pred), as_uint8(truth))):
        e = matting_errors(p, t, trimap=trimap)
        assert e.sad == pytest.approx(0.256, abs=1e-12)
        assert e.mse == pytest.approx(1.0, abs=1e-12)
        assert e.grad == pytest.approx(0.0028887450, abs=1e-10)
        assert e.conn == pytest.approx(0.256, abs=1e-12)
        assert (e.region, e.pixels) == ("unknown", 256)


def test_case_b_float_ramps() -> None:
    sad, mse, grad, conn = errors(ramp(16), ramp(20))
    assert (sad, mse) == (0.256, 0.00750732421875)
    assert grad == pytest.approx(0.0297631369, abs=1e-10)
    assert conn == pytest.approx(0.2508, rel=FLOAT32_EPS)


def test_case_b_uint8_ramps() -> None:
    pred, truth = as_uint8(ramp(16)), as_uint8(ramp(20))
    sad, mse, grad, conn = errors(pred, truth)
    assert sad == pytest.approx(0.256, abs=1e-12)
    # By hand: each of the 64 rows has 31,236 grey levels squared of difference.
    assert mse == pytest.approx(64 * 31_236 / (64 * 64 * 255**2), rel=1e-12)
    assert grad == pytest.approx(0.0300313540, abs=1e-10)
    assert conn == pytest.approx(0.25098039, rel=FLOAT32_EPS)


def test_case_c_steps() -> None:
    x = np.arange(64)
    pred = np.tile(x >= 32, (64, 1)).astype(np.float32)
    truth = np.tile(x >= 34, (64, 1)).astype(np.float32)
    for p, t in ((pred, truth), (as_uint8(pred), as_uint8(truth))):
        assert errors(p, t) == pytest.approx((0.128, 0.03125, 1.0493381733, 0.128), rel=1e-10)


def test_case_d_empty_intersection_is_skipped() -> None:
    truth = np.ones((64, 64), np.float32)
    assert errors(np.zeros_like(truth), truth)[3] == 0.0


def test_case_f_threshold_is_compared_in_float32() -> None:
    truth = np.full((64, 64), 153, np.uint8)
    pred = truth.copy()
    pred[0, 0] = 255
    unit = np.float32(1) / np.float32(255)
    assert errors(pred, truth)[3] == 0.0
    assert errors(pred * unit, truth * unit)[3] == 0.0


def test_grad_against_the_two_dimensional_kernel_as_it_is_written_in_dim() -> None:
    rng = np.random.default_rng(0)
    pred, truth = rng.random((2, 20, 17))
    x = np.arange(-4, 5)
    gauss = np.exp(-(x**2) / (2 * 1.4**2))
    kernel = np.outer(gauss, -x * gauss)
    kernel /= np.sqrt((kernel**2).sum())
    assert np.abs(kernel).sum() == pytest.approx(5.32399, abs=1e-5)

    def magnitude(image: Array) -> Array:
        stretched = (image - image.min()) / (image.max() - image.min())
        gx = ndimage.convolve(stretched, kernel, mode="nearest")
        gy = ndimage.convolve(stretched, kernel.T, mode="nearest")
        return np.sqrt(gx**2 + gy**2)

    expected = np.sum((magnitude(pred) - magnitude(truth)) ** 2) / 1000
    assert matting_errors(pred, truth).grad == pytest.approx(expected, rel=1e-12)


def test_conn_of_equal_components_keeps_the_first_in_column_major_order() -> None:
    truth = np.zeros((5, 5), np.float32)
    truth[4, 0] = truth[0, 4] = 1.0  # the bottom left one comes first, column by column
    pred = truth.copy()
    pred[0, 4] = 0.9
    # The top right pixel leaves at once (level 0): phi is 1-0.9 against 1-1.
    assert matting_errors(pred, truth).conn == pytest.approx(0.1 / 1000, rel=1e-5)
    # The bottom left one stays through every threshold that both reach: level 0.9, below 0.15 off.
    pred = truth.copy()
    pred[4, 0] = 0.9
    assert matting_errors(pred, truth).conn == 0.0


MATTES = hnp.arrays(np.uint8, st.tuples(st.integers(2, 12), st.integers(2, 12)))
PAIRS = st.tuples(st.integers(2, 12), st.integers(2, 12)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.uint8, shape),
        hnp.arrays(np.uint8, shape),
        hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 128, 255])),
    )
)


@settings(deadline=None)
@given(MATTES)
def test_a_matte_has_no_error_against_itself(matte: Array) -> None:
    assert errors(matte, matte) == (0.0, 0.0, 0.0, 0.0)


@settings(deadline=None)
@given(PAIRS)
def test_sad_mse_and_grad_are_symmetric(pair: tuple[Array, Array, Array]) -> None:
    pred, truth, _ = pair
    assert errors(pred, truth)[:3] == pytest.approx(errors(truth, pred)[:3], rel=1e-12)


@settings(deadline=None)
@given(PAIRS)
def test_sums_over_the_whole_image_are_never_below_the_unknown_region(
    pair: tuple[Array, Array, Array],
) -> None:
    pred, truth, trimap = pair
    trimap[0, 0] = 128
    unknown = matting_errors(pred, truth, trimap=trimap)
    whole = matting_errors(pred, truth, trimap=trimap, region="whole")
    slack = 1e-12
    assert whole.sad >= unknown.sad - slack
    assert whole.grad >= unknown.grad - slack
    assert whole.conn >= unknown.conn - slack
    assert whole.pixels == truth.size


@settings(deadline=None)
@given(PAIRS)
def test_mirroring_changes_sad_mse_grad_by_nothing(pair: tuple[Array, Array, Array]) -> None:
    pred, truth, _ = pair
    assert errors(pred[:, ::-1], truth[:, ::-1])[:3] == pytest.approx(
        errors(pred, truth)[:3], rel=1e-9, abs=1e-12
    )


@settings(deadline=None)
@given(PAIRS)
def test_uint8_and_float_forms_agree(pair: tuple[Array, Array, Array]) -> None:
    pred, truth, _ = pair
    as_float = [(m / np.float32(255)).astype(np.float32) for m in (pred, truth)]
    assert errors(*as_float) == pytest.approx(errors(pred, truth), rel=1e-5, abs=1e-8)


def test_grad_ignores_a_paler_matte_but_sad_does_not() -> None:
    truth = ramp(16)
    sad, _, grad, _ = errors(truth * np.float32(0.5), truth)
    assert grad == pytest.approx(0.0, abs=1e-12)
    assert sad > 0.5


@pytest.mark.parametrize(
    ("pred", "truth", "trimap", "message"),
    [
        (np.zeros((4, 4)), np.zeros((4, 5)), None, "shape"),
        (np.full((4, 4), np.nan), np.zeros((4, 4)), None, "NaN"),
        (np.full((4, 4), 2.0), np.zeros((4, 4)), None, "outside 0..1"),
        (np.zeros((4, 4), np.int32), np.zeros((4, 4)), None, "dtype"),
        (np.zeros((1, 4, 4)), np.zeros((1, 4, 4)), None, "HxW"),
        (np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((4, 4), np.uint8), "no unknown pixel"),
        (np.zeros((4, 4)), np.zeros((4, 4)), np.full((4, 5), 128, np.uint8), "trimap has shape"),
    ],
)
def test_bad_input_is_named(pred: Array, truth: Array, trimap: Array | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        matting_errors(pred, truth, trimap=trimap)


def test_unknown_region_needs_a_trimap_and_a_known_name() -> None:
    matte = np.zeros((4, 4))
    with pytest.raises(UsageError, match="needs a trimap"):
        matting_errors(matte, matte, region="unknown")
    with pytest.raises(UsageError, match="no region 'hair'"):
        matting_errors(matte, matte, region="hair")  # type: ignore[arg-type]


def test_trimap_miou_by_hand() -> None:
    truth = np.array([0, 0, 1, 1, 2, 2])
    pred = np.array([0, 1, 1, 1, 2, 0])
    # background 1/3, unknown 2/3, foreground 1/2
    assert trimap_miou(pred, truth) == pytest.approx((1 / 3 + 2 / 3 + 1 / 2) / 3)
    assert trimap_miou(truth, truth) == 1.0


def test_trimap_miou_leaves_out_a_class_that_is_nowhere() -> None:
    assert trimap_miou(np.array([0, 0]), np.array([0, 2])) == pytest.approx((0.5 + 0.0) / 2)


def test_trimap_miou_refuses_grey_values() -> None:
    with pytest.raises(UsageError, match=r"outside 0\.\.2"):
        trimap_miou(np.array([0, 128]), np.array([0, 1]))
    with pytest.raises(UsageError, match="shape"):
        trimap_miou(np.array([0, 1]), np.array([0, 1, 2]))
