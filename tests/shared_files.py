"""What several tests need and what takes long to make: made once in a run of the suite.

All processes of a run share one folder, empty at first, so that what the code makes is never older
than the code. In it lies each thing under a hash of all that goes into it: who asks for the same
thing gets the same files, in whichever process and whichever file of tests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from edgemat.files import sha256_tree

VARIABLE = "EDGEMAT_SHARED_FILES"  # set for the whole run: see conftest.py


def made_once(name: str, ingredients: object, fill: Callable[[Path], Any]) -> Path:
    """Return a folder that `fill` has filled, now or for someone else. It is there to be read.

    Parameters
    ----------
    ingredients:
        All that the files depend on; its `repr` must tell one from another.
    fill:
        Writes into the empty folder that it is given; where it fails, the next who asks tries.
    """
    recipe = f"{name}: {ingredients!r}"
    place = (
        Path(os.environ[VARIABLE]) / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    )
    seal = place.with_name(f"{place.name}.sha256")
    with FileLock(place.with_name(f"{place.name}.lock")):
        if not seal.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            fill(place)
            seal.write_text(sha256_tree(place))
    assert seal.read_text() == sha256_tree(place), f"a test has changed {place}, which others share"
    return place
