"""Table 4.1: its nine ways of sampling, and the index networks and the CARAFE that it alone has."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from edgemat.data.small_pictures import built_in
from edgemat.experiments.kinds import kind_of
from edgemat.experiments.reconstruct import reconstruction_trial
from edgemat.models.blocks.carafe import Carafe
from edgemat.models.blocks.index import IndexBlock
from edgemat.models.blocks.sampling import create_sampling
from edgemat.models.count import count_parameters, on_paper
from edgemat.models.reconstruct import TABLE_4_1


@pytest.mark.parametrize(("family", "outputs"), [("hin", 1), ("m2o", 64)])
def test_index_networks_of_table_4_1_are_linear_with_context(family: str, outputs: int) -> None:
    """4x4 kernels for four positions and nothing else; pooling is by maxima, unlike chapter 3's."""
    found = count_parameters(on_paper(f"reconstruct-maxpool-index-{family}"))
    blind = count_parameters(on_paper("reconstruct-maxpool-unpool"))
    several = {"hin": lambda c: 1, "m2o": lambda c: c}[family]
    assert found - blind == sum(4 * 16 * c * several(c) for c in (32, 64, 128))
    sampling = create_sampling(f"max-{family}-lc", {0: outputs})
    x, y = torch.randn(2, outputs, 8, 8), torch.rand(2, outputs, 4, 4)
    feature, pooled, guide = sampling.down(0, x)
    assert torch.equal(feature, x) and torch.equal(pooled, F.max_pool2d(x, 2))
    assert guide.shape == (2, outputs, 8, 8)
    expected = F.interpolate(y, scale_factor=2, mode="nearest") * guide
    assert torch.equal(sampling.up(0, y, guide), expected)
    deploy = sampling.deploy()  # type: ignore[operator]
    as_deployed = deploy.down(0, x)
    assert torch.equal(as_deployed.pooled, pooled)
    torch.testing.assert_close(deploy.up(0, y, as_deployed.guide), expected)


def test_a_linear_score_with_context_is_a_weighted_sum_over_4x4() -> None:
    block = IndexBlock(3, family="hin", nonlinear=False, context=True).double()
    x = torch.randn(1, 3, 8, 8, dtype=torch.float64)
    index = block(x)[1]
    weight = block.columns[0][0].weight  # type: ignore[index]
    for position, (i, j) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        score = (weight[position] * x[0, :, 1:5, 3:7]).sum()
        torch.testing.assert_close(index[0, 0, 2 + i, 4 + j], torch.sigmoid(score))


def test_carafe_of_one_pixel_is_nearest_neighbours() -> None:
    carafe, x = Carafe(3, kernel=1), torch.randn(1, 3, 4, 5)
    torch.testing.assert_close(carafe(x), F.interpolate(x, scale_factor=2, mode="nearest"))


def test_table_4_1_has_nine_rows_and_a_series_trains_them_all() -> None:
    assert len(set(TABLE_4_1)) == 9
    trial = reconstruction_trial(built_in(), data="people")
    assert {f"reconstruct-{name}" for name in TABLE_4_1} <= set(trial.models)
    kinds = {name: kind_of(f"reconstruct-{name}") for name in TABLE_4_1}
    guided = {"maxpool-index-hin", "a2u", "maxpool-index-m2o"}
    assert {name for name, kind in kinds.items() if kind == "guided"} == guided
    assert kinds["maxpool-carafe1"] == kinds["conv-nearest"] == "blind"
