"""The ports' figures: known values of each program (see the reference of the field's metrics)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgemat.scoring.ports import Port, errors_by

ALL = np.full((64, 64), 128, np.uint8)


def ramp(start: int) -> NDArray[np.float64]:
    return np.tile(np.clip((np.arange(64) - start) / 32, 0, 1), (64, 1))


def step(start: int) -> NDArray[np.float64]:
    return np.tile((np.arange(64) >= start).astype(float), (64, 1))


@pytest.mark.parametrize(
    ("port", "grad"), [("matlab", 1.0493381733), ("mmagic", 1.0493381733), ("indexnet", 1.0893645)]
)
def test_a_step_that_is_moved_by_two_pixels(port: Port, grad: float) -> None:
    found = errors_by(port, step(34), step(32), trimap=ALL)
    assert found.sad == pytest.approx(0.128) and found.mse == pytest.approx(0.03125)
    assert found.grad == pytest.approx(grad, rel=1e-6) and found.conn == pytest.approx(0.128)


@pytest.mark.parametrize(("port", "grad"), [("matlab", 0.0297631369), ("indexnet", 0.0316917)])
def test_a_ramp_that_is_moved_by_four_pixels(port: Port, grad: float) -> None:
    pred, truth = ramp(20), ramp(16)
    if port == "indexnet":
        pred, truth = (np.round(x * 255).astype(np.uint8) for x in (pred, truth))  # type: ignore[assignment]
    found = errors_by(port, pred, truth, trimap=ALL)
    assert found.sad == pytest.approx(0.256, rel=1e-3)
    assert found.grad == pytest.approx(grad, rel=1e-4)


@pytest.mark.parametrize(
    ("port", "sad", "mse", "grad"),
    [
        ("matlab", 0.256, 1.0, 0.0028887450),
        ("indexnet", 0.256, 1.0, 0.00304180),
        ("mmagic", 0.768, 3.0, 0.0028887450),
    ],
)
def test_mmagic_s_own_test(port: Port, sad: float, mse: float, grad: float) -> None:
    """Truth 1; the matte is 1 where the trimap says foreground, and 0 elsewhere."""
    trimap = np.zeros((32, 32), np.uint8)
    trimap[:16, :16], trimap[16:, 16:] = 128, 255
    pred = (trimap == 255).astype(float)
    found = errors_by(port, pred, np.ones((32, 32)), trimap=trimap)
    assert found.sad == pytest.approx(sad) and found.mse == pytest.approx(mse)
    assert found.grad == pytest.approx(grad, rel=1e-5) and found.conn == pytest.approx(0.256)


@pytest.mark.parametrize(("port", "conn"), [("matlab", 0.0), ("indexnet", 0.0), ("mmagic", 4.096)])
def test_nothing_where_all_is(port: Port, conn: float) -> None:
    found = errors_by(port, np.zeros((64, 64)), np.ones((64, 64)), trimap=ALL)
    assert found.conn == pytest.approx(conn)


@pytest.mark.parametrize(("port", "conn"), [("matlab", 0.0), ("mmagic", 0.0005)])
def test_a_threshold_that_binary_fractions_miss(port: Port, conn: float) -> None:
    """153 / 255 is 0.6, and 0.6000000000000001 in float64."""
    truth = np.full((64, 64), 153, np.uint8)
    pred = truth.copy()
    pred[0, 0] = 255
    found = errors_by(port, pred, truth, trimap=ALL)
    assert found.conn == pytest.approx(conn, abs=1e-9)
