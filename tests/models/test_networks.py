"""What holds of every network of `list_models()`, whatever it is for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from every_network import ALL, DEPLOYABLE, FEW, SIZES, names, outputs, picture, small, varied
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from edgemat.models import ModelInfo, create_model
from edgemat.models.blocks.pooling import Below
from edgemat.models.deploy import prepare_for_float16, to_deploy


def test_the_few_that_are_always_tested_have_every_task() -> None:
    few = [info for info in ALL if info.name in FEW]
    assert len(few) == len(FEW)
    assert {info.task for info in few} == {info.task for info in ALL}
    chapters, all_chapters = ({i.thesis and i.thesis.chapter for i in some} for some in (few, ALL))
    assert chapters == all_chapters


@names(ALL)
def test_runs_forward_and_backward_at_two_sizes_and_batches(info: ModelInfo) -> None:
    network = small(info)
    for batch, size in ((2, SIZES[0]), (1, SIZES[1])):
        # one picture has no batch statistics at 1x1, so that a batch of one runs in eval mode
        network.train(batch > 1)
        found = outputs(network(picture(info, size, batch=batch)))
        assert found[0].shape[0] == batch
        if info.task != "depth":  # depth comes at half the size
            assert found[0].shape[-2:] == size
        network.zero_grad()
        sum(part.square().mean() for part in found).backward()  # type: ignore[union-attr]
        for label, parameter in network.named_parameters():
            assert parameter.grad is not None, label
            assert torch.isfinite(parameter.grad).all(), label


@names(ALL)
def test_is_deterministic_and_loads_its_own_weights(info: ModelInfo, tmp_path: Path) -> None:
    first, second = small(info, seed=1).eval(), small(info, seed=2).eval()
    x = picture(info, SIZES[0])
    with torch.no_grad():
        before = outputs(first(x))
        assert all(torch.equal(a, b) for a, b in zip(before, outputs(first(x)), strict=True))
        save_file(first.state_dict(), tmp_path / "weights.safetensors")
        second.load_state_dict(load_file(tmp_path / "weights.safetensors"))
        assert all(torch.equal(a, b) for a, b in zip(before, outputs(second(x)), strict=True))


@names(ALL)
def test_is_built_in_less_than_two_seconds(info: ModelInfo) -> None:
    started = time.process_time()
    create_model(info.name)
    assert time.process_time() - started < 4  # processor time of both cores


@names(DEPLOYABLE)
def test_deploy_form_computes_the_same(info: ModelInfo) -> None:
    """In float64, where folding batch normalisation cannot turn a near tie around."""
    network = varied(info).double()
    x = picture(info, SIZES[1]).double()
    with torch.no_grad():
        expected = network(x).alpha.clamp(0, 1)
        found = to_deploy(network)(x)
    assert expected.std() > 1e-4, "a flat matte proves nothing"
    # the softmax of index blocks is a polynomial there: exact to float32
    assert (found - expected).abs().max() <= 1e-6


@names(DEPLOYABLE)
def test_float16_variant_takes_bytes_and_computes_the_same(info: ModelInfo) -> None:
    """In float64 and with equally sharp masks, so that a near tie of max-pooling stays as it is."""
    deploy = to_deploy(varied(info).double())
    pixels = (picture(info, SIZES[0]) * 255).round().double()
    variant = prepare_for_float16(deploy, 1 / 255)
    decisions = watch_masks(variant)
    with torch.no_grad():
        found = variant(pixels)
        expected = prepare_for_float16(deploy, 1.0)(pixels / 255)
    assert (found - expected).abs().max() <= 1e-6
    if decisions:  # what is left blurred by masks that float16 can hold
        undecided = torch.cat([((mask > 0) & (mask < 1)).flatten() for mask in decisions])
        assert undecided.double().mean() < 1e-3


def watch_masks(network: nn.Module) -> list[Tensor]:
    """Return a list that a run of `network` fills with what its max-poolings decide."""
    seen: list[Tensor] = []
    for module in network.modules():
        if isinstance(module, Below):
            module.register_forward_hook(lambda _module, _inputs, mask: seen.append(mask))
    return seen


@names(DEPLOYABLE)
def test_deploy_form_has_no_batch_norm_and_no_rank_above_four(info: ModelInfo) -> None:
    deploy = to_deploy(small(info))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in deploy.modules())
    with torch.no_grad(), Ranks() as mode:
        deploy(picture(info, SIZES[0]))
    assert max(mode.found) <= 4


class Ranks(TorchDispatchMode):
    """Collects the ranks of all tensors that are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[int] = set()

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = operator(*args, **(kwargs or {}))
        self.found.update(x.ndim for x in tree_leaves(result) if isinstance(x, Tensor))
        return result
