"""An Android phone or board, through adb, Android's own debug bridge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgemat.bench.devices.android import android_condition, android_facts
from edgemat.bench.devices.pushed import PushedDevice
from edgemat.bench.devices.shell import (
    ANSWER_S,
    COPY_S,
    Answer,
    call,
    explain,
    find_program,
    gone,
    remote_command,
)
from edgemat.bench.devices.transport import Attached, Transport, missing, needing
from edgemat.bench.runner.bundle import DEVICE_ARCHITECTURE, find_bundle
from edgemat.errors import MissingToolError, UsageError, nearest

READY = "device"
REMEDIES = {
    "unauthorized": "Unlock the phone and allow USB debugging for this computer.",
    "authorizing": "Wait a moment, or unlock the phone and allow USB debugging.",
    "offline": "Unplug the phone and plug it in again, or run: adb reconnect",
    "connecting": "Wait a moment.",
    "recovery": "Start Android: the phone is in its recovery system.",
    "sideload": "Start Android: the phone is in its recovery system.",
    "bootloader": "Start Android: the phone is in its bootloader.",
    "no permissions": "Install android-sdk-platform-tools-common, plug in again.",
}
CONNECT = "Switch on USB debugging in the phone's developer options, and plug it in."


@dataclass(frozen=True)
class ListedPhone:
    """A line of adb's list: a serial number and a state, ``"device"`` when all is well."""

    serial: str
    state: str

    @property
    def ready(self) -> bool:
        """Return whether one can work with it."""
        return self.state == READY

    @property
    def remedy(self) -> str:
        """Return what to do about its state."""
        known = (text for state, text in REMEDIES.items() if self.state.startswith(state))
        return "" if self.ready else next(known, "Look at the phone.")


class AdbShell:
    """The shell of one Android device; see :class:`edgemat.bench.devices.shell.Shell`."""

    transport = "adb"
    # The one folder of every Android in which the shell user may both write and execute.
    base = "echo /data/local/tmp"

    def __init__(self, serial: str) -> None:
        self.serial = serial
        self.name = f"the phone {serial!r}"

    def run(
        self,
        script: str,
        *arguments: str,
        timeout_s: float = ANSWER_S,
        on_line: Callable[[str], object] | None = None,
    ) -> Answer:
        """Run a script there; see :meth:`edgemat.bench.devices.shell.Shell.run`."""
        command = ["shell", "-n", "-T", remote_command(script, arguments)]
        answer = self._adb(*command, timeout_s=timeout_s, on_line=on_line)
        if answer.code != 0:
            self._check_there()
        return answer

    def push(self, source: Path, target: str) -> None:
        """Copy a file to the device."""
        self._copy("push", str(source.absolute()), target)

    def pull(self, source: str, target: Path) -> None:
        """Copy a file from the device."""
        self._copy("pull", source, str(target.absolute()))

    def _copy(self, *arguments: str) -> None:
        answer = self._adb(*arguments, timeout_s=COPY_S)
        if answer.code != 0:
            error = explain(answer, self, f"{arguments[0]} a file")
            if isinstance(error, MissingToolError):
                self._check_there()
            raise error

    def _adb(
        self,
        *arguments: str,
        timeout_s: float,
        on_line: Callable[[str], object] | None = None,
    ) -> Answer:
        try:
            command = [find_adb(), "-s", self.serial, *arguments]
            return call(command, timeout_s=timeout_s, on_line=on_line)
        except TimeoutError as error:
            raise gone(self, CONNECT) from error

    def _check_there(self) -> None:
        """Raise :class:`MissingToolError` when the device is no more there."""
        state = {phone.serial: phone for phone in phones()}.get(self.serial)
        if state is None or not state.ready:
            raise gone(self, CONNECT if state is None else state.remedy)


def find_adb() -> str:
    """Return the path of adb.

    Raises
    ------
    MissingToolError
        When it is not installed.
    """
    return find_program(
        "adb",
        "A phone",
        "Install it (Debian, Ubuntu): apt-get install adb; elsewhere: Android's platform tools.",
    )


def phones() -> list[ListedPhone]:
    """Return the devices that adb knows.

    Raises
    ------
    MissingToolError
        When adb is not installed or does not answer.
    """
    try:
        answer = call([find_adb(), "devices"], timeout_s=ANSWER_S)
    except TimeoutError as error:
        raise MissingToolError("adb does not answer.", remedy="Run: adb kill-server") from error
    if answer.code != 0:
        raise MissingToolError(
            f"adb does not work: {answer.last_line}.", remedy="Run: adb kill-server"
        )
    listed = answer.out.partition("List of devices attached")[2].splitlines()
    rows = (line.rpartition("\t") for line in listed)
    return [ListedPhone(serial, state.strip()) for serial, tab, state in rows if tab]


def find_phone(serial: str = "") -> ListedPhone:
    """Return an Android device that is ready.

    Parameters
    ----------
    serial:
        Which one; empty where only one is there.

    Raises
    ------
    MissingToolError
        When adb or the device is not there, or does not let us in.
    UsageError
        When several are there and no serial is given, or another is there than the one named.
    """
    known = {phone.serial: phone for phone in phones()}
    if not known:
        raise MissingToolError("adb sees no phone.", remedy=CONNECT)
    if not serial and len(known) > 1:
        names = ", ".join(f"adb:{name}" for name in known)
        raise UsageError(f"{len(known)} phones are there.", remedy=f"Name one of: {names}.")
    if serial and serial not in known:
        raise UsageError(f"There is no phone {serial!r}.", remedy=nearest(serial, known))
    phone = known[serial or next(iter(known))]
    if not phone.ready:
        raise MissingToolError(f"The phone {phone.serial!r} is {phone.state}.", remedy=phone.remedy)
    return phone


def open_adb(serial: str = "", *, cpu_mask: int = 0) -> PushedDevice:
    """Return an Android device; see :func:`find_phone`."""
    shell = AdbShell(find_phone(serial).serial)
    return PushedDevice(shell, android_facts, android_condition, cpu_mask=cpu_mask)


def _list() -> list[Attached]:
    try:
        found = phones()
    except MissingToolError as error:
        return [missing("adb", error)]
    if not found:
        return [Attached("adb", False, "no phone is there", CONNECT)]
    return [_attached(phone) for phone in found]


def _attached(phone: ListedPhone) -> Attached:
    spec = f"adb:{phone.serial}"
    if not phone.ready:
        return Attached(spec, False, f"a phone, {phone.state}", phone.remedy)
    return needing(spec, "a phone", lambda: find_bundle(DEVICE_ARCHITECTURE))


ADB = Transport(
    name="adb",
    address="SERIAL",
    open=lambda serial, options: open_adb(serial, cpu_mask=options.cpu_mask),
    list=_list,
)
