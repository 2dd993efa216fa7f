"""Deep Image Matting as poppinace/indexnet_matting has it: B3 of Table 3.3, ``hlvggnet`` there."""

from __future__ import annotations

from edgemat.models.encoders.vgg import STAGES
from edgemat.models.pretrained.renaming import Renaming
from edgemat.models.released.family import Family, Member

ROWS = (
    *(
        Renaming(f"{module}{stage}{layer}", f"encoder.{stage - 1}.{3 * (layer - 1) + place}")
        for stage, (_, layers) in enumerate(STAGES, start=1)
        for layer in range(1, layers + 1)
        for place, module in enumerate(("conv", "bn"))
    ),
    Renaming("conv6", "context.0"),
    Renaming("dconv6", "context.2"),
    Renaming("dconv{k+1}", "decoder.{k}.0"),
    Renaming("alpha_pred", "predict"),
)

DIM = Family(
    name="dim",
    title="Deep Image Matting (poppinace/indexnet_matting)",
    members=(Member(architecture="dim", rows=ROWS),),
    fit="resize",
)
