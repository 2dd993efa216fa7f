"""A phone without a phone: Android's own adbd, on this machine, in a network of its own.

adbd gives a root shell to whoever connects, on every interface: so it runs in a private network
namespace, and so do adb's server and client.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edgemat.errors import MissingToolError
from edgemat.folders import part_folder

PARTS = "make device-parts"
PORT = 5555


class Phone:
    """A network namespace with adb's server; see :func:`phone`."""

    def __init__(self, folder: Path, namespace: int) -> None:
        self.folder = folder
        part = part_folder("phone")
        libraries = part / "usr" / "lib" / "x86_64-linux-gnu"
        tools = part / "usr" / "lib" / "android-sdk" / "platform-tools"
        path = f"{libraries}:{libraries / 'android'}"
        self._enter = ["nsenter", f"--net=/proc/{namespace}/ns/net"]
        loader = [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", path]
        self._adb = [*self._enter, *loader, str(tools / "adb")]
        self._adbd = [*self._enter, *loader, str(tools / "adbd")]
        # adb's own server would look for phones at ports 5555 and up by itself
        self._environment = os.environ | {"HOME": str(folder), "ADB_EMU": "0"}
        self._running: list[subprocess.Popen[bytes]] = []

    def start_server(self) -> None:
        """Start adb's server, and put adb's client on the path."""
        program = self.folder / "bin" / "adb"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shlex.join(self._adb)} "$@"\n')
        program.chmod(0o755)
        self._start([*self._adb, "nodaemon", "server"], self._environment)
        self.adb("devices")

    def plug_in(
        self, serial: str = f"127.0.0.1:{PORT}", *, commands: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start adbd and connect; return adbd.

        Parameters
        ----------
        commands:
            Name to shell script of the commands that stand in for Android's own.
        """
        stubs = self.folder / "android"
        stubs.mkdir(exist_ok=True)
        for name, script in commands.items():
            (stubs / name).write_text(f"#!/bin/sh\n{script}\n")
            (stubs / name).chmod(0o755)
        path = f"{stubs}:{os.environ['PATH']}"
        adbd = self._start(self._adbd, self._environment | {"PATH": path})
        self.connect(serial)
        return adbd

    def connect(self, serial: str) -> None:
        """Connect to adbd under a serial number."""
        for _ in range(50):
            if "connected to" in self.adb("connect", serial):
                return
            time.sleep(0.1)
        raise MissingToolError(
            f"adbd does not answer as {serial}.", remedy="Is a port of that number in use?"
        )

    def adb(self, *arguments: str) -> str:
        """Run adb and return what it prints."""
        command = [*self._adb, *arguments]
        for _ in range(50):
            done = subprocess.run(
                command, capture_output=True, text=True, env=self._environment, timeout=30
            )
            if "cannot connect to daemon" not in done.stderr:
                break
            time.sleep(0.1)
        return done.stdout

    def stop(self) -> None:
        """End all that was started."""
        for process in self._running:
            process.kill()
            process.wait()

    def _start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment
        )
        self._running.append(process)
        return process


@contextmanager
def phone(folder: Path) -> Iterator[Phone]:
    """Give a network namespace with adb's server in it and no phone yet.

    Raises
    ------
    MissingToolError
        When adbd is not there, or this machine allows no private network.
    """
    if not part_folder("phone").exists():
        raise MissingToolError("adbd is missing.", remedy=f"Run: {PARTS}")
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        raise MissingToolError(
            "A private network needs root, util-linux and iproute2.",
            remedy="Run as root, and install them.",
        )
    script = "ip link set lo up && echo ready && exec sleep infinity"
    command = ["unshare", "--net", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        if holder.stdout.readline() != b"ready\n":
            raise MissingToolError(
                "This container allows no private network.", remedy="Run it with CAP_SYS_ADMIN."
            )
        found = Phone(folder, holder.pid)
        try:
            found.start_server()
            yield found
        finally:
            found.stop()
            holder.kill()
