"""Contestants of a run: edgemat's as named, peers as found, classical methods, and the absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgemat.bench.peers.catalog import PEERS, Peer, find_peer, is_fetched
from edgemat.bench.peers.contestants import Contestant, Entry
from edgemat.bench.peers.others import OnnxPeer, TflitePeer
from edgemat.bench.peers.ours import Classical, Ours, Refined
from edgemat.errors import EdgematError, MissingToolError, UsageError
from edgemat.matting.classical import METHODS

Absent = dict[str, str]
"""Name to the sentence that says why someone cannot take part, and what to do about it."""
GUIDED, REFINED = " + guided", " + refine"


def list_entries(
    ours: Sequence[Path],
    models: Sequence[Path],
    *,
    guided: bool = False,
    refined: bool = False,
    classical: bool = True,
) -> tuple[list[Entry], Absent]:
    """Return all entries in the order of the table, and the peers whose files are not there.

    Parameters
    ----------
    ours:
        Artefacts' folders or .tflite files.
    models:
        Folders in which the peers' files are looked for.
    guided:
        Enter each peer a second time, with our guided filter.
    refined:
        Enter each network a second time, its matte refined by the shipped trimap network.
    classical:
        Enter closed-form and KNN matting.

    Raises
    ------
    UsageError
        When there is no such folder, a model of edgemat's is named twice, or nobody takes part.
    """
    for folder in models:
        if not folder.is_dir():
            raise UsageError(
                f"There is no folder {folder}.", remedy="Name the folder with the peers' files."
            )
    entries = [Entry(name, "ours", path) for name, path in name_models(ours).items()]
    if refined:
        entries += [replace(one, name=one.name + REFINED, refined=True) for one in entries]
    absent: Absent = {}
    for peer in PEERS:
        path = _find(peer, models)
        if path is None:
            absent[peer.name] = _how_to_get(peer)
            continue
        entries.append(Entry(peer.name, "peer", path, of=peer.name))
        if guided:
            entries.append(Entry(peer.name + GUIDED, "peer", path, of=peer.name, guided=True))
        if refined:
            entries.append(Entry(peer.name + REFINED, "peer", path, of=peer.name, refined=True))
    if classical:
        entries += [Entry(name, "classical", of=name) for name in METHODS]
    if not entries:
        raise UsageError(
            "Nobody takes part.",
            remedy="Name models with --ours, or a folder with the peers' files with --models.",
        )
    return entries, absent


def open_entry(entry: Entry, *, threads: int) -> Contestant:
    """Load a contestant.

    Raises
    ------
    ArtifactError
        The file is missing, damaged, or not what its name says.
    MissingToolError
        A package that it needs is not installed.
    UsageError
        It is to be refined, and takes a trimap itself.
    """
    if entry.refined:
        return Refined(open_entry(replace(entry, refined=False), threads=threads), threads=threads)
    if entry.kind == "classical":
        return Classical(entry.of)
    if entry.path is None:
        raise UsageError(f"{entry.name} has no file.", remedy="Give the path of a model.")
    if entry.kind == "ours":
        return Ours(entry.path, threads=threads)
    peer = find_peer(entry.of)
    if peer.runtime == "onnxruntime":
        return OnnxPeer(peer, entry.path, threads=threads, guided=entry.guided)
    return TflitePeer(peer, entry.path, threads=threads, guided=entry.guided)


def open_entries(entries: Sequence[Entry], *, threads: int) -> tuple[dict[str, Contestant], Absent]:
    """Load all contestants; what cannot be loaded or refined is absent, with the reason.

    Raises
    ------
    EdgematError
        When a model of edgemat's cannot be loaded: it was named, so it is wanted.
    """
    contestants: dict[str, Contestant] = {}
    absent: Absent = {}
    for entry in entries:
        try:
            contestants[entry.name] = open_entry(entry, threads=threads)
        except EdgematError as error:
            if entry.kind == "ours" and not entry.refined:
                raise
            absent[entry.name] = _sentence(error)
    return contestants, absent


def _sentence(error: EdgematError) -> str:
    before = "cannot run" if isinstance(error, MissingToolError) else "cannot be loaded"
    return f"{before}: {error}"


def name_models(paths: Sequence[Path]) -> dict[str, Path]:
    """Name each model by its folder or file; by its whole path where that is not unique.

    Raises
    ------
    UsageError
        When one is named twice.
    """
    short = [_short(path) for path in paths]
    unique = len(set(short)) == len(short)
    names = {name if unique else str(path): path for name, path in zip(short, paths, strict=True)}
    if len(names) < len(paths):
        raise UsageError("One of the models is named twice.", remedy="Name each once.")
    return names


def _short(path: Path) -> str:
    return path.stem if path.suffix == ".tflite" else path.resolve().name


def _find(peer: Peer, folders: Sequence[Path]) -> Path | None:
    for folder in folders:
        for name in peer.files:
            if (folder / name).is_file():
                return folder / name
    return None


def _how_to_get(peer: Peer) -> str:
    name = peer.files[0]
    if is_fetched(peer):
        return "not there: run `edgemat peers fetch DEST` and add --models DEST"
    return f"not there: put {name} into a folder and name it with --models"
