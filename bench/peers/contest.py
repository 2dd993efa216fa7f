"""One run: every contestant on every photograph, then latencies and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgemat.bench.devices.host import host_circumstances, host_condition
from edgemat.bench.peers.contest_result import (
    ContestResult,
    ContestSettings,
    Costs,
    Failure,
    SetResult,
)
from edgemat.bench.peers.contestants import Contestant, Entry
from edgemat.bench.peers.entries import Absent, open_entries
from edgemat.bench.peers.memory import peak_memory
from edgemat.bench.peers.pictures import Loaded, PhotoSet, load, percent, spread
from edgemat.bench.peers.scores import score
from edgemat.bench.peers.sheet import make_strip
from edgemat.bench.peers.speed import network_latencies, photo_latencies
from edgemat.doctor import cpu_has_int8_dot_product
from edgemat.errors import EdgematError, ImageError, UsageError
from edgemat.images import F32
from edgemat.progress import progress_bar, track

MEGAPIXEL = 1e6
PERCENT = 100


def run_contest(
    entries: Sequence[Entry],
    absent: Absent,
    sets: Sequence[PhotoSet],
    *,
    settings: ContestSettings,
) -> ContestResult:
    """Compare all entries on all sets of photographs.

    Parameters
    ----------
    absent:
        Peers that are known not to be there; they get a row that says why.

    Raises
    ------
    UsageError
        When there is no set, or no photograph of one can be read.
    EdgematError
        When a model of edgemat's cannot be loaded.
    """
    if not sets:
        raise UsageError("There are no photographs.", remedy="Name a folder with --images.")
    before = host_condition()
    contestants, broken = open_entries(entries, threads=settings.threads)
    results = tuple(_judge_set(photos, contestants, settings) for photos in sets)
    costs = Costs()
    if settings.costs and contestants:
        costs = _measure_costs(entries, contestants, sets, settings)
    names = [entry.name for entry in entries]
    return ContestResult(
        settings=settings,
        order=(*names, *(name for name in absent if name not in names)),
        facts={name: contestant.facts for name, contestant in contestants.items()},
        absent=absent | broken,
        sets=results,
        costs=costs,
        where=host_circumstances(before=before, after=host_condition()),
        int8_dot_product=cpu_has_int8_dot_product(),
    )


def _judge_set(
    photos: PhotoSet, contestants: Mapping[str, Contestant], settings: ContestSettings
) -> SetResult:
    """Run all contestants on all photographs of one folder."""
    result = SetResult(photos, {name: [] for name in contestants}, skipped=list(photos.skipped))
    count = len(photos.photos)
    places = spread(list(range(count)), settings.strips)  # whose pictures are drawn
    drawn = done = 0
    for place, photo in enumerate(track(photos.photos, f"mattes of {photos.name}", count)):
        try:
            loaded = load(photo, photos.truth, ignore_below=settings.ignore_below)
        except ImageError as error:
            result.skipped.append((photo.name, error.message))
            continue
        if not loaded.anyone_counts:
            share = percent(settings.ignore_below)
            result.skipped.append((photo.name, f"nobody covers {share} of it"))
            continue
        done += 1
        # in the place of one that is not used comes the next one that is
        show = drawn < len(places) and place >= places[drawn]
        drawn += show
        _judge_photo(loaded, contestants, result, show=show)
    if not done:
        reason = result.skipped[-1][1]
        raise UsageError(
            f"No photograph of {photos.folder} can be used. The last one: {reason}",
            remedy="Check the files, and --ignore-below.",
        )
    return result


def _judge_photo(
    loaded: Loaded, contestants: Mapping[str, Contestant], result: SetResult, *, show: bool
) -> None:
    """Add every contestant's score on one photograph, and a strip of the sheet."""
    mattes: dict[str, F32] = {}
    notes: dict[str, str] = {}
    for name, contestant in contestants.items():
        if contestant.facts.takes_trimap and loaded.trimap is None:
            continue
        try:
            alpha = contestant.predict(loaded.image, loaded.trimap)
        except EdgematError as error:
            result.failures.append(Failure(name, loaded.photo.name, error.message))
            continue
        mattes[name] = alpha
        if loaded.truth is not None:
            found = score(alpha, loaded)
            result.scores[name].append(found)
            notes[name] = f"IoU {found.iou:.3f}  MAD {found.mad:.4f}"
    if show:
        result.strips.append(
            make_strip(loaded.photo.name, loaded.image, loaded.truth, mattes, notes)
        )


def _measure_costs(
    entries: Sequence[Entry],
    contestants: Mapping[str, Contestant],
    sets: Sequence[PhotoSet],
    settings: ContestSettings,
) -> Costs:
    """Measure latency and memory, all on the same photograph."""
    loaded = _example(sets)
    height, width = loaded.image.shape[:2]
    costs = Costs(loaded.photo.name, height * width / MEGAPIXEL)
    with progress_bar("latency of networks", PERCENT) as bar:
        costs.network = network_latencies(
            contestants, settings.protocol, progress=lambda k, total: bar(PERCENT * k // total)
        )
    with progress_bar("latency of a photograph", PERCENT) as bar:
        costs.whole = photo_latencies(
            contestants,
            loaded,
            runs=settings.photo_runs,
            progress=lambda k, total: bar(PERCENT * k // total),
        )
    able = [entry for entry in entries if entry.name in costs.whole]
    for entry in track(able, "peak memory", len(able)):
        runtime = contestants[entry.name].facts.runtime
        try:
            costs.memory_bytes[entry.name] = peak_memory(
                entry, loaded.photo, runtime=runtime, threads=settings.threads
            )
        except EdgematError as error:
            costs.failures.append(Failure(entry.name, loaded.photo.name, error.message))
    return costs


def _example(sets: Sequence[PhotoSet]) -> Loaded:
    """Return the first photograph with a trimap, which all can do; else the first of all."""
    every = [(photo, photos.truth) for photos in sets for photo in photos.photos]
    every.sort(key=lambda pair: pair[0].trimap is None)  # stable: else in the given order
    for photo, truth in every:
        try:
            return load(photo, truth)
        except ImageError:
            continue  # named already, when the set was judged
    raise UsageError("No photograph can be read.", remedy="Check the files.")
