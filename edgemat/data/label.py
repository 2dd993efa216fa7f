"""Soft mattes for photographs without any, by large networks.

One teacher draws. A second one may say where the people are, so that the first, which draws
strands but takes whatever stands out, draws their edges alone; a folder's own masks serve as well.

    FOLDER/image/  photographs          OUTPUT/image/       the photographs, unchanged
           mask/   where, optionally           alpha/       soft mattes
                                               foreground/  colours without the background's
                                               labels.csv   agreement, and what was left out

A held-out.txt of FOLDER goes with them.
"""

from __future__ import annotations

import contextlib
import csv
import glob
import io
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

from edgemat.data.folder import photographs_of
from edgemat.data.listing import pictures
from edgemat.data.soften import INSIDE, OUTSIDE, REFERENCE_SIDE, trimap_around_mask, write_matte
from edgemat.data.split import carry_held_out
from edgemat.errors import ImageError, UsageError
from edgemat.files import write_text
from edgemat.images import (
    BACKGROUND,
    F32,
    FOREGROUND,
    U8,
    check_same_size,
    read_grey,
    read_rgba,
)
from edgemat.spread import lost, spread

LABELS_FILE = "labels.csv"
COLUMNS = ("name", "agreement", "share", "left out", "by")
FOLDERS = ("alpha", "foreground", "image")
DOUBTFUL, NOBODY = "the teachers disagree", "nobody is in it"
LEAST_AGREEMENT = 0.9
"""Below this IoU of the two within reach of who is there, a label is in doubt."""
SAVED_EVERY_S = 1.0
"""The list of labels is written whole: a hundred thousand times in a large set, if after each."""
LEAST_SHARE = 0.005
"""Of the picture: where less is anyone, there is nothing to learn from."""

Where = Callable[[str, U8], F32]
"""Says where people are: takes a picture's name and HxWx3 uint8; gives HxW float32 in 0..1."""
Draw = Callable[[U8], F32]


@dataclass(frozen=True)
class Label:
    """One photograph's label.

    Attributes
    ----------
    name:
        The photograph's stem.
    agreement:
        IoU of the two teachers within reach of who is there; 1 with one teacher.
    share:
        Of the picture, alpha's mean.
    left_out:
        Why nothing was written; empty for a label.
    by:
        What tells those apart who drew it.
    """

    name: str
    agreement: float
    share: float
    left_out: str = ""
    by: str = ""


def combine(where: F32, drawn: F32) -> tuple[F32, float]:
    """Return the matte of whom `where` marks, its edges as they are `drawn`, and their agreement.

    Around the edge of `where`, and wherever it is in doubt itself, `drawn` holds; further inside is
    foreground and further outside background.

    Parameters
    ----------
    where, drawn:
        HxW float32 in 0..1.

    Returns
    -------
    alpha
        HxW float32 in 0..1.
    agreement
        IoU of the two at 0.5, within reach of `where`'s foreground; 1 where neither has any.
    """
    scale = max(where.shape) / REFERENCE_SIDE
    trimap = trimap_around_mask(where, inside=INSIDE * scale, outside=OUTSIDE * scale)
    unsure = (where > 0.05) & (where < 0.95)
    alpha = np.where(trimap == FOREGROUND, np.float32(1), np.float32(0))
    alpha = np.where((trimap != FOREGROUND) & (trimap != BACKGROUND) | unsure, drawn, alpha)
    person = where >= 0.5
    if not person.any():
        return alpha.astype(np.float32), float(not (drawn >= 0.5).any())
    near = distance_transform_edt(~person) <= OUTSIDE * scale
    also = (drawn >= 0.5) & near
    return alpha.astype(np.float32), float((person & also).sum() / (person | also).sum())


def label_folder(
    source: Path,
    output: Path,
    *,
    draw: Draw,
    where: Where | None = None,
    by: str = "",
    least_agreement: float = LEAST_AGREEMENT,
    workers: int = 1,
    ray: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Label]:
    """Label every photograph of SOURCE/image (or of SOURCE); resumes where an earlier run stopped.

    Doubtful and damaged ones are named in the result and in OUTPUT/labels.csv, and left out; a
    damaged one is tried again by the next run.

    Parameters
    ----------
    draw:
        Draws the matte.
    where:
        Says whose matte it is; without it, `draw` says so, too.
    by:
        Tells `draw` and `where` apart from others: what one has labelled, no other resumes.
    least_agreement:
        Of both, for a label that is kept.
    workers, ray:
        Photographs at once, here or on a cluster; see :func:`edgemat.spread.spread`.
    progress:
        Called with the number of photographs done and the number of all.

    Raises
    ------
    UsageError
        When there are no photographs, or OUTPUT has what this does not make, or another teacher's.
    MissingToolError
        When no cluster answers.
    """
    photographs = photographs_of(source)
    if not photographs:
        raise UsageError(
            f"{source} has no photographs.", remedy="Put them there, or into its image/."
        )
    known = _read_labels(output / LABELS_FILE)
    _check_output(output, photographs, known, by)
    anew = [
        path
        for name, path in photographs.items()
        if name not in known or _is_made_anew(known[name], output, least_agreement)
    ]
    work = partial(
        _label, output=output, draw=draw, where=where, by=by, least_agreement=least_agreement
    )
    found = spread(work, anew, workers=workers, ray=ray)
    carry_held_out(source, output, list(photographs))
    for name in [path.stem for path in anew if path.stem in known]:
        del known[name]  # whose word no longer holds: killed, the next run makes it anew
        _remove(output, name)
    # before a picture: by this file the folder is known as edgemat's
    write_text(output / LABELS_FILE, _as_csv(known, photographs))
    kept, saved = len(photographs) - len(anew), time.monotonic()
    try:
        with contextlib.closing(found):
            for number, label in found:
                name = anew[number].stem
                known[name] = label or Label(name, 0.0, 0.0, str(lost(name)), by)
                if time.monotonic() > saved + SAVED_EVERY_S:
                    write_text(output / LABELS_FILE, _as_csv(known, photographs))
                    saved = time.monotonic()
                kept += 1
                if progress is not None:
                    progress(kept, len(photographs))
    finally:
        write_text(output / LABELS_FILE, _as_csv(known, photographs))
    labels = [known[name] for name in photographs]
    carry_held_out(source, output, [one.name for one in labels if not one.left_out])
    return labels


def seen_by(draw: Draw) -> Where:
    """Return what a network says of where people are."""
    return partial(_seen, draw)


def masks_of(source: Path) -> Where:
    """Return what a folder's own masks, SOURCE/mask, say of where people are.

    Raises
    ------
    UsageError
        When there are none.
    """
    masks = pictures(source / "mask")
    if not masks:
        raise UsageError(
            f"{source} has no masks in mask/.",
            remedy="Put them there, or name a network: --where FILE.onnx.",
        )
    return partial(_masked, masks)


def _seen(draw: Draw, name: str, image: U8) -> F32:
    return draw(image)


def _masked(masks: dict[str, Path], name: str, image: U8) -> F32:
    if name not in masks:
        raise ImageError(f"{name} has no mask.", remedy="Leave it out.")
    mask = read_grey(masks[name])
    check_same_size(mask, image, names=(str(masks[name]), name))
    return mask


def _label(
    path: Path, output: Path, draw: Draw, where: Where | None, by: str, least_agreement: float
) -> Label:
    """Write a photograph's label in the place of an earlier one, or of what a worker left."""
    _remove(output, path.stem)
    try:
        image, opacity = read_rgba(path)
        alpha, agreement = draw(image), 1.0
        if where is not None:
            alpha, agreement = combine(where(path.stem, image), alpha)
    except ImageError as error:
        return Label(path.stem, 0.0, 0.0, str(error), by)
    if opacity is not None:  # what was erased already is no foreground
        alpha = np.minimum(alpha, opacity)
    share = float(alpha.mean())
    if share < LEAST_SHARE:
        return Label(path.stem, agreement, share, NOBODY, by)
    if agreement < least_agreement:
        return Label(path.stem, agreement, share, DOUBTFUL, by)
    write_matte(output, path, image, alpha)
    return Label(path.stem, agreement, share, by=by)


def _check_output(
    output: Path, photographs: dict[str, Path], known: dict[str, Label], by: str
) -> None:
    """Refuse to write where something else lies that would be lost, or taken for a label."""
    inside = {output.resolve(), *((output / name).resolve() for name in FOLDERS)}
    if next(iter(photographs.values())).parent.resolve() in inside:
        raise UsageError(
            f"{output} has the photographs themselves.", remedy="Name another folder for labels."
        )
    if not (output / LABELS_FILE).exists() and any(pictures(output / name) for name in FOLDERS):
        raise UsageError(
            f"{output} has pictures that this command did not make.", remedy="Name another folder."
        )
    if any(label.by != by for label in known.values()):
        raise UsageError(
            f"{output} was labelled by others, or otherwise.",
            remedy=f"Name another folder; or remove this one's {LABELS_FILE} and pictures.",
        )


def _is_made_anew(label: Label, output: Path, least_agreement: float) -> bool:
    """Whether an earlier run judged by another bound, or its label or the reason is gone."""
    if label.left_out not in ("", DOUBTFUL, NOBODY):
        return True  # an error, which may be mended
    if not label.left_out and not (output / "alpha" / f"{label.name}.png").exists():
        return True
    doubtful = label.agreement < least_agreement
    return label.left_out != NOBODY and doubtful != bool(label.left_out)


def _remove(output: Path, name: str) -> None:
    for folder in FOLDERS:
        for file in (output / folder).glob(f"{glob.escape(name)}.*"):
            if file.stem == name:  # and not NAME.edited
                file.unlink()


def _as_csv(known: dict[str, Label], photographs: Iterable[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name in dict.fromkeys([*photographs, *known]):
        if (one := known.get(name)) is None:
            continue
        writer.writerow((one.name, one.agreement, one.share, one.left_out, one.by))
    return text.getvalue()


def _read_labels(path: Path) -> dict[str, Label]:
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        if tuple(head) != COLUMNS:
            raise ValueError(f"its first row is {','.join(head)[:80]}")
        return {
            name: Label(name, float(agreement), float(share), left_out, by)
            for name, agreement, share, left_out, by in rows
        }
    except (ValueError, csv.Error, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not as edgemat wrote it: {error}.",
            remedy="Remove it, and the labels are made anew.",
        ) from error
