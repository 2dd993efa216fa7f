"""From what a user writes after ``--device`` to the device."""

from __future__ import annotations

from collections.abc import Callable

from bench.devices.device import Device
from bench.devices.host import HostDevice
from edgemat.errors import UsageError, nearest

KNOWN = ("host",)


def open_device(
    spec: str,
    *,
    say: Callable[[str], object],
    listen: str = "127.0.0.1",
    tls: bool = False,
) -> Device:
    """Return the device that a text names.

    Parameters
    ----------
    listen, tls:
        Where a browser's page is served, and whether by HTTPS.
    say:
        Prints what the user must do, such as opening a page.

    Raises
    ------
    UsageError
        When there is no such kind of device.
    """
    kind, _, _name = spec.partition(":")
    if kind == "host":
        return HostDevice()
    raise UsageError(f"There is no device {spec!r}.", remedy=nearest(kind, KNOWN))
