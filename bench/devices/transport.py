"""A kind of device: one line in the table makes it known everywhere.

A new kind is a file with a device class and a :class:`Transport`, and a line in
:data:`edgemat.bench.devices.transports.TRANSPORTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edgemat.bench.devices.device import Device, Runtime
from edgemat.errors import EdgematError, MissingToolError


@dataclass(frozen=True)
class Attached:
    """One device, or one kind of device that is not ready.

    Attributes
    ----------
    spec:
        What to write after ``--device``.
    state:
        What it is, or what is the matter.
    remedy:
        What to do where it is not ready.
    """

    spec: str
    ready: bool
    state: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Options:
    """A user's options for a device; each kind takes what concerns it.

    Attributes
    ----------
    say:
        Prints what the user must do, such as opening a page.
    cpu_mask:
        Cores that the runner on a phone or board may use, bit n for core n; 0 leaves its choice.
    listen, tls:
        Where a browser's page is served, and whether by HTTPS.
    """

    say: Callable[[str], object]
    cpu_mask: int = 0
    listen: str = "127.0.0.1"
    tls: bool = False


@dataclass(frozen=True, kw_only=True)
class Transport:
    """One kind of device, and the way to it.

    Attributes
    ----------
    name:
        What stands after ``--device``, before a colon.
    open:
        Returns the device of an address, or the only one where that is empty.
    list:
        Returns the devices of this kind that can be found from here, or why there is none.
    runtime:
        Which kind of file it takes.
    default_delegate:
        Who computes, unless something else is asked for.
    address:
        What may stand behind the colon, such as ``"SERIAL"``; empty where nothing may.
    address_needed:
        Whether something must.
    noted_as:
        The word for it in results; by default its name.
    """

    name: str
    open: Callable[[str, Options], Device]
    list: Callable[[], Sequence[Attached]]
    runtime: Runtime = "tflite"
    default_delegate: str = "xnnpack"
    address: str = ""
    address_needed: bool = False
    noted_as: str = ""

    @property
    def specs(self) -> tuple[str, ...]:
        """The forms that may follow ``--device``."""
        addressed = (f"{self.name}:{self.address}",) if self.address else ()
        return addressed if self.address_needed else (self.name, *addressed)

    @property
    def word(self) -> str:
        """The word in results."""
        return self.noted_as or self.name

    def takes(self, spec: str) -> bool:
        """Return whether a text names a device of this kind."""
        name, colon, address = spec.partition(":")
        fits = bool(self.address and address) if colon else not self.address_needed
        return name == self.name and fits


def needing(spec: str, state: str, *needs: Callable[[], object]) -> Attached:
    """Return a device that is ready unless one of the `needs` raises MissingToolError."""
    try:
        for need in needs:
            need()
    except MissingToolError as error:
        return missing(spec, error)
    return Attached(spec, True, state)


def missing(spec: str, error: EdgematError) -> Attached:
    """Return a device, or a kind of device, that is not ready, with the error's remedy."""
    return Attached(spec, False, error.message, error.remedy)
