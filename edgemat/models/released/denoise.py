"""DnCNN as cszn's dncnn_pytorch has it: one list of layers."""

from __future__ import annotations

from edgemat.models.pretrained.renaming import Row
from edgemat.models.released.family import Family, Member

LAYERS = 17

DNCNN = Family(
    name="dncnn",
    title="DnCNN (cszn's dncnn_pytorch)",
    members=(
        Member(
            architecture="dncnn",
            rows=(
                Row("dncnn.{i}", "first.{i}"),
                Row("dncnn.{i+2}", "middle.{i}"),
                Row(f"dncnn.{3 * (LAYERS - 2) + 2}", "predict"),
            ),
        ),
    ),
    normalised=False,
    size=(256, 256),
)
