"""An adopted network, as training, scoring and conversion take edgemat's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.nn import functional as F

from edgemat.models.adopted.lowering import lower
from edgemat.models.adopted.operators import RULES
from edgemat.models.adopted.passes import tidy
from edgemat.models.adopted.program import shape_of_input
from edgemat.models.adopted.refit import refit
from edgemat.models.adopted.tracing import retrace
from edgemat.models.narrowing import child
from edgemat.models.network import MattingNetwork, MattingOutput
from edgemat.models.pruned import Shape

ADOPTED = "adopted"
"""What stands for the architecture in the manifests of adopted networks."""


class Lowered(nn.Module):
    """An adopted network in its deploy form."""

    def __init__(self, body: fx.GraphModule) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return y

    def pixel_weights(self) -> list[Tensor]:
        """Return the weights that meet the picture itself."""
        (picture,) = self.body.graph.find_nodes(op="placeholder")
        return [self.body.get_submodule(str(user.target)).weight for user in picture.users]  # type: ignore[misc]

    def ends_in_resize(self) -> bool:
        """Tell whether the matte comes from a resize."""
        (output,) = self.body.graph.find_nodes(op="output")
        return any(source.target is F.interpolate for source in output.all_input_nodes)


class Traced(nn.Module):
    """An adopted network as it was traced: the module that its program makes."""

    def __init__(self, program: ExportedProgram) -> None:
        super().__init__()
        self.program = program
        self.body = program.module(check_guards=False).requires_grad_(True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return y

    def train(self, mode: bool = True) -> Self:
        """Note the mode alone: a program was traced in eval mode, and stays in it."""
        self.training = mode
        return self

    def deploy(self) -> Lowered:
        """Return its deploy form, by the rules for torch's operators."""
        return Lowered(tidy(lower(self.current_program(), RULES)))

    def current_program(self) -> ExportedProgram:
        """Return the program with the weights as they are now: training changes the body's."""
        state = self.body.state_dict()
        with torch.no_grad():
            for name, weight in self.program.state_dict.items():
                weight.copy_(state[name])
        return self.program

    def fit_channels(self, shapes: Mapping[str, Shape]) -> None:
        """Trace the body anew for parameters of `shapes`, where they are others than its own."""
        own = {key.removeprefix("body."): shape for key, shape in shapes.items()}
        if refit(self.body, own):
            self.program = retrace(self.body, shape_of_input(self.program, "The program"))
            self.body = self.program.module(check_guards=False).requires_grad_(True)


class AdoptedNetwork(MattingNetwork):
    """Any network, traced at one size.

    Attributes
    ----------
    fixed_size:
        H,W of the pictures that it takes.
    """

    fixed_size: tuple[int, int]

    def __init__(self, program: ExportedProgram) -> None:
        super().__init__()
        self.channels, *size = shape_of_input(program, "The program")
        self.fixed_size = (size[0], size[1])
        self.stride = 1
        self.encoder = nn.Sequential()  # no part of it starts from ImageNet's weights
        self.program: Traced | Lowered = Traced(program)

    def forward(self, x: Tensor) -> MattingOutput:
        alphas = [self.program(x[index : index + 1]) for index in range(len(x))]
        return MattingOutput(alphas[0] if len(alphas) == 1 else torch.cat(alphas))

    def traced(self) -> Traced:
        """Return what it consists of as it was traced; the deploy form no longer does.

        No property: torch.jit reads all of them, of the deploy form as well.
        """
        return child(self, "program", Traced)

    def current_program(self) -> ExportedProgram:
        """Return its program, with the weights as they are now; not of the deploy form."""
        return self.traced().current_program()

    def pixel_weights(self) -> list[Tensor]:
        """Return the weights that meet the picture; of the deploy form."""
        return child(self, "program", Lowered).pixel_weights()

    def ends_in_resize(self) -> bool:
        return isinstance(self.program, Lowered) and self.program.ends_in_resize()
