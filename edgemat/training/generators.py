"""The generators that a process draws from in training, as a checkpoint keeps them.

Dropout on a GPU, Apple's or CUDA's, draws from that GPU's own generator; all else draws from the
CPU's.

>>> import torch
>>> from edgemat.training.generators import generator_states, restore_generators
>>> before = generator_states(torch.device("cpu"))
>>> drawn = torch.rand(3)
>>> restore_generators(before, torch.device("cpu"))
>>> torch.equal(torch.rand(3), drawn)
True
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

CPU, CUDA, MPS = "cpu", "cuda", "mps"


def generator_states(place: torch.device) -> dict[str, Tensor]:
    """Return the states of the generators that a training on `place` draws from, by kind."""
    states = {CPU: torch.get_rng_state()}
    if place.type == CUDA:
        states[CUDA] = torch.cuda.get_rng_state(place)
    elif place.type == MPS:
        states[MPS] = torch.mps.get_rng_state()
    return states


def restore_generators(states: Mapping[str, Tensor] | Tensor, place: torch.device) -> None:
    """Let the generators go on from `states`.

    Parameters
    ----------
    states:
        What :func:`generator_states` returned; a tensor alone is the CPU's, as older checkpoints
        have it. Of another kind of device they say nothing, and that one's stay as they are.
    """
    if isinstance(states, Tensor):
        states = {CPU: states}
    torch.set_rng_state(states[CPU])
    if place.type == CUDA and CUDA in states:
        torch.cuda.set_rng_state(states[CUDA], place)
    elif place.type == MPS and MPS in states:
        torch.mps.set_rng_state(states[MPS])
