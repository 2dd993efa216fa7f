"""Errors of classes and of depths, against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgemat.data.layouts.pictures import NO_CLASS
from edgemat.errors import UsageError
from edgemat.scoring.dense import LEAST_DEPTH, ClassCounts, depth_errors

E = NO_CLASS


def test_classes_by_hand() -> None:
    """Class 0: 2 of 4 in the union, class 1: 1 of 3, class 2: 1 of 1; class 3 is nowhere."""
    counts = ClassCounts(4)
    counts.add(np.array([[0, 0, 1], [0, 2, 3]]), np.array([[0, 0, 0], [1, 2, E]]))
    counts.add(np.array([[1]]), np.array([[1]]))
    assert counts.mean_iou == pytest.approx((2 / 4 + 1 / 3 + 1) / 3)
    assert counts.pixel_accuracy == pytest.approx(4 / 6)


def test_nothing_labelled_has_no_accuracy() -> None:
    counts = ClassCounts(2)
    counts.add(np.array([[1, 0]]), np.array([[E, E]]))
    assert math.isnan(counts.pixel_accuracy)


def test_depths_by_hand() -> None:
    truth = [np.array([[1.0, 2.0], [4.0, 0.0]], np.float32)]
    found = [np.array([[1.1, 3.0], [2.0, 9.0]], np.float32)]
    errors = depth_errors(found, truth)
    assert errors.rms == pytest.approx(math.sqrt((0.01 + 1 + 4) / 3), rel=1e-6)
    assert errors.rel == pytest.approx((0.1 + 0.5 + 0.5) / 3, rel=1e-6)
    logs = (math.log10(1.1), math.log10(1.5), math.log10(2))
    assert errors.log10 == pytest.approx(sum(logs) / 3, rel=1e-6)
    # ratios 1.1, 1.5 and 2; the powers of 1.25 are 1.25, 1.5625 and 1.953125
    assert (errors.delta1, errors.delta2, errors.delta3) == pytest.approx((1 / 3, 2 / 3, 2 / 3))


def test_means_are_over_pixels_and_not_over_pictures() -> None:
    truth = [np.ones((1, 3), np.float32), np.ones((1, 1), np.float32)]
    found = [np.ones((1, 3), np.float32), np.full((1, 1), 2, np.float32)]
    assert depth_errors(found, truth).rel == pytest.approx(1 / 4)


def test_depths_behind_the_camera_are_judged_as_at_it() -> None:
    truth = [np.ones((1, 1), np.float32)]
    errors = depth_errors([np.full((1, 1), -5, np.float32)], truth)
    assert errors.log10 == pytest.approx(-math.log10(LEAST_DEPTH))
    assert errors.delta3 == 0


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(UsageError, match="shape"):
        ClassCounts(2).add(np.zeros((2, 2), int), np.zeros((1, 2), int))
    with pytest.raises(UsageError, match="shape"):
        depth_errors([np.ones((2, 2), np.float32)], [np.ones((1, 2), np.float32)])
    with pytest.raises(UsageError, match="No pixel"):
        depth_errors([np.ones((2, 2), np.float32)], [np.zeros((2, 2), np.float32)])
