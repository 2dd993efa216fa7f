"""What is done of a video, kept beside the result in parts until all is done.

A run that is stopped loses the part it was at; the next one begins there, with the smoothing's
memory of what came before, so that both give the same frames.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.files import atomic_path, write_text
from edgemat.matting.smoothing import Smoother
from edgemat.npz import NpzError, read_array

PART_FRAMES = 48
"""Frames of a part: two seconds of film."""


class Parts:
    """A hidden folder beside a video that is being made.

    Parameters
    ----------
    key:
        All that the result depends on; parts of another key are thrown away.

    Attributes
    ----------
    times:
        Of the frames that are done.
    count:
        Parts that are done.
    """

    def __init__(self, target: Path, key: dict[str, Any]) -> None:
        self.folder = target.parent / f".{target.name.replace('%', '')}.parts"
        told = json.dumps(key, sort_keys=True)
        digest = hashlib.sha256(told.encode()).hexdigest()
        note = self.folder / "key"
        if not (note.is_file() and note.read_text(encoding="utf-8") == digest):
            self.remove()
            write_text(note, digest)
        self.times: list[int] = []
        self.count = 0
        with contextlib.suppress(FileNotFoundError, NpzError):
            self.times = [int(time) for time in read_array(self._state, "times")]
            self.count = int(read_array(self._state, "count"))

    def path(self, number: int, suffix: str) -> Path:
        """Return the name of a part's file."""
        return self.folder / f"{number:06d}{suffix}"

    def restore(self, smoother: Smoother) -> None:
        """Give a smoother the memory that it had when the last part was done."""
        if self.count:
            smoother.before = read_array(self._state, "before")
            smoother.glance = read_array(self._state, "glance")

    def finish(self, times: Sequence[int], smoother: Smoother) -> None:
        """Note that the next part is done: its frames lie on the disk."""
        before, glance = smoother.before, smoother.glance
        assert before is not None and glance is not None
        self.times += times
        self.count += 1
        with atomic_path(self._state) as temporary:
            np.savez(
                temporary,
                times=np.array(self.times, np.int64),
                count=np.array(self.count),
                before=before,
                glance=glance,
            )

    def remove(self) -> None:
        """Throw all parts away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _state(self) -> Path:
        return self.folder / "state.npz"
