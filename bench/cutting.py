"""Where the time of cut-outs goes: the network, the foreground's colours, and all round them.

A network's time is that of its runs alone. What makes a matte of them (letterbox, tiles, guided
filter, the second look's trimap) is counted by itself, and so are files in and out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edgemat.artifacts.feeding import Feeding
from edgemat.artifacts.shipped import SHIPPED_TARGET, find_artifact
from edgemat.callbacks import Count
from edgemat.errors import UsageError
from edgemat.images import F32, U8, read_rgba
from edgemat.matting.cutting import Cutter, Frame, cut
from edgemat.matting.finish import Finish
from edgemat.matting.pictures import PictureSink
from edgemat.matting.predict import load_predictor
from edgemat.matting.predictor import Predictor


@dataclass
class CuttingTime:
    """Seconds of cutting photographs out, one after the other, models loaded already.

    Attributes
    ----------
    photographs, megapixels:
        How many, and of how many pixels together.
    network:
        Runs of the networks.
    foreground:
        Estimating the foreground's colours.
    matte:
        All else that makes the matte.
    reading, writing:
        Decoding the photograph; encoding the cut-out, a PNG.
    """

    photographs: int = 0
    megapixels: float = 0.0
    network: float = 0.0
    foreground: float = 0.0
    matte: float = 0.0
    reading: float = 0.0
    writing: float = 0.0

    @property
    def total(self) -> float:
        """All seconds."""
        return self.network + self.foreground + self.matte + self.reading + self.writing

    @property
    def share(self) -> float:
        """What the network and the foreground's colours take of it, 0..1."""
        return (self.network + self.foreground) / self.total

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self) | {"total": self.total, "share": self.share}

    @contextmanager
    def count(self, part: str) -> Iterator[None]:
        """Add the time of what is done inside to a part."""
        start = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, part, getattr(self, part) + time.perf_counter() - start)


@dataclass
class _Counted:
    """A model whose runs are counted."""

    inner: Predictor
    spent: CuttingTime
    feeding: Feeding = field(init=False)
    any_size: bool = field(init=False)

    def __post_init__(self) -> None:
        self.feeding = self.inner.feeding
        self.any_size = getattr(self.inner, "any_size", False)

    def predict(self, x: F32) -> F32:
        with self.spent.count("network"):
            return self.inner.predict(x)


@dataclass(frozen=True)
class _Sink:
    """A sink whose time is counted."""

    inner: PictureSink
    spent: CuttingTime

    def add(self, frame: Frame, picture: U8, alpha: F32) -> None:
        with self.spent.count("writing"):
            self.inner.add(frame, picture, alpha)


class _CountedCutter(Cutter):
    """A cutter that tells the matte from the foreground's colours."""

    def __init__(self, spent: CuttingTime, model: Predictor, refiner: Predictor | None) -> None:
        super().__init__(model, Finish(), refiner=refiner, refines_all=False)
        self._spent = spent
        estimate: Callable[[U8, F32], U8] = self.finish

        def finish(image: U8, alpha: F32) -> U8:
            with spent.count("foreground"):
                return estimate(image, alpha)

        self.finish = finish  # type: ignore[assignment]  # called, and nothing else

    def alpha(self, frame: Frame, progress: Any = None) -> F32:
        ran = self._spent.network
        with self._spent.count("matte"):
            alpha = super().alpha(frame, progress)
        self._spent.matte -= self._spent.network - ran
        return alpha


def measure_cutting(
    photographs: Sequence[Path],
    *,
    model: str = "portrait",
    refiner: str | None = "trimap",
    threads: int = 1,
    progress: Count | None = None,
) -> CuttingTime:
    """Cut photographs out as `edgemat matte` does, and return where the time went.

    Parameters
    ----------
    model:
        That cuts out; a shipped model's name means its int8 file.
    refiner:
        What takes the second look, likewise; None for none.
    threads:
        Of each network.
    progress:
        Called with the photographs done.

    Raises
    ------
    UsageError
        Without photographs.
    """
    if not photographs:
        raise UsageError(
            "There is no photograph to cut out.", remedy="Name a folder that has some."
        )
    spent = CuttingTime()
    first = _counted(model, threads, spent)
    second = None if refiner is None else _counted(refiner, threads, spent)
    cutter = _CountedCutter(spent, first, second)
    with TemporaryDirectory() as folder:
        for done, path in enumerate(photographs, start=1):
            with spent.count("reading"):
                image, opacity = read_rgba(path)
            sink = _Sink(PictureSink(Path(folder) / "cutout.png"), spent)
            cut([Frame(image, opacity)], cutter, sink)
            spent.photographs += 1
            spent.megapixels += image[..., 0].size / 1e6
            if progress is not None:
                progress(done)
    return spent


def _counted(name: str, threads: int, spent: CuttingTime) -> _Counted:
    inner = load_predictor(find_artifact(name, target=SHIPPED_TARGET), threads=threads)
    return _Counted(inner, spent)
