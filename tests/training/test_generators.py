"""Generators go on from a checkpoint where they stopped: the CPU's, and the GPU's of a training."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from edgemat.training.generators import generator_states, restore_generators

CPU, GPU = torch.device("cpu"), torch.device("cuda", 1)


class Drawing:
    """Stands for the generator of each GPU."""

    def __init__(self) -> None:
        self.states = {0: torch.tensor([3]), 1: torch.tensor([7])}

    def get(self, place: torch.device) -> Tensor:
        return self.states[place.index].clone()

    def set(self, state: Tensor, place: torch.device) -> None:
        self.states[place.index] = state


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Drawing:
    gpus = Drawing()
    monkeypatch.setattr(torch.cuda, "get_rng_state", gpus.get)
    monkeypatch.setattr(torch.cuda, "set_rng_state", gpus.set)
    return gpus


def test_what_is_drawn_comes_again() -> None:
    states = generator_states(CPU)
    drawn = torch.rand(4)
    assert not torch.equal(torch.rand(4), drawn)
    restore_generators(states, CPU)
    assert torch.equal(torch.rand(4), drawn)


def test_the_gpu_of_this_training_is_kept_and_no_other(gpus: Drawing) -> None:
    states = generator_states(GPU)
    gpus.states = {0: torch.tensor([1]), 1: torch.tensor([2])}
    restore_generators(states, GPU)
    assert gpus.states == {0: torch.tensor([1]), 1: torch.tensor([7])}


def test_a_checkpoint_of_another_device_gives_the_cpus_alone(gpus: Drawing) -> None:
    of_gpu, of_cpu = generator_states(GPU), generator_states(CPU)
    drawn = torch.rand(4)
    gpus.states[1] = torch.tensor([9])
    for states, place in ((of_gpu, CPU), (of_cpu, GPU)):
        restore_generators(states, place)
        assert torch.equal(torch.rand(4), drawn) and int(gpus.states[1]) == 9


def test_a_checkpoint_of_before_there_were_several_is_read() -> None:
    state = torch.get_rng_state()
    drawn = torch.rand(4)
    restore_generators(state, CPU)
    assert torch.equal(torch.rand(4), drawn)


def test_apples_gpu_goes_on_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Tensor] = []
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: torch.tensor([7], dtype=torch.uint8))
    monkeypatch.setattr(torch.mps, "set_rng_state", kept.append)
    place = torch.device("mps")
    restore_generators(generator_states(place), place)
    assert [one.tolist() for one in kept] == [[7]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU")
def test_a_real_gpu_draws_again_what_it_drew() -> None:
    place = torch.device("cuda", 0)
    states = generator_states(place)
    drawn = torch.rand(4, device=place)
    restore_generators(states, place)
    assert torch.equal(torch.rand(4, device=place), drawn)
