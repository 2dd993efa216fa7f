"""From what a user writes after ``--device`` to the device."""

from __future__ import annotations

from collections.abc import Callable

from edgemat.bench.devices.device import Device, Runtime
from edgemat.bench.devices.host import HostDevice
from edgemat.errors import UsageError, nearest

KNOWN = (
    "host",
    "adb",
    "adb:SERIAL",
    "adb-app",
    "adb-app:SERIAL",
    "ios",
    "ios:IDENTIFIER",
    "ssh:HOST",
    "browser",
    "emulated-arm64",
)


def open_device(
    spec: str,
    *,
    say: Callable[[str], object],
    cpu_mask: int = 0,
    listen: str = "127.0.0.1",
    tls: bool = False,
) -> Device:
    """Return the device that a text names.

    Parameters
    ----------
    cpu_mask:
        Cores that the runner on a phone or board may use, bit n for core n; 0 leaves its choice.
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
    if spec == "host":
        return HostDevice()
    if kind == "adb" and bool(name) == bool(colon):
        from edgemat.bench.devices.adb import open_adb

        return open_adb(name, cpu_mask=cpu_mask)
    if kind == "adb-app" and bool(name) == bool(colon):
        from edgemat.bench.devices.android_app import open_app

        return open_app(name)
    if kind == "ios" and bool(name) == bool(colon):
        from edgemat.bench.devices.ios import open_ios

        return open_ios(name)
    if kind == "ssh" and name:
        from edgemat.bench.devices.ssh import open_ssh

        return open_ssh(name, cpu_mask=cpu_mask)
    if spec == "browser":
        from edgemat.bench.devices.browser.device import BrowserDevice

        return BrowserDevice(say, listen=listen, tls=tls)
    if spec == "emulated-arm64":
        from edgemat.bench.devices.emulated import EmulatedDevice

        return EmulatedDevice()
    raise UsageError(f"There is no device {spec!r}.", remedy=nearest(spec, KNOWN))


def runtime_of(spec: str) -> Runtime:
    """Return which kind of file the device that a text names takes."""
    return "coreml" if spec.partition(":")[0] == "ios" else "tflite"


def default_delegate(spec: str) -> str:
    """Return who computes on the device that a text names, unless something else is asked for."""
    return "npu" if runtime_of(spec) == "coreml" else "xnnpack"
