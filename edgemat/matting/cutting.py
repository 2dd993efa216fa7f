"""The one loop of all that is cut out: frames from a source, each matted and finished, to a sink.

A photograph is a source of one frame, a video of many; a file, a pipe or a video is a sink.
"""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from edgemat.artifacts.artifact import Artifact
from edgemat.callbacks import Progress
from edgemat.errors import PictureWarning, UsageError
from edgemat.images import F32, U8, UNKNOWN
from edgemat.matting.classical import METHODS
from edgemat.matting.finish import Finish
from edgemat.matting.foreign import Convention
from edgemat.matting.matte import ModelLike, matte
from edgemat.matting.predict import load_predictor
from edgemat.matting.refine import look_again, refine
from edgemat.matting.smoothing import Smoother

MOST_REFINED = 24_000_000
"""Pixels of a photograph that is looked at again unasked."""


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes
    ----------
    image:
        HxWx3 uint8.
    opacity:
        HxW float32 in 0..1 where the picture was cut out already.
    of_video:
        One of many pictures of a video.
    time:
        Of a video's frame, in the video's own unit.
    trimap:
        HxW uint8; where it is unknown, a trimap network decides.
    suggested:
        HxW uint8, the trimap that a coarse matte of it suggests: the second look alone is taken.
    """

    image: U8
    opacity: F32 | None = None
    of_video: bool = False
    time: int = 0
    trimap: U8 | None = None
    suggested: U8 | None = None

    @property
    def asks_model(self) -> bool:
        """Whether anything is left open: else no model has a part in its matte."""
        known = self.trimap if self.suggested is None else self.suggested
        return known is None or bool((known == UNKNOWN).any())


class Sink(Protocol):
    """Where finished pictures go."""

    def add(self, frame: Frame, picture: U8, alpha: F32) -> None:
        """Take a frame, what has become of it, and its matte."""


class Cutter:
    """A model and a finish, for several threads: each of them has the model for itself.

    Parameters
    ----------
    model:
        As :func:`~edgemat.matting.matte.matte` takes it; a trimap network for frames that have one.
        Loaded at once, so that a wrong one is noticed before work begins. One that is loaded
        already is shared, one at a time.
    convention:
        How another's .tflite file is fed.
    workers:
        Threads that will call; the model's own threads are divided among them.
    refiner:
        A trimap network that takes a second look at what the model is unsure of.
    refines_all:
        At a video's frames, too, of which each would take as long as a photograph, and at
        photographs of more than :data:`MOST_REFINED` pixels, which would take half a minute.
    """

    def __init__(
        self,
        model: ModelLike,
        finish: Finish,
        *,
        convention: Convention | None = None,
        workers: int = 1,
        refiner: ModelLike | None = None,
        refines_all: bool = True,
    ) -> None:
        self.finish = finish
        self._model = model
        self._refiner = refiner
        self._refines_all = refines_all
        self._convention = convention
        self._workers = workers
        self._threads = max(1, min(4, os.cpu_count() or 1) // workers)
        self._is_shared = not isinstance(model, Artifact | Path | str)
        self._turn = threading.Lock() if self._is_shared else contextlib.nullcontext()
        self._own = threading.local()
        self._load()

    def __reduce__(self) -> tuple[Callable[..., Cutter], tuple[ModelLike, Finish]]:
        """Another process opens the model anew."""
        if self._is_shared:
            raise UsageError(
                "A model that is loaded already stays in its process.", remedy="Give its path."
            )
        opening = partial(
            Cutter,
            convention=self._convention,
            workers=self._workers,
            refiner=self._refiner,
            refines_all=self._refines_all,
        )
        return opening, (self._model, self.finish)

    @property
    def name(self) -> str:
        """The model's name or path."""
        return _name_of(self._model)

    def refiner_of(self, *, video: bool, pixels: int = 0) -> str | None:
        """Return the name or path of who looks again at a photograph or video; None if nobody."""
        refiner = self._who_refines(video=video, pixels=pixels)
        return None if refiner is None else _name_of(refiner)

    def _who_refines(self, *, video: bool, pixels: int) -> ModelLike | None:
        left = video or pixels > MOST_REFINED
        return self._refiner if self._refines_all or not left else None

    def alpha(self, frame: Frame, progress: Progress | None = None) -> F32:
        """Return the matte of a frame; what was erased of it already stays away."""
        if not hasattr(self._own, "model"):
            self._load()
        pixels = frame.image[..., 0].size
        refiner = self._who_refines(video=frame.of_video, pixels=pixels)
        if refiner is None and self._refiner is not None and not frame.of_video:
            text = f"A photograph of {pixels / 1e6:.0f} megapixels is looked at once"
            warnings.warn(f"{text}; --refine looks again, and takes long.", PictureWarning, 2)
        # the second look is nearly all of the work
        alpha = self._first_look(frame, progress if refiner is None else None)
        if refiner is not None:
            if self._own.refiner is None:  # videos that are not refined do without it
                self._own.refiner = self._loaded(refiner, None)
            alpha = refine(frame.image, alpha, model=self._own.refiner, progress=progress)
        return alpha if frame.opacity is None else np.minimum(alpha, frame.opacity)

    def _first_look(self, frame: Frame, progress: Progress | None) -> F32:
        with self._turn:
            model = self._own.model
            if frame.suggested is not None:
                return look_again(frame.image, frame.suggested, model=model, progress=progress)
            return matte(frame.image, frame.trimap, model=model, progress=progress)

    def _load(self) -> None:
        self._own.model = self._loaded(self._model, self._convention)
        self._own.refiner = None

    def _loaded(self, model: ModelLike, convention: Convention | None) -> ModelLike:
        if isinstance(model, str) and model in METHODS and convention is None:
            return model
        if isinstance(model, Artifact | Path | str):
            return load_predictor(model, threads=self._threads, convention=convention)
        return model


def _name_of(model: ModelLike) -> str:
    return str(model.path if isinstance(model, Artifact) else model)


def cut(
    frames: Iterable[Frame],
    cutter: Cutter,
    sink: Sink,
    *,
    smoother: Smoother | None = None,
    progress: Callable[[float], None] = lambda done: None,
) -> None:
    """Mat and finish all frames.

    Parameters
    ----------
    smoother:
        For frames that follow each other.
    progress:
        Called with the frames that are done, also in parts of one.
    """
    done = 0

    def show(runs: int, all_runs: int) -> None:
        progress(done + runs / (all_runs + 1))

    for frame in frames:
        alpha = cutter.alpha(frame, show)
        if smoother is not None:
            alpha = smoother(frame.image, alpha)
        sink.add(frame, cutter.finish(frame.image, alpha), alpha)
        done += 1
        progress(done)
