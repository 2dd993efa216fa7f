"""Bring the authors' released weights in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.doctor import needs
from edgemat.errors import UsageError
from edgemat.workflow.api.opening import require_fit, section_for

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.artifacts.vocabulary import Fit
    from edgemat.workflow.api.opening import DataLike

NAME = r"[a-z0-9][a-z0-9-]{0,99}"


@needs("train")
def import_checkpoint(
    checkpoint: Path | str,
    *,
    family: str | None = None,
    name: str | None = None,
    size: tuple[int, int] | None = None,
    fit: Fit | None = None,
    licence: str | None = None,
    data_notice: str | None = None,
    data: DataLike = None,
    images: int = 16,
    output: Path | str | None = None,
) -> Artifact:
    """Make a float artefact of weights that others have released.

    >>> import edgemat
    >>> network = edgemat.import_checkpoint("released.pth", images=2)
    >>> network.manifest.architecture, network.manifest.feeding.fit, network.manifest.origin.family
    ('indexnet-hin-l', 'resize', 'indexnet')

    Parameters
    ----------
    checkpoint:
        A .pth, .pt, .tar, .bin or .safetensors file, of which nothing is run. Its network is
        recognised by the names and shapes of its tensors; every one must have its place.
    family:
        Whose network it is, instead: one of ``edgemat.models.released.families``.
    name:
        Of the artefact: small letters, digits and hyphens; by default the architecture's.
    size:
        (height, width) that files made of it take; by default 320 x 320 for mattes.
    fit:
        How a picture of any size is brought to it: "resize" (whole), "pad" (by reflection) or
        "tiles"; by default as its paper does.
    licence, data_notice:
        What its makers say; by default that they are to be asked.
    data, images:
        Pictures to score a matting network on, and how many; see :func:`edgemat.evaluate`.
    output:
        Folder for the artefact; by default the checkpoint's.

    Raises
    ------
    UsageError
        For a file that is no checkpoint of a known network: the first tensor that does not fit is
        named. Also for an encoder's weights alone, which a recipe's ``init`` takes.
    MissingToolError
        When torch is not installed.
    """
    from edgemat.models import model_info
    from edgemat.models.released.load import load_released
    from edgemat.workflow.stages.importing import Wanted, import_stage

    path = Path(checkpoint)
    if name is not None and not re.fullmatch(NAME, name):
        raise UsageError(
            f"{name[:40]!r} is no name for an artefact.",
            remedy="Use small letters, digits and hyphens, such as indexnet-released.",
        )
    require_fit(fit)
    released = load_released(path, family=family)
    info = model_info(released.member.architecture)
    return import_stage(
        released,
        path,
        Wanted(name, size, fit, licence, data_notice),
        data=section_for(info.matting_task, data) if info.is_matting else None,
        images=images,
        out=path.absolute().parent if output is None else Path(output),
    )
