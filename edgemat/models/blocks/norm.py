"""Group normalisation in the form that phones run."""

from __future__ import annotations

from torch import nn

from edgemat.models.blocks.affine import ScaleShift


class GroupNorm(nn.GroupNorm):
    """Group normalisation whose scale and shift part from it in the deploy form.

    Mean and deviation depend on the picture, and stay in float. Scale and shift are a depthwise
    1x1 convolution, which runs in int8; left inside, NNCF would take them for weights to quantize.
    """

    def deploy(self) -> nn.Sequential:
        """Return the normalisation and, behind it, its scale and shift."""
        norm = nn.GroupNorm(self.num_groups, self.num_channels, self.eps, affine=False)
        return nn.Sequential(norm, ScaleShift(self.weight, self.bias))
