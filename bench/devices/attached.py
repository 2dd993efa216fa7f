"""Which devices there are to measure on, and what is missing for the others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bench.devices.ios import CONNECT, phones
from edgemat.errors import MissingToolError


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


def list_devices() -> list[Attached]:
    """Return all devices that can be found from here."""
    return [Attached("host", True, "this machine"), *_iphones()]


def _iphones() -> list[Attached]:
    try:
        found = phones()
    except MissingToolError as error:
        return [Attached("ios", False, error.message, error.remedy)]
    if not found:
        return [Attached("ios", False, "no iPhone is there", CONNECT)]
    return [
        Attached(f"ios:{one.identifier}", one.ready, one.name, "" if one.ready else CONNECT)
        for one in found
    ]
