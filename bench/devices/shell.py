"""A shell on another machine: what adb, ssh and whatever comes later have in common.

Data never becomes a part of a script. A script is a constant text of edgemat's; what varies (a
path, a name) reaches it as ``"$1"``, ``"$2"``, ... of one quoted command line, so that no name,
however odd, is ever read as a command.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from edgemat.errors import DiskError, EdgematError, MissingToolError

ANSWER_S = 30.0
"""Seconds within which a device answers a small question."""
COPY_S = 600.0
"""Seconds for one file: 100 MB over a slow network."""
DISK_FULL = re.compile(r"no space left on device|disk quota exceeded|file too large", re.IGNORECASE)
FILES = "edgemat"
"""The folder on a device under which everything lies that this project puts there."""


@dataclass(frozen=True)
class Answer:
    """The end of a command.

    Attributes
    ----------
    code:
        Its exit status; negative where a signal ended it here.
    out, err:
        What it printed.
    """

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """Return the last line of the errors, or of the output."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1].strip() if lines else f"exit status {self.code}"


class Shell(Protocol):
    """A POSIX shell on a device, and files to and from it.

    Attributes
    ----------
    name:
        The device in messages, such as ``"the phone emulator-5554"``.
    transport:
        The word for the way to it in results.
    base:
        A script that prints the folder in which the device lets us write and run programs.
    """

    transport: str
    name: str
    base: str

    def run(
        self,
        script: str,
        *arguments: str,
        timeout_s: float = ANSWER_S,
        on_line: Callable[[str], object] | None = None,
    ) -> Answer:
        """Run a script with ``"$1"``, ``"$2"``, ... and return how it ended.

        Parameters
        ----------
        timeout_s:
            Seconds without a line of output after which the device counts as gone.
        on_line:
            Called with each line of output as it comes.

        Raises
        ------
        MissingToolError
            When the device is not there, or goes away.
        """
        ...

    def push(self, source: Path, target: str) -> None:
        """Copy a file to the device.

        Raises
        ------
        MissingToolError
            When the device goes away.
        DiskError
            When its disk is full.
        """
        ...

    def pull(self, source: str, target: Path) -> None:
        """Copy a file from the device; raises as :meth:`push` does."""
        ...


def remote_command(script: str, arguments: Sequence[str]) -> str:
    """Return one line that runs a script with arguments in whatever shell reads the line."""
    return shlex.join(["sh", "-c", script, "sh", *arguments])


def call(
    command: Sequence[str],
    *,
    timeout_s: float,
    stdin: Path | None = None,
    stdout: Path | None = None,
    on_line: Callable[[str], object] | None = None,
) -> Answer:
    """Run a program of this machine and return how it ended.

    Parameters
    ----------
    timeout_s:
        Seconds without a line of output after which the program is killed.
    stdin, stdout:
        Files in place of nothing and of a text.

    Raises
    ------
    TimeoutError
        When it was killed.
    """
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(stdin.open("rb")) if stdin else subprocess.DEVNULL
        target = stack.enter_context(stdout.open("wb")) if stdout else subprocess.PIPE
        errors = stack.enter_context(tempfile.TemporaryFile())
        process = stack.enter_context(
            subprocess.Popen(command, stdin=source, stdout=target, stderr=errors)
        )
        try:
            out, late = _read(process, timeout_s, on_line)
        finally:
            process.kill()  # it has ended, or nobody waits for it any more
        if late:
            raise TimeoutError
        errors.seek(0)
        err = errors.read().decode(errors="replace")
    return Answer(process.returncode, out, err)


def _read(
    process: subprocess.Popen[bytes], timeout_s: float, on_line: Callable[[str], object] | None
) -> tuple[str, bool]:
    """Return all output, and whether the program was killed because it was silent."""
    heard, late = threading.Event(), threading.Event()

    def watch() -> None:
        while heard.wait(timeout_s):
            heard.clear()
            if process.poll() is not None:
                return
        if process.poll() is None:
            late.set()
            process.kill()

    watchdog = threading.Thread(target=watch, daemon=True)
    watchdog.start()
    lines = []
    for line in _lines(process.stdout):
        heard.set()
        lines.append(line)
        if on_line is not None:
            on_line(line.rstrip("\r\n"))
    process.wait()
    heard.set()
    return "".join(lines), late.is_set()


def _lines(stream: IO[bytes] | None) -> Iterator[str]:
    for line in stream or ():
        yield line.decode(errors="replace")


@contextlib.contextmanager
def working_folder(shell: Shell) -> Iterator[str]:
    """Give a fresh folder on the device, and remove it with what still runs there.

    Raises
    ------
    MissingToolError
        When the device is not there, or lets us write nowhere.
    DiskError
        When its disk is full.
    """
    make = (
        f'd=$({shell.base})/{FILES} && mkdir -p "$d" && cd "$(mktemp -d "$d/run-XXXXXXXX")" '
        "&& pwd -P"
    )
    answer = shell.run(make)
    folder = (answer.out.splitlines() or [""])[-1]  # a login script may have printed lines before
    if answer.code != 0 or f"/{FILES}/run-" not in folder:
        raise explain(answer, shell, "make a folder")
    try:
        yield folder
    finally:
        # A runner that outlived its connection is ended: the process that noted its number there
        # and still works there, for the number may be another's by now.
        end = (
            'p=$(cat "$1/pid" 2>/dev/null) && [ "$(readlink "/proc/$p/cwd")" = "$1" ] && '
            'kill "$p"; rm -rf "$1"'
        )
        with contextlib.suppress(EdgematError):  # a device that is gone cannot be tidied up
            shell.run(end, folder)


def explain(answer: Answer, shell: Shell, what: str) -> EdgematError:
    """Return the error of a command that failed on a device that is still there."""
    if DISK_FULL.search(answer.err) or DISK_FULL.search(answer.out):
        return DiskError(
            f"The disk of {shell.name} is full.",
            remedy="Free some space there, then run the same command again.",
        )
    return MissingToolError(
        f"{capital(shell.name)} cannot {what}: {answer.last_line.rstrip('.')}.",
        remedy="Look at the device, then run the same command again.",
    )


def expect_success(answer: Answer, shell: Shell, what: str) -> None:
    """Raise the error of :func:`explain` when a command failed."""
    if answer.code != 0:
        raise explain(answer, shell, what)


def gone(shell: Shell, remedy: str) -> MissingToolError:
    """Return the error of a device that answers no more."""
    return MissingToolError(f"{capital(shell.name)} does not answer any more.", remedy=remedy)


def find_program(name: str, purpose: str, remedy: str) -> str:
    """Return the path of a program of this machine.

    Parameters
    ----------
    purpose:
        What needs it, as the beginning of a sentence.

    Raises
    ------
    MissingToolError
        When it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingToolError(f"{purpose} needs {name}, which is not installed.", remedy=remedy)
    return found


def capital(text: str) -> str:
    """Return a text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]
