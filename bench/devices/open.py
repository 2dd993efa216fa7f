"""From what a user writes after ``--device`` to the device."""

from __future__ import annotations

from collections.abc import Callable

from bench.devices.device import Device, Runtime
from bench.devices.host import HostDevice
from edgemat.errors import UsageError, nearest

KNOWN = ("host", "ios", "ios:IDENTIFIER")


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
    MissingToolError
        When the device, or a tool on the way to it, is not there.
    """
    kind, colon, name = spec.partition(":")
    if kind == "host":
        return HostDevice()
    if kind == "ios" and bool(name) == bool(colon):
        from bench.devices.ios import open_ios

        return open_ios(name)
    raise UsageError(f"There is no device {spec!r}.", remedy=nearest(kind, KNOWN))


def runtime_of(spec: str) -> Runtime:
    """Return which kind of file the device that a text names takes."""
    return "coreml" if spec.partition(":")[0] == "ios" else "tflite"
