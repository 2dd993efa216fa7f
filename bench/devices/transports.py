"""All kinds of devices; and from what a user writes after ``--device`` to the device."""

from __future__ import annotations

from collections.abc import Callable

from edgemat.bench.devices.adb import ADB
from edgemat.bench.devices.android_app import ADB_APP
from edgemat.bench.devices.browser.device import BROWSER
from edgemat.bench.devices.device import Device
from edgemat.bench.devices.emulated import EMULATED_ARM64
from edgemat.bench.devices.host import HOST
from edgemat.bench.devices.ios import IOS
from edgemat.bench.devices.ssh import SSH
from edgemat.bench.devices.transport import Attached, Options, Transport
from edgemat.errors import UsageError, nearest

TRANSPORTS: tuple[Transport, ...] = (
    HOST,
    ADB,
    SSH,
    BROWSER,
    IOS,
    ADB_APP,
    EMULATED_ARM64,
)
"""The only list of them: the command line, recipes and the schema of results read it."""


def find_transport(spec: str) -> Transport:
    """Return the kind of the device that a text names.

    Raises
    ------
    UsageError
        When there is no such kind of device.
    """
    for transport in TRANSPORTS:
        if transport.takes(spec):
            return transport
    known = [text for transport in TRANSPORTS for text in transport.specs]
    raise UsageError(f"There is no device {spec!r}.", remedy=nearest(spec, known))


def open_device(
    spec: str,
    *,
    say: Callable[[str], object],
    cpu_mask: int = 0,
    listen: str = "127.0.0.1",
    tls: bool = False,
) -> Device:
    """Return the device that a text names; see :class:`Options` for what it can be asked.

    Raises
    ------
    UsageError
        When there is no such kind of device.
    MissingToolError
        When the device, or a tool on the way to it, is not there.
    """
    options = Options(say=say, cpu_mask=cpu_mask, listen=listen, tls=tls)
    return find_transport(spec).open(spec.partition(":")[2], options)


def list_devices() -> list[Attached]:
    """Return all devices that can be found from here, and what is missing for the others."""
    return [attached for transport in TRANSPORTS for attached in transport.list()]
