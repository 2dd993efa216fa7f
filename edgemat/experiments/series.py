"""Trainings of networks from several seeds, in a file that a killed command goes on with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from edgemat.errors import UsageError
from edgemat.experiments.fit import known_models
from edgemat.experiments.protocol import Protocol, Subject
from edgemat.experiments.trial import Trial, run_trial
from edgemat.files import write_text
from edgemat.models.info import Task
from edgemat.section import Section

TASKS: dict[Subject, Task] = {
    "reconstruct": "reconstruction",
    "denoise": "denoising",
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
    data:
        In words.
    """

    subject: Subject
    protocol: Protocol
    data: str
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
    protocol: Protocol,
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
        When the file is none of runs, or has runs of another protocol or of other data; for a
        network of another task.
    TrainingError
        When a loss is no longer finite.
    """
    names = known_models(TASKS[trial.subject], models or trial.models)
    series = Series(
        subject=trial.subject,
        protocol=protocol,
        data=trial.data,
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
        show(protocol.epochs)
    return series


def _same(kept: Series, wanted: Series, path: Path) -> Series:
    """Return the kept series where runs may be added to it."""
    for what in ("subject", "protocol", "data"):
        if getattr(kept, what) != getattr(wanted, what):
            raise UsageError(
                f"{path} has runs of another {what}.",
                remedy="Give --output another file, so that figures stay comparable.",
            )
    return kept
