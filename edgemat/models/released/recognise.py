"""Which released network a checkpoint is, by the names and shapes of its tensors.

Every tensor must be used once, and none be missing or left; else it is no network of the family,
and the first tensor that does not fit says why.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from edgemat.errors import UsageError
from edgemat.models import model_info
from edgemat.models.count import on_paper
from edgemat.models.pretrained.checkpoint import StateDict
from edgemat.models.pretrained.fitting import ITSELF, prefixes, shown_size
from edgemat.models.pretrained.load import fits_encoder
from edgemat.models.pretrained.renaming import COUNTER, TensorConversion
from edgemat.models.released.families import FAMILIES, find_family
from edgemat.models.released.family import Family, Member
from edgemat.models.released.refused import find_refused

ENCODED = ("indexnet-m2o-nlc", "a2u-dynamic-cs", "dim", "rmat-m3", "rmat-m7", "hu-depth")
"""A network on each of the encoders that public weights are there for."""
ALIKE = 0.5
"""The share of a network's names that a checkpoint must have to be told which does not fit."""


@dataclass(frozen=True)
class Match:
    """One dictionary of a checkpoint beside one network.

    Attributes
    ----------
    where:
        What the dictionary lies in: "" for the file itself.
    prefix:
        What stands before all its names.
    missing, misshapen, left:
        Names there, in order: of tensors that are not there, of another shape, and that the network
        has no place for.
    """

    family: Family
    member: Member
    where: str
    prefix: str
    missing: tuple[str, ...]
    misshapen: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def misfits(self) -> int:
        """How many tensors do not fit."""
        return len(self.missing) + len(self.misshapen) + len(self.left)


def recognise(states: Mapping[str, StateDict], source: Path, *, family: str | None = None) -> Match:
    """Return the network that a checkpoint is.

    Parameters
    ----------
    states:
        The file's dictionaries of tensors, by where they lie.
    source:
        The file, for what is said of it.
    family:
        The only family to think of; None for all.

    Raises
    ------
    UsageError
        When it is none, or several; an encoder's weights are said to be that.
    """
    families = list(FAMILIES.values()) if family is None else [find_family(family)]
    near: list[Match] = []
    whole: list[Match] = []
    for where, state in states.items():
        for match in _matches(families, where, state):
            near.append(match)
            if not match.misfits:
                whole.append(match)
                break
    if len(whole) > 1:  # averaged weights, or a teacher, beside the network itself
        whole = [one for one in whole if one.where.split(".")[0] in (*ITSELF, "")] or whole
    if len(whole) == 1:
        return whole[0]
    if whole:
        places = " and ".join(repr(one.where) for one in whole)
        raise UsageError(
            f"{source} holds a {whole[0].family.title} {len(whole)} times, in {places}.",
            remedy="Save the one to import on its own.",
        )
    closest = min(near, key=lambda one: one.misfits, default=None)
    if closest is not None:
        names = len(closest.member.layout.names)
        if family is not None or len(closest.missing) < ALIKE * names:
            raise _misfit(closest, states[closest.where], source)
    raise _unknown(states, source, families if family is not None else None)


def _matches(families: Sequence[Family], where: str, state: StateDict) -> Iterator[Match]:
    """Give every network that a dictionary may be, by the name of its first tensor."""
    for family in families:
        for member in family.members:
            for prefix in prefixes(member.layout.names[0], state):
                yield _match(family, member, where, prefix, state)


def _match(family: Family, member: Member, where: str, prefix: str, state: StateDict) -> Match:
    missing, misshapen = [], []
    for own, stored in member.layout.tensors.items():
        name = prefix + stored.name
        if name not in state:
            missing.append(name)
            continue
        if _shape(state[name], stored.convert) != member.shapes[own]:
            misshapen.append(name)
    used = {prefix + name for name in member.layout.names}
    left = (name for name in state if name not in used and not name.endswith(COUNTER))
    return Match(family, member, where, prefix, tuple(missing), tuple(misshapen), tuple(left))


def _shape(tensor: Tensor, convert: TensorConversion | None) -> tuple[int, ...] | None:
    """Return the shape of a network's tensor; None where it cannot be converted."""
    try:
        return tuple((tensor if convert is None else convert(tensor)).shape)
    except (RuntimeError, IndexError):  # too few numbers or dimensions for it, or sparse
        return None


def _misfit(match: Match, state: StateDict, source: Path) -> UsageError:
    """Return what to say of the first tensor that does not fit."""
    title = f"{match.family.title} as {match.member.architecture}"
    if match.missing:
        name = match.missing[0]
        near = difflib.get_close_matches(name, match.left, n=3)
        remedy = "Give the whole checkpoint that training wrote."
        if near:
            remedy = "The nearest that it has: " + ", ".join(near) + "."
        return UsageError(
            f"{source} has no tensor {name}, which {title} has ({len(match.missing)} of "
            f"{len(match.member.layout.names)} are missing).",
            remedy=remedy,
        )
    if match.misshapen:
        name = match.misshapen[0]
        own = next(
            own
            for own, stored in match.member.layout.tensors.items()
            if match.prefix + stored.name == name
        )
        return UsageError(
            f"{source}: {name} is {shown_size(tuple(state[name].shape))}, {title} has "
            f"{shown_size(match.member.shapes[own])}.",
            remedy="Only the widths and forms that were released can be imported.",
        )
    return UsageError(
        f"{source} has a tensor {match.left[0]}, which {title} has no place for "
        f"({len(match.left)} are left).",
        remedy="Give the checkpoint of the network alone.",
    )


def _unknown(
    states: Mapping[str, StateDict], source: Path, asked: Sequence[Family] | None
) -> UsageError:
    first = next(iter(next(iter(states.values()))))
    if asked is not None:
        return UsageError(
            f"{source} is no {asked[0].title}: it has no tensor "
            f"{asked[0].members[0].layout.names[0]}; its first is {first}.",
            remedy="Leave out --as, and it is recognised by its names, if it can be.",
        )
    refused = next(filter(None, map(find_refused, states.values())), None)
    if refused is not None:
        return UsageError(
            f"{source} is not imported: {refused.title} {refused.reason}.",
            remedy="Adopt the network from its own code: edgemat adopt package.module:factory "
            f"--weights {source.name}.",
        )
    encoded = next((name for name in ENCODED if _is_encoder(name, states, source)), None)
    if encoded is not None:
        return UsageError(
            f"{source} holds the encoder of {encoded} alone, trained for something else.",
            remedy=f"Start a training from it{_how_to_start(encoded, source.name)}.",
        )
    return UsageError(
        f"{source} is no network whose names edgemat knows; its first tensor is {first}.",
        remedy="Known, by --as: " + ", ".join(FAMILIES) + ".",
    )


def _how_to_start(architecture: str, weights: str) -> str:
    if model_info(architecture).task == "depth":
        return (
            ": edgemat experiments series depth --protocol thesis "
            f"--model {architecture} --init {weights} --data FOLDER"
        )
    return f', in a recipe: architecture = "{architecture}", train = {{ init = "{weights}", ... }}'


def _is_encoder(name: str, states: Mapping[str, StateDict], source: Path) -> bool:
    """Return whether one of the dictionaries is the encoder of a network, and whatever else."""
    encoder = on_paper(name).get_submodule("encoder")
    return any(fits_encoder(encoder, state, source) for state in states.values())
