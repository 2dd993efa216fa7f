"""A Linux board or machine, through OpenSSH's own client and its keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from edgemat.bench.devices.linux import linux_condition, linux_facts
from edgemat.bench.devices.pushed import PushedDevice
from edgemat.bench.devices.shell import (
    ANSWER_S,
    COPY_S,
    Answer,
    call,
    capital,
    expect_success,
    find_program,
    gone,
    remote_command,
)
from edgemat.bench.devices.transport import Transport, needing
from edgemat.bench.runner.bundle import DEVICE_ARCHITECTURE, find_bundle
from edgemat.errors import MissingToolError, UsageError

CONNECT_S = 10
OPTIONS = {
    "BatchMode": "yes",  # keys only: nobody sits there to type a password
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "ConnectTimeout": str(CONNECT_S),
    "ServerAliveInterval": "5",  # notices within 15 s that the other side is gone
    "ServerAliveCountMax": "3",
}
FAILED = 255
"""The status of ssh itself; a remote command ends with its own."""
DESTINATION = re.compile(
    r"(?P<user>[\w.][\w.-]*@)?"
    r"(?:\[(?P<address>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?P<host>[\w.][\w.-]*))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
REASONS = {
    "Host key verification failed": "Connect once by hand and compare the key: ssh {host}",
    "Permission denied": "Put your public key there: ssh-copy-id {host}",
    "Could not resolve hostname": "Look at the name, or at your ssh_config.",
    "Connection refused": "Start the ssh server there, or give its port: ssh:{host}:PORT.",
    "Connection timed out": "Look at the network: the machine does not answer.",
    "No route to host": "Look at the network: the machine does not answer.",
}


class SshShell:
    """The shell of another machine; see :class:`edgemat.bench.devices.shell.Shell`.

    Files go through ``cat``: no shell over there then expands their names, as it does for scp's
    old protocol, and a small system without sftp will do.

    Parameters
    ----------
    destination:
        ``host``, ``user@host``, either with ``:port``, or a name from ssh_config.
    config:
        An ssh_config in place of the user's.

    Raises
    ------
    UsageError
        When the destination is none; ssh would take a leading ``-`` for an option.
    """

    transport = "ssh"
    base = 'echo "${XDG_CACHE_HOME:-$HOME/.cache}"'

    def __init__(self, destination: str, *, config: Path | None = None) -> None:
        parts = DESTINATION.fullmatch(destination)
        if parts is None or int(parts["port"] or 1) not in range(1, 65536):
            raise UsageError(
                f"{destination!r} is no machine for ssh.",
                remedy="Give ssh:HOST, ssh:USER@HOST or ssh:USER@HOST:PORT.",
            )
        self.host = (parts["user"] or "") + (parts["address"] or parts["host"])
        self.name = f"the machine {self.host!r}"
        self._options = [f"-o{key}={value}" for key, value in OPTIONS.items()]
        self._options += ["-p", parts["port"]] if parts["port"] else []
        self._options += ["-F", str(config)] if config else []

    def run(
        self,
        script: str,
        *arguments: str,
        timeout_s: float = ANSWER_S,
        on_line: Callable[[str], object] | None = None,
    ) -> Answer:
        """Run a script there; see :meth:`edgemat.bench.devices.shell.Shell.run`."""
        return self._ssh(remote_command(script, arguments), timeout_s=timeout_s, on_line=on_line)

    def push(self, source: Path, target: str) -> None:
        """Copy a file to the machine."""
        command = remote_command('cat >"$1"', [target])
        expect_success(self._ssh(command, timeout_s=COPY_S, stdin=source), self, "take a file")

    def pull(self, source: str, target: Path) -> None:
        """Copy a file from the machine."""
        command = remote_command('cat "$1"', [source])
        expect_success(self._ssh(command, timeout_s=COPY_S, stdout=target), self, "give a file")

    def _ssh(
        self,
        remote: str,
        *,
        timeout_s: float,
        stdin: Path | None = None,
        stdout: Path | None = None,
        on_line: Callable[[str], object] | None = None,
    ) -> Answer:
        command = [find_ssh(), "-T", *self._options, "--", self.host, remote]
        try:
            answer = call(
                command,
                timeout_s=timeout_s + CONNECT_S,
                stdin=stdin,
                stdout=stdout,
                on_line=on_line,
            )
        except TimeoutError as error:
            raise gone(self, "Look at the machine and the network.") from error
        if answer.code == FAILED:
            raise self._explained(answer)
        return answer

    def _explained(self, answer: Answer) -> MissingToolError:
        known = (remedy for reason, remedy in REASONS.items() if reason in answer.err)
        remedy = next(known, "Try by hand: ssh {host}")
        return MissingToolError(
            f"{capital(self.name)} cannot be reached: {answer.last_line.rstrip('.')}.",
            remedy=remedy.format(host=self.host),
        )


def find_ssh() -> str:
    """Return the path of OpenSSH's client.

    Raises
    ------
    MissingToolError
        When it is not installed.
    """
    return find_program(
        "ssh",
        "Measuring on another machine",
        "Install it (Debian, Ubuntu): apt-get install openssh-client",
    )


def open_ssh(destination: str, *, config: Path | None = None, cpu_mask: int = 0) -> PushedDevice:
    """Return a machine behind ssh; see :class:`SshShell` for the parameters and errors."""
    shell = SshShell(destination, config=config)
    return PushedDevice(shell, linux_facts, linux_condition, cpu_mask=cpu_mask)


SSH = Transport(
    name="ssh",
    address="HOST",
    address_needed=True,
    open=lambda destination, options: open_ssh(destination, cpu_mask=options.cpu_mask),
    list=lambda: [
        needing(
            "ssh:HOST",
            "any Linux machine that your ssh key opens",
            find_ssh,
            lambda: find_bundle(DEVICE_ARCHITECTURE),
        )
    ],
)
