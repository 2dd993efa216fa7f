"""Turn photographs with binary masks into photographs with soft alpha mattes.

The thesis' Portrait-2k was made so: a trimap around the mask, closed-form or KNN matting inside,
and (there) a person's corrections. What comes out says where the person is, with plausible edges;
it is no truth about single strands.

    SOURCE/image/  photographs          OUTPUT/image/       the photographs, unchanged
           mask/   white on black              alpha/       soft mattes
                                               foreground/  colours without the background's

A held-out.txt of SOURCE goes with them, and soften.json says how they were made.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

from edgemat.data.listing import pictures
from edgemat.data.split import carry_held_out
from edgemat.errors import ImageError, UsageError, nearest
from edgemat.files import atomic_path, write_text
from edgemat.images import (
    BACKGROUND,
    F32,
    FOREGROUND,
    U8,
    UNKNOWN,
    check_same_size,
    read_grey,
    read_rgba,
    write_image,
)
from edgemat.matting.classical import METHODS, solve_alpha
from edgemat.matting.foreground import estimate_foreground

# Width of the unknown region, px in a picture whose longer side has REFERENCE_SIDE: hair leaves
# the mask further than the mask overshoots the body.
INSIDE, OUTSIDE, REFERENCE_SIDE = 10.0, 14.0, 640
SETTINGS_FILE = "soften.json"


@dataclass(frozen=True)
class Softening:
    """How a mask becomes a matte.

    Attributes
    ----------
    method:
        One of :data:`edgemat.matting.classical.METHODS`.
    inside, outside:
        Reach of the unknown region in pixels at a longer side of 640 px; scaled with the picture.
    labels:
        Class numbers that are foreground, where masks hold class numbers.

    Raises
    ------
    UsageError
        For another method.
    """

    method: str = "closed-form"
    inside: float = INSIDE
    outside: float = OUTSIDE
    labels: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UsageError(
                f"There is no method {self.method!r}.", remedy=nearest(self.method, METHODS)
            )


@dataclass(frozen=True)
class Softened:
    """The result of :func:`soften_folder`.

    Attributes
    ----------
    made, kept:
        Mattes written now, and found from an earlier run.
    skipped:
        Name and reason of every pair that could not be used.
    """

    made: int
    kept: int
    skipped: tuple[tuple[str, str], ...]


CLOSED_FORM = Softening()


def trimap_around_mask(mask: F32, *, inside: float, outside: float) -> U8:
    """Return a trimap whose unknown region lies along the edge of `mask`.

    Parameters
    ----------
    mask:
        HxW float32; 0.5 and more is foreground.
    inside, outside:
        How far the unknown region reaches into the mask and away from it, in pixels.
    """
    person = mask >= 0.5
    trimap = np.where(person, FOREGROUND, BACKGROUND).astype(np.uint8)
    # The transforms have no meaning where there is no edge.
    if person.any() and not person.all():
        trimap[person & (distance_transform_edt(person) <= inside)] = UNKNOWN
        trimap[~person & (distance_transform_edt(~person) <= outside)] = UNKNOWN
    return trimap


def soften(image: U8, mask: F32, how: Softening = CLOSED_FORM) -> F32:
    """Return a soft alpha matte, HxW float32 in 0..1, by classical matting around a mask.

    Parameters
    ----------
    image:
        HxWx3 uint8 RGB.
    mask:
        HxW float32 in 0..1; 0.5 and more is foreground.
    """
    scale = max(image.shape[:2]) / REFERENCE_SIDE
    trimap = trimap_around_mask(mask, inside=how.inside * scale, outside=how.outside * scale)
    if not ((trimap == FOREGROUND).any() and (trimap == BACKGROUND).any()):
        # These methods need both kinds of known pixel; the mask is all there is to say.
        return (mask >= 0.5).astype(np.float32)
    return solve_alpha(image, trimap, method=how.method)


def soften_folder(
    source: Path,
    output: Path,
    how: Softening = CLOSED_FORM,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Softened:
    """Soften every pair of SOURCE/image and SOURCE/mask; resumes where an earlier run stopped.

    A photograph without a mask (or the reverse), a mask of another size and a damaged file are
    named in the result and left out.

    Parameters
    ----------
    progress:
        Called with the number of pairs done and the number of all.

    Raises
    ------
    UsageError
        When there are no photographs, no masks, or not one pair; when `output` was made otherwise.
    """
    images, masks = pictures(source / "image"), pictures(source / "mask")
    for name, found in (("image", images), ("mask", masks)):
        if not found:
            raise UsageError(
                f"{source} has no pictures in {name}/.",
                remedy="Put photographs into image/ and masks of the same names into mask/ "
                "(white person, black ground).",
            )
    pairs = sorted(images.keys() & masks.keys())
    if not pairs:
        raise UsageError(
            f"No photograph in {source}/image has a mask of its name in {source}/mask.",
            remedy="Name them alike: image/anna.jpg and mask/anna.png.",
        )
    _keep_to(how, output)
    skipped = [(stem, "has no mask") for stem in sorted(images.keys() - masks.keys())]
    skipped += [(stem, "has no photograph") for stem in sorted(masks.keys() - images.keys())]
    carry_held_out(source, output, pairs)
    made = kept = 0
    for done, stem in enumerate(pairs, start=1):
        # The alpha is written last: a pair that has one is whole.
        target = output / "alpha" / f"{stem}.png"
        if target.exists():
            kept += 1
        else:
            try:
                _soften_pair(images[stem], masks[stem], output, how)
                made += 1
            except UsageError as error:
                skipped.append((stem, error.message))
        if progress is not None:
            progress(done, len(pairs))
    left_out = {name for name, _ in skipped}
    carry_held_out(source, output, [stem for stem in pairs if stem not in left_out])
    return Softened(made, kept, tuple(skipped))


def _keep_to(how: Softening, output: Path) -> None:
    """Write down how mattes are made; a folder never holds some of two kinds."""
    path, text = output / SETTINGS_FILE, _written(how)
    made_as = text
    if path.is_file():
        made_as = path.read_text(encoding="utf-8", errors="replace")
    elif pictures(output / "alpha"):  # of a version that did not write it down
        made_as = _written(CLOSED_FORM)
    if made_as != text:
        raise UsageError(
            f"The mattes in {output} were made otherwise: {made_as.strip()}",
            remedy="Name a new folder, or give the same settings.",
        )
    write_text(path, text)


def _written(how: Softening) -> str:
    return json.dumps(asdict(how)) + "\n"


def _soften_pair(image: Path, mask: Path, output: Path, how: Softening) -> None:
    picture, opacity = read_rgba(image)
    known = read_grey(mask, labels=how.labels)
    check_same_size(known, picture, names=(str(mask), str(image)))
    if not (known >= 0.5).any():
        raise ImageError(f"{mask} is empty: nobody is marked in it.", remedy="Leave it out.")
    alpha = soften(picture, known, how)
    if opacity is not None:  # what was erased already is no foreground
        alpha = np.minimum(alpha, opacity)
    write_matte(output, image, picture, alpha)


def write_matte(output: Path, photograph: Path, picture: U8, alpha: F32) -> None:
    """Write a photograph into a set of mattes; the alpha is written last, and makes it whole.

    Parameters
    ----------
    output:
        Folder of the set.
    photograph:
        The file, which is copied as it is.
    picture, alpha:
        Its pixels, HxWx3 uint8, and its matte, HxW float32 in 0..1.
    """
    with atomic_path(output / "image" / photograph.name) as temporary:
        shutil.copyfile(photograph, temporary)
    foreground = estimate_foreground(picture, alpha)
    write_image(output / "foreground" / f"{photograph.stem}.jpg", foreground)
    write_image(output / "alpha" / f"{photograph.stem}.png", alpha)
