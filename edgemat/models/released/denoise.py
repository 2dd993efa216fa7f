"""DnCNN as cszn's dncnn_pytorch has it: one list of layers."""

from __future__ import annotations

from edgemat.models.pretrained.renaming import Renaming
from edgemat.models.released.family import Family, Member

LAYERS = 17

DNCNN = Family(
    name="dncnn",
    title="DnCNN (cszn's dncnn_pytorch)",
    members=(
        Member(
            architecture="dncnn",
            rows=(
                Renaming("dncnn.{i}", "first.{i}"),
                Renaming("dncnn.{i+2}", "middle.{i}"),
                Renaming(f"dncnn.{3 * (LAYERS - 2) + 2}", "predict"),
            ),
        ),
    ),
    normalised=False,
    size=(256, 256),
)
