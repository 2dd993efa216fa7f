"""The best network of a training, by its errors on pictures that it is not trained on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple

from torch import Tensor, nn

from edgemat.models.network import AnyNetwork
from edgemat.training.state import reading_state, write_state

BEST = "best.pt"
JUDGEMENTS = 10
"""In a training."""


class _Best(NamedTuple):
    error: float
    step: int
    network: dict[str, Tensor]


@dataclass(frozen=True)
class Selection(Generic[AnyNetwork]):
    """Keeps the weights that were judged best, in a file: a killed training ends in the same.

    Attributes
    ----------
    error:
        Gives the error of a network in eval mode, on the CPU; the lower the better.
    folder:
        Of the training.
    """

    error: Callable[[AnyNetwork], float]
    folder: Path

    def is_due(self, step: int, total: int) -> bool:
        """Whether the network is judged after `step` of `total`: ten times, last of all the end."""
        return (step + 1) % max(1, total // JUDGEMENTS) == 0 or step == total - 1

    def judge(self, network: AnyNetwork, step: int) -> float:
        """Return the error after `step`, rounded; keep the weights if none was lower."""
        found = round(self.error(copy.deepcopy(network).cpu().eval()), 6)
        best = self._read()
        if best is None or found < best.error:
            state = {name: value.cpu() for name, value in network.state_dict().items()}
            write_state(self.folder / BEST, {"error": found, "step": step, "network": state})
        return found

    def restore(self, network: nn.Module) -> None:
        """Give `network` the weights that were judged best."""
        best = self._read()
        assert best is not None  # the last step is judged, whatever came before
        network.load_state_dict(best.network)

    def _read(self) -> _Best | None:
        path = self.folder / BEST
        if not path.exists():
            return None
        with reading_state(path) as state:
            return _Best(**state)
