"""Which devices there are to measure on, and what is missing for the others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edgemat.bench.devices.adb import CONNECT, Phone, phones
from edgemat.bench.devices.android_app import BUILD, open_app
from edgemat.bench.devices.browser.parts import find_litert
from edgemat.bench.devices.emulated import ARCHITECTURE, PROCESSOR, find_emulator
from edgemat.bench.devices.ios import CONNECT as CONNECT_IPHONE
from edgemat.bench.devices.ios import phones as iphones
from edgemat.bench.devices.ssh import find_ssh
from edgemat.bench.runner.bundle import find_bundle
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


def list_devices() -> list[Attached]:
    """Return all devices that can be found from here."""
    return [
        Attached("host", True, "this machine"),
        *_phones(),
        *_iphones(),
        _machines(),
        _browser(),
        _emulated(),
    ]


def _phones() -> list[Attached]:
    try:
        found = phones()
    except MissingToolError as error:
        return [Attached("adb", False, error.message, error.remedy)]
    if not found:
        return [Attached("adb", False, "no phone is there", CONNECT)]
    return [way for phone in found for way in _ways_into(phone)]


def _ways_into(phone: Phone) -> list[Attached]:
    """Return the two ways to measure on a phone: a runner that is pushed, and the demo app."""
    pushed, app = f"adb:{phone.serial}", f"adb-app:{phone.serial}"
    if not phone.ready:
        return [Attached(pushed, False, f"a phone, {phone.state}", phone.remedy)]
    ways = []
    try:
        find_bundle(ARCHITECTURE)
        ways.append(Attached(pushed, True, "a phone"))
    except MissingToolError as error:
        ways.append(Attached(pushed, False, error.message, error.remedy))
    try:
        there = open_app(phone.serial).installed()
    except EdgematError as error:  # it was there a moment ago
        return [*ways, Attached(app, False, error.message, error.remedy)]
    state = "the demo app on it" if there else "the demo app is not on it"
    return [*ways, Attached(app, there, state, "" if there else BUILD)]


def _iphones() -> list[Attached]:
    try:
        found = iphones()
    except MissingToolError as error:
        return [Attached("ios", False, error.message, error.remedy)]
    if not found:
        return [Attached("ios", False, "no iPhone is there", CONNECT_IPHONE)]
    return [
        Attached(f"ios:{one.identifier}", one.ready, one.name, "" if one.ready else CONNECT_IPHONE)
        for one in found
    ]


def _machines() -> Attached:
    try:
        find_ssh()
        find_bundle(ARCHITECTURE)
    except MissingToolError as error:
        return Attached("ssh:HOST", False, error.message, error.remedy)
    return Attached("ssh:HOST", True, "any Linux machine that your ssh key opens")


def _browser() -> Attached:
    try:
        find_litert()
    except MissingToolError as error:
        return Attached("browser", False, error.message, error.remedy)
    return Attached("browser", True, "any browser that opens the page")


def _emulated() -> Attached:
    try:
        find_bundle(ARCHITECTURE)
        find_emulator()
    except MissingToolError as error:
        return Attached("emulated-arm64", False, error.message, error.remedy)
    return Attached("emulated-arm64", True, f"{PROCESSOR} in qemu: correctness and instructions")
