"""Trainings of networks from several seeds, in a file that a killed command resumes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from edgemat.errors import UsageError
from edgemat.experiments.fit import known_models
from edgemat.experiments.kinds import kind_of
from edgemat.experiments.protocol import SeriesProtocol, Subject
from edgemat.experiments.trial import Trial, run_trial
from edgemat.files import write_text
from edgemat.lock import hold_file
from edgemat.models.info import Task
from edgemat.section import Section

# what runs of one file share, and what is said where it is not so
_SHARED = {
    "subject": "another subject",
    "protocol": "another protocol",
    "data": "other data",
    "pixels": "other data of the same name",
}

TASKS: dict[Subject, Task] = {
    "reconstruct": "reconstruction",
    "denoise": "denoising",
    "segment": "segmentation",
    "depth": "depth",
    "portraits": "trimap",
}


class Run(Section):
    """A network that was trained from one seed.

    Attributes
    ----------
    figures:
        By name.
    seconds:
        Of training, on the processor beside whatever else it did.
    processor:
        In words.
    """

    model: str
    seed: int
    figures: dict[str, float]
    seconds: float
    processor: str


class Series(Section):
    """All runs of one protocol on the same data: what a file holds.

    Attributes
    ----------
    score:
        The figure by which networks are ranked.
    data, pixels:
        In words, and a hash of what it is.
    """

    subject: Subject
    protocol: SeriesProtocol
    data: str
    pixels: str
    score: str
    more_is_better: bool
    runs: tuple[Run, ...] = Field(default=())

    def run_of(self, model: str, seed: int) -> Run | None:
        """Return the finished run of a network and a seed."""
        found = (one for one in self.runs if (one.model, one.seed) == (model, seed))
        return next(found, None)


def read_series(path: Path) -> Series:
    """Read a file of runs.

    Raises
    ------
    UsageError
        When it cannot be read or is none.
    """
    try:
        return Series.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is no file of runs.",
            remedy="Name one that edgemat experiments series wrote, or one that is not there yet.",
        ) from error


def run_series(
    path: Path,
    trial: Trial,
    protocol: SeriesProtocol,
    *,
    models: Sequence[str] | None = None,
    seeds: Sequence[int] = (1, 2, 3),
    processor: str,
    progress: Callable[[int, int], None] | None = None,
) -> Series:
    """Train every network from every seed, but for runs that the file has.

    A run is written as soon as it is done, and every epoch of the one under way beside the file, so
    that whatever kills this loses an epoch at most.

    Parameters
    ----------
    path:
        The file; what it has is kept.
    models:
        By default the trial's.
    processor:
        What is computed on, in words.
    progress:
        Called with the epochs done, and those of all runs.

    Raises
    ------
    UsageError
        When the file is none of runs, has runs of another protocol or of other data, or another
        process adds to it; for a network of another task, or one of no known kind.
    TrainingError
        When a loss or a figure is not finite.
    """
    names = known_models(TASKS[trial.subject], models or trial.models)
    for name in names:
        kind_of(name)  # a table of one without a kind could not be shown
    with hold_file(path):
        return _run_alone(path, trial, protocol, names, seeds, processor, progress)


def _run_alone(
    path: Path,
    trial: Trial,
    protocol: SeriesProtocol,
    names: Sequence[str],
    seeds: Sequence[int],
    processor: str,
    progress: Callable[[int, int], None] | None,
) -> Series:
    series = Series(
        subject=trial.subject,
        protocol=protocol,
        data=trial.data,
        pixels=trial.pixels,
        score=trial.score,
        more_is_better=trial.more_is_better,
    )
    if path.exists():
        series = _same(read_series(path), series, path)
    # seed by seed, so that a series that is stopped compares all networks on fewer seeds
    wanted = [(name, seed) for seed in seeds for name in names]
    state = path.with_name(f"{path.name}.state")
    for number, (name, seed) in enumerate(wanted):

        def show(epochs: int, before: int = number * protocol.epochs) -> None:
            if progress is not None:
                progress(before + epochs, len(wanted) * protocol.epochs)

        if series.run_of(name, seed) is None:
            figures, seconds = run_trial(trial, name, seed, protocol, state=state, progress=show)
            run = Run(
                model=name,
                seed=seed,
                figures=figures,
                seconds=round(seconds, 1),
                processor=processor,
            )
            series = series.model_copy(update={"runs": (*series.runs, run)})
            write_text(path, series.model_dump_json(indent=1) + "\n")
            state.unlink(missing_ok=True)
        show(protocol.epochs)
    return series


def _same(kept: Series, wanted: Series, path: Path) -> Series:
    """Return the kept series where runs may be added to it."""
    for field, what in _SHARED.items():
        if getattr(kept, field) != getattr(wanted, field):
            raise UsageError(
                f"{path} has runs of {what}.",
                remedy="Give --output another file, so that figures stay comparable.",
            )
    return kept
