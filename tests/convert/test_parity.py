"""How mattes are compared: figures worked out by hand, and what cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest

from edgemat.convert.parity import compare, distance
from edgemat.errors import ConversionError

ZEROS = np.zeros((2, 2, 2), np.float32)


def test_figures_by_hand() -> None:
    alphas = ZEROS.copy()
    alphas[1, 0, 0], alphas[1, 1, 1] = 0.5, 0.25
    found = compare(alphas, ZEROS, reference="frozen", runtime="any")
    assert (found.max_abs, found.mean_abs, found.images) == (0.5, 0.75 / 8, 2)
    assert found.psnr_db == pytest.approx(-10 * np.log10(0.3125 / 8))
    assert (found.reference, found.runtime) == ("frozen", "any")
    apart = distance(alphas, ZEROS)
    assert (apart.max_abs, apart.mean_abs) == (0.5, 0.75 / 8)


def test_a_matte_agrees_with_itself_beyond_float32() -> None:
    found = compare(ZEROS, ZEROS, reference="float", runtime="")
    assert (found.max_abs, found.mean_abs, found.psnr_db) == (0, 0, 200)


@pytest.mark.parametrize("alphas", [np.zeros((2, 1, 2)), np.full((2, 2, 2), np.nan)])
def test_what_has_no_difference_does_not_agree(alphas: np.ndarray) -> None:
    """numpy would repeat a row of another shape; and NaN compares as the best there is."""
    with pytest.raises(ConversionError, match="mattes"):
        compare(alphas, ZEROS, reference="float", runtime="")
