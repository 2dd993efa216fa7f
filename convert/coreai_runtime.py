"""Apple's own runtime of Core AI files, which coreai-core brings to Linux and Macs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgemat.artifacts.artifact import CONVERT_AGAIN
from edgemat.convert.coreai import INPUT, OUTPUT, import_coreai
from edgemat.convert.coreai_program import MAIN, check_whole
from edgemat.errors import ArtifactError
from edgemat.files import shorten
from edgemat.images import F32

T = TypeVar("T")


class CoreAiModel:
    """A Core AI file, ready to run in Apple's runtime.

    The runtime speaks asyncio: an event loop in a thread of its own serves callers that have none,
    and those that have one.

    Raises
    ------
    ArtifactError
        When the file cannot be loaded.
    MissingToolError
        When coreai-core is not installed.
    """

    def __init__(self, path: Path) -> None:
        authoring = import_coreai("coreai.authoring")
        self._array = import_coreai("coreai.runtime").NDArray
        check_whole(path)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._open = contextlib.AsyncExitStack()
        weakref.finalize(self, _close, self._loop, self._open)
        with _quiet_stderr():
            try:
                asset = authoring.AIModelAsset.load(path)
                self._function = self._wait(_load(asset, self._open))
            except (RuntimeError, OSError, ValueError, KeyError) as error:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise ArtifactError(
                    f"Core AI cannot load {path}: {shorten(reason).rstrip('.')}.",
                    remedy=CONVERT_AGAIN,
                ) from error

    def run(self, x: F32) -> F32:
        """Return alpha, 1,H,W,1, of `x`, 1,H,W,C in 0..1."""
        alpha: F32 = self.run_all(x)[OUTPUT].astype(np.float32).transpose(0, 2, 3, 1)
        return alpha

    def run_all(self, x: F32) -> dict[str, NDArray[Any]]:
        """Return every output of the file by its name, as the file has them."""
        planes = np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.float32)
        outputs = self._wait(self._function({INPUT: self._array(planes)}))
        return {name: np.array(value.numpy()) for name, value in outputs.items()}

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _load(asset: Any, kept: contextlib.AsyncExitStack) -> Any:
    model = await kept.enter_async_context(asset.executable())
    return model.load_function(MAIN)


def _close(loop: asyncio.AbstractEventLoop, kept: contextlib.AsyncExitStack) -> None:
    """Let go of the model and its temporary files, then of the thread."""
    asyncio.run_coroutine_threadsafe(kept.aclose(), loop).result()
    loop.call_soon_threadsafe(loop.stop)


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop what the runtime's machine code writes to stderr, past Python."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
