"""Optimisers, decays, averages and parts: each does what the thesis' text means by it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from toy_training import Fatal, Killed, data

from edgemat.errors import UsageError
from edgemat.models import create_model
from edgemat.models.network import MattingNetwork
from edgemat.training.holding import predicting
from edgemat.training.loop import CHECKPOINT, train
from edgemat.training.optimizers import create_optimizer
from edgemat.training.schedule import ParameterGroup, Schedule

PORTRAIT = {"alpha_unknown": 1.0, "cross_entropy": 0.1}


def schedule(**changes: object) -> Schedule:
    settings = {"steps": 4, "batch": 2, "warmup": 0, "checkpoint_every": 2, "workers": 0}
    return Schedule(**(settings | changes))  # type: ignore[arg-type]


def slim() -> MattingNetwork:
    torch.manual_seed(0)
    return create_model("pspm-slim", width=0.25)


def run(
    folder: Path,
    network: MattingNetwork | None = None,
    source: Dataset[dict[str, Tensor]] | None = None,
    **changes: object,
) -> dict[str, Tensor]:
    network = network or slim()
    trained = train(
        network,
        source or data(),
        task="portrait",
        encoder=network.encoder,
        schedule=schedule(**changes),
        folder=folder,
    )
    return trained.state_dict()


@pytest.mark.parametrize(
    ("step", "factor"), [(0, 1.0), (199, 1.0), (200, 0.1), (259, 0.1), (260, 0.01), (299, 0.01)]
)
def test_a_step_decay_falls_at_its_epochs(step: int, factor: float) -> None:
    settings = schedule(steps=300, decay="step", epoch=10, milestones=(20, 26))
    assert settings.factor(step) == pytest.approx(factor)


@pytest.mark.parametrize(("step", "done"), [(0, 0), (199, 0), (200, 200), (399, 200), (999, 800)])
def test_a_poly_decay_is_reckoned_anew_every_twenty_epochs(step: int, done: int) -> None:
    settings = schedule(steps=1000, decay="poly", epoch=10, hold=20)
    assert settings.factor(step) == pytest.approx((1 - done / 1000) ** 0.9)


@pytest.mark.parametrize("decay", ["step", "poly", "constant"])
def test_a_warm_up_comes_before_any_decay(decay: str) -> None:
    settings = schedule(steps=100, warmup=10, decay=decay, milestones=(50,))
    assert settings.factor(4) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_an_optimiser_is_torch_s_own_with_a_rate_for_each_group(name: str) -> None:
    first, second = (nn.Parameter(torch.tensor([2.0])) for _ in range(2))
    groups = [ParameterGroup([first], 0.01), ParameterGroup([second], 1.0)]
    optimizer = create_optimizer(
        groups, schedule(optimizer=name, learning_rate=0.1, weight_decay=0.1)
    )
    assert [group["full_rate"] for group in optimizer.param_groups] == pytest.approx([1e-3, 0.1])
    for group in optimizer.param_groups:
        group["lr"] = group["full_rate"]
    twin = nn.Parameter(torch.tensor([2.0]))
    own = {
        "adam": lambda: torch.optim.Adam([twin], 0.1, weight_decay=0.1),
        "adamw": lambda: torch.optim.AdamW([twin], 0.1, weight_decay=0.1),
        "sgd": lambda: torch.optim.SGD([twin], 0.1, momentum=0.9, weight_decay=0.1),
    }[name]()
    for _ in range(3):
        for parameter in (first, second, twin):
            parameter.grad = 2 * parameter.detach()
        optimizer.step()
        own.step()
    assert torch.equal(second, twin) and not torch.equal(first, twin)


def test_sizes_go_with_adam_alone() -> None:
    weight = nn.Parameter(torch.ones(1))
    with pytest.raises(UsageError, match="sgd"):
        create_optimizer(
            [ParameterGroup([weight], 1.0, [torch.ones(1)])], schedule(optimizer="sgd")
        )


ALL_AT_ONCE = {"batch": 4, "accumulate": 2, "average": 0.5}


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd", "average": 0.5},
        {"optimizer": "adamw"},
        ALL_AT_ONCE | {"optimizer": "adamw", "autocast": "bf16"},
        ALL_AT_ONCE | {"optimizer": "sgd", "autocast": "fp16"},
    ],
    ids=["sgd average", "adamw", "adamw bf16 all", "sgd fp16 all"],
)
def test_a_killed_training_ends_in_the_same_bits(
    changes: dict[str, object], memory_format: torch.memory_format, tmp_path: Path
) -> None:
    changes = changes | {"losses": PORTRAIT}

    def ended(folder: str, source: Dataset[dict[str, Tensor]] | None = None) -> dict[str, Tensor]:
        network = slim().to(memory_format=memory_format)
        return run(tmp_path / folder, network, source, **changes)

    whole = ended("a")
    third = int(changes.get("batch", 2)) * 3  # type: ignore[call-overload]
    with pytest.raises(Killed):  # one step after the checkpoint of step 2
        ended("b", Fatal(data(), at=third))
    assert torch.load(tmp_path / "b" / CHECKPOINT, weights_only=True)["step"] == 2
    torch.manual_seed(987)  # whatever happened to the generator in between
    resumed = ended("b")
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())
    start = slim().state_dict()
    assert any(not torch.equal(value, start[key]) for key, value in whole.items())


def test_what_comes_out_is_the_average(tmp_path: Path) -> None:
    """Of weights after the steps, by its definition: the first as they are, then a running mean."""
    steps = [run(tmp_path / str(n), steps=n, decay="constant") for n in (1, 2)]
    expected = {key: steps[0][key].lerp(steps[1][key], 0.25) for key in steps[0] if "weight" in key}
    averaged = run(tmp_path / "average", steps=2, decay="constant", average=0.75)
    for key, value in expected.items():
        torch.testing.assert_close(averaged[key], value)


def test_a_batch_gone_through_in_parts_moves_the_weights_alike(tmp_path: Path) -> None:
    """SGD, statistics held: what remains is the order of the sums."""
    common = {"batch": 4, "bn": "frozen", "optimizer": "sgd", "steps": 2, "losses": PORTRAIT}
    whole, parts = (run(tmp_path / str(n), accumulate=n, **common) for n in (1, 2))
    start = slim().state_dict()
    assert any(not torch.equal(value, start[key]) for key, value in whole.items())
    for key, value in whole.items():
        torch.testing.assert_close(value, parts[key], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("which", ["segmentation", "matting"])
def test_a_part_that_is_not_trained_stays_as_it_is(which: str, tmp_path: Path) -> None:
    network = create_model("pspm-b5", width=0.25)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fixed = network.parts("matting" if which == "segmentation" else "segmentation")
    losses = {"cross_entropy": 1.0} if which == "segmentation" else {"alpha_unknown": 1.0}
    train(
        network,
        data(),
        task="portrait",
        schedule=schedule(losses=losses, steps=2),
        fixed=fixed,
        folder=tmp_path,
    )
    held = {id(value) for part in fixed for value in part.state_dict(keep_vars=True).values()}
    now = network.state_dict(keep_vars=True)
    stayed = {key: torch.equal(value, before[key]) for key, value in now.items()}
    assert all(stayed[key] for key, value in now.items() if id(value) in held)
    moved = [not stayed[k] for k, v in now.items() if id(v) not in held and "weight" in k]
    assert any(moved)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_the_encoder_s_normalisation_is_fixed_whole(tmp_path: Path) -> None:
    network = slim()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    after = run(tmp_path, network, bn="encoder", steps=2)
    norms = {
        f"encoder.{name}."
        for name, module in network.encoder.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }
    fixed = {key for key in after if key.rpartition(".")[0] + "." in norms}
    assert fixed and all(torch.equal(after[key], before[key]) for key in fixed)
    convolutions = [k for k in after if k.startswith("encoder.") and after[k].ndim == 4]
    assert any(not torch.equal(after[key], before[key]) for key in convolutions)
    others = [key for key in after if "running_mean" in key and not key.startswith("encoder.")]
    assert any(not torch.equal(after[key], before[key]) for key in others)


@pytest.mark.parametrize("changes", [{"bn": "encoder"}, {"encoder_rate": 0.1}])
def test_a_schedule_of_the_encoder_asks_which_part_it_is(
    changes: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="pass it as `encoder`"):
        train(slim(), data(), task="portrait", schedule=schedule(**changes), folder=tmp_path)


def test_half_precision_scales_its_loss_and_saves_the_scale(tmp_path: Path) -> None:
    run(tmp_path, autocast="fp16", steps=2)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert state["scaler"]["scale"] > 1


def test_each_part_goes_back_to_its_own_mode() -> None:
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout()).train()
    network[0].eval()
    with predicting(network):
        assert not any(module.training for module in network.modules())
    assert [module.training for module in network.modules()] == [True, False, True]
