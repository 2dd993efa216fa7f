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
_DIGEST_BYTES = hashlib.sha256().digest_size


def keeping(run: Predict, path: Path, *, runtime: str) -> Predict:
    """Return `run`, whose mattes are kept in the user's cache, until the user deletes them.

    A matte is known again by every byte of the file and of the picture, and by `runtime`. What lies
    in the cache carries its own hash: what is damaged there is computed anew.

    Parameters
    ----------
    run:
        Alpha, 1,H,W,1 float32, of a picture, 1,H,W,C.
    path:
        The file that `run` computes: a folder with its contents.
    runtime:
        All else that the result depends on: name, version, the code that feeds it.
    """
    made_by = f"{runtime}\0{sha256_tree(path)}\0"

    def predict(x: F32) -> F32:
        digest = hashlib.sha256(f"{made_by}{x.shape} {x.dtype.str}\0".encode())
        digest.update(np.ascontiguousarray(x).data)
        file = cache_folder() / FOLDER / digest.hexdigest()
        kept = _read(file, (*x.shape[:-1], 1))
        if kept is not None:
            return kept
        alpha = run(x)
        with contextlib.suppress(OSError, DiskError):  # a cache that cannot be written is none
            content = np.ascontiguousarray(alpha, "<f4").tobytes()
            with atomic_path(file) as unfinished:
                unfinished.write_bytes(hashlib.sha256(content).digest() + content)
        return alpha

    return predict


def _read(file: Path, shape: tuple[int, ...]) -> F32 | None:
    """Return what is kept; None where nothing is, or other bytes than were written."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    digest, values = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(values).digest() != digest or len(values) != 4 * int(np.prod(shape)):
        return None
    return np.frombuffer(values, "<f4").reshape(shape).astype(np.float32)
