"""Mattes of a slow runtime, kept: the same file, picture and runtime are computed once."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import numpy as np

from edgemat.errors import DiskError
from edgemat.files import atomic_path, sha256_tree
from edgemat.folders import cache_folder
from edgemat.images import F32
from edgemat.matting.predictor import Predict

FOLDER = "mattes"


def keeping(run: Predict, path: Path, *, runtime: str) -> Predict:
    """Return `run`, whose mattes are kept in the user's cache.

    A matte is known again by all that it comes from: every byte of the file and of the picture, and
    the runtime with its version.

    Parameters
    ----------
    run:
        Alpha, 1,H,W,1, of a picture, 1,H,W,C.
    path:
        The file that `run` computes: a folder with its contents.
    runtime:
        Name and version.
    """
    made_by = f"{runtime}\0{sha256_tree(path)}\0"

    def predict(x: F32) -> F32:
        digest = hashlib.sha256(f"{made_by}{x.shape} {x.dtype.str}\0".encode())
        digest.update(np.ascontiguousarray(x).data)
        file = cache_folder() / FOLDER / f"{digest.hexdigest()}.npy"
        with contextlib.suppress(OSError, ValueError, EOFError):  # absent, or damaged
            kept = np.load(file, allow_pickle=False)
            if kept.dtype == np.float32 and kept.shape == (*x.shape[:-1], 1):
                return kept  # type: ignore[no-any-return] # checked
        alpha = run(x)
        with contextlib.suppress(OSError, DiskError):  # a cache that cannot be written is none
            file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(file) as unfinished, unfinished.open("wb") as stream:
                np.save(stream, alpha, allow_pickle=False)
        return alpha

    return predict
