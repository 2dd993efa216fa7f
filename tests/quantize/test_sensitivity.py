"""Blocks: what int8 costs in each, and keeping some in float."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

pytest.importorskip("nncf")

from shared_networks import file_of, quantized_network
from toy_networks import picture

from edgemat.artifacts.artifact import MattingErrors
from edgemat.cli.plots import check_format, save_ranking
from edgemat.convert.backends import find_backend, find_target
from edgemat.convert.pairing import run_both
from edgemat.convert.parity import compare
from edgemat.convert.proof import prove
from edgemat.errors import UsageError
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.quantize.blocks import (
    BETWEEN,
    BlockTensors,
    check_blocks,
    find_blocks,
    keep,
    quantize_only,
)
from edgemat.quantize.frozen import freeze
from edgemat.quantize.ptq import Quantized
from edgemat.quantize.sensitivity import BlockError, keep_under, rank_blocks
from edgemat.scoring.bounds import Bound, parse_named_bound

SIZE = 64
NETWORKS = {"pspm-slim": ({"width": 0.5}, 3), "indexnet-slim": ({"width": 0.5}, 4)}

Ranked = tuple[MattingErrors, list[BlockError]]


@pytest.fixture(
    scope="module", params=["pspm-slim", pytest.param("indexnet-slim", marks=pytest.mark.long)]
)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def quantized(name: str) -> Quantized:
    config, channels = NETWORKS[name]
    return quantized_network(name, channels, **config)


@pytest.fixture(scope="module")
def blocks(quantized: Quantized, name: str) -> dict[str, BlockTensors]:
    return find_blocks(quantized.deploy, quantized.spec, example(name))


def example(name: str) -> torch.Tensor:
    return picture(NETWORKS[name][1], SIZE, seed=3)


def errors(name: str, quantized: Quantized) -> object:
    """Return a scorer: SAD is the distance from the float model, Grad twice that."""
    x = example(name)
    empty = quantized.spec.model_copy(update={"tensors": ()})
    with torch.no_grad():
        exact = freeze(quantized.deploy, empty)(x)

    def score(model: nn.Module) -> MattingErrors:
        with torch.no_grad():
            distance = float((model(x) - exact).abs().sum()) + 1.0
        return MattingErrors(sad=distance, mse=0.0, grad=2 * distance, conn=0.0)

    return score


@pytest.fixture(scope="module")
def ranked(quantized: Quantized, name: str) -> Ranked:
    return rank_blocks(quantized, example(name), errors(name, quantized))  # type: ignore[arg-type]


def test_every_tensor_is_in_one_block(
    quantized: Quantized, blocks: dict[str, BlockTensors]
) -> None:
    numbers = [n for block in blocks.values() for n in (*block.inside, *block.border)]
    between = set(range(len(quantized.spec.tensors))) - set(numbers)
    assert len(numbers) == len(set(numbers))
    functions = {p.function for n in between for p in quantized.spec.tensors[n].places}
    assert functions <= {"", "add", "cat", "mul", "clamp"}, "only what is done between blocks"
    assert {"encoder.0", "encoder.7", "lateral", "refine", "predict"} <= blocks.keys()
    weights = [n for n, q in enumerate(quantized.spec.tensors) if q.kind == "weight"]
    assert all(any(n in block.inside for block in blocks.values()) for n in weights)


def test_a_block_in_float_keeps_its_border(
    quantized: Quantized, blocks: dict[str, BlockTensors]
) -> None:
    spec = keep(quantized.spec, blocks, in_float=["encoder.3"])
    gone = set(quantized.spec.tensors) - set(spec.tensors)
    assert gone == {quantized.spec.tensors[n] for n in blocks["encoder.3"].inside}
    assert {quantized.spec.tensors[n] for n in blocks["encoder.3"].border} <= set(spec.tensors)


def test_a_block_that_does_not_exist_is_named_with_the_nearest(
    quantized: Quantized, blocks: dict[str, BlockTensors]
) -> None:
    with pytest.raises(UsageError, match="in float and at w8a16"):
        keep(quantized.spec, blocks, in_float=["encoder.3"], w8a16=["encoder.3"])
    with pytest.raises(UsageError, match=r"no block 'encodr\.3'") as caught:
        keep(quantized.spec, blocks, in_float=["encodr.3"])
    assert "encoder.3" in str(caught.value.remedy)


def test_names_are_known_before_anything_is_quantized(
    quantized: Quantized, blocks: dict[str, BlockTensors], name: str
) -> None:
    check_blocks(quantized.deploy, example(name), in_float=list(blocks))
    with pytest.raises(UsageError, match=r"no block 'encodr\.3'"):
        check_blocks(quantized.deploy, example(name), w8a16=["encodr.3"])
    with pytest.raises(UsageError, match="in float and at w8a16"):
        check_blocks(quantized.deploy, example(name), in_float=["lateral"], w8a16=["lateral"])


def test_blocks_are_ranked_by_what_they_cost(ranked: Ranked) -> None:
    base, ranking = ranked
    assert base.sad == 1.0
    costs = [row.errors.sad for row in ranking]
    assert costs == sorted(costs, reverse=True) and costs[0] > 1.5
    assert ranking[0].added["sad"] == pytest.approx(costs[0] - 1)
    assert BETWEEN not in {row.block for row in ranking} or len(ranking) > 10


def test_as_many_blocks_stay_in_float_as_the_bound_needs(
    quantized: Quantized, blocks: dict[str, BlockTensors], ranked: Ranked, name: str
) -> None:
    score, (_, ranking) = errors(name, quantized), ranked
    whole, least = (
        score(freeze(quantized.deploy, keep(quantized.spec, blocks, in_float=names)))  # type: ignore[operator]
        for names in ((), tuple(blocks))
    )
    assert least.sad < whole.sad

    def accept(found: MattingErrors) -> bool:
        return found.sad < (whole.sad + least.sad) / 2

    kept = keep_under(quantized, blocks, ranking, score, accept)  # type: ignore[arg-type]
    assert 0 < len(kept.names) < len(blocks)
    assert kept.names == tuple(row.block for row in ranking[: len(kept.names)])
    assert accept(kept.errors)
    fewer = keep(quantized.spec, blocks, in_float=kept.names[:-1])
    assert not accept(score(freeze(quantized.deploy, fewer)))  # type: ignore[operator]
    with pytest.raises(UsageError, match="every block in float"):
        keep_under(quantized, blocks, ranking, score, lambda _: False)  # type: ignore[arg-type]


def test_one_block_alone_is_between_float_and_int8(
    quantized: Quantized, blocks: dict[str, BlockTensors]
) -> None:
    counts = [len(quantize_only(quantized.spec, block).tensors) for block in blocks.values()]
    assert all(0 < count < len(quantized.spec.tensors) for count in counts)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["in_float", pytest.param("w8a16", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "target_name", [pytest.param("tflite-int8", marks=pytest.mark.long), "coreml-w8a8"]
)
def test_a_file_with_a_kept_block_says_what_is_not_int8(kind: str, target_name: str) -> None:
    pytest.importorskip("litert_torch" if target_name.startswith("tflite") else "coremltools")
    config, channels = NETWORKS["pspm-slim"]
    quantized = quantized_network("pspm-slim", channels, **config)
    blocks = find_blocks(quantized.deploy, quantized.spec, example("pspm-slim"))
    spec = keep(quantized.spec, blocks, **{kind: ["segment"]})
    inside = [quantized.spec.tensors[n] for n in blocks["segment"].inside]
    target = find_target(target_name)
    frozen = freeze(quantized.deploy, spec)
    path = file_of(frozen, target_name, shape=(channels, SIZE, SIZE))
    pixels = example("pspm-slim").permute(0, 2, 3, 1).contiguous().numpy()
    backend = find_backend(target.runtime)
    proof = prove(path, backend, run_both(path, backend, frozen, pixels))
    kept = sum(quant.kind == "weight" for quant in inside)
    in_float = proof.convolutions - proof.int8_convolutions
    if target_name == "coreml-w8a8" and kind == "w8a16":
        assert 0 < in_float < kept  # branches that share the block's int8 input are int8 there
    else:
        assert in_float == kept > 5
    assert proof.float_islands
    assert proof.scales_exact == proof.scales == len(spec.tensors)
    found = next(iter(find_backend(target.runtime).predictors(path).values()))(pixels)
    expected = torch_predictor(frozen)(pixels)
    assert compare(found, expected, reference="frozen", runtime="").mean_abs < 0.005


@pytest.mark.parametrize(
    ("text", "bound"),
    [("SAD+2%", Bound("sad", "+2%")), ("grad <= 12", Bound("grad", "<= 12"))],
)
def test_a_named_bound_is_read(text: str, bound: Bound) -> None:
    assert parse_named_bound(text) == bound


@pytest.mark.parametrize("text", ["", "2%", "SAD", "blur+2%", "SAD+two"])
def test_what_is_no_named_bound_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_named_bound(text)


def test_the_ranking_is_drawn(ranked: Ranked, tmp_path: Path) -> None:
    save_ranking(ranked[1], tmp_path / "ranking.svg")
    text = (tmp_path / "ranking.svg").read_text()
    assert text.startswith("<?xml") and len(text) > 5000
    with pytest.raises(UsageError, match="does not end"):
        check_format(tmp_path / "ranking.gif")
