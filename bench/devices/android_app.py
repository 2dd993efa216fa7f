"""The demo app on an Android phone: adb starts its benchmark and fetches its file.

The app measures with LiteRT as apps have it, inside Android's own process; ``--device adb`` pushes
edgemat's runner instead. Both write the same results.
"""

from __future__ import annotations

import json
import time

from edgemat.bench.devices.adb import AdbShell, find_phone, phones
from edgemat.bench.devices.device import Request, check_delegate, result_of
from edgemat.bench.devices.shell import expect_success
from edgemat.bench.devices.transport import Attached, Transport, missing
from edgemat.bench.result import Result, parse_results
from edgemat.callbacks import Progress
from edgemat.errors import EdgematError, MissingToolError, UsageError
from edgemat.files import sha256_file

PACKAGE = "dev.edgemat.demo"
ACTIVITY = f"{PACKAGE}/.benchmark.BenchmarkActivity"
FOLDER = f"/sdcard/Android/data/{PACKAGE}/files"
DELEGATES = ("xnnpack", "gpu")
BUILD = "Run: edgemat export MODEL --to android_demo; then build and install the app again."
PAUSE_S = 2.0
"""Between two looks at whether the app has finished; looking costs the phone hardly anything."""

_START = (
    'rm -f "$1/results.json" "$1/error.txt"; '
    'am start -S -W -n "$2" --es models "$3" --es delegate "$4" --ei threads "$5" '
    '--es protocol "$6"'
)
# The first word says how it stands.
_LOOK = (
    'if [ -f "$1/results.json" ]; then echo done; cat "$1/results.json"; '
    'elif [ -f "$1/error.txt" ]; then echo failed; cat "$1/error.txt"; '
    'elif pidof "$2" >/dev/null; then echo running; else echo gone; fi'
)


class AppDevice:
    """A phone with the demo app on it."""

    folder = FOLDER

    def __init__(self, shell: AdbShell, *, pause_s: float = PAUSE_S) -> None:
        self.shell = shell
        self._pause_s = pause_s

    def installed(self) -> bool:
        """Return whether the phone has the app.

        Raises
        ------
        MissingToolError
            When the phone has gone away.
        """
        return self.shell.run('pm path "$1"', PACKAGE).code == 0

    def measure(self, request: Request, *, progress: Progress | None = None) -> list[Result]:
        """Start the app's benchmark with each number of threads, and fetch its results.

        See :class:`edgemat.bench.devices.device.Device`.

        Raises
        ------
        MissingToolError
            When the phone goes away, or has not got the app, or Android ended the app.
        UsageError
            When the app has not got a model of the request, or cannot do what is asked.
        """
        check_delegate(request, DELEGATES, "The app")
        if request.profile:
            raise UsageError(
                "The app tells no operator's time.", remedy="Use --device adb, or no profile."
            )
        results: list[Result] = []
        for turn, threads in enumerate(request.threads, start=1):
            found = self._run(request, threads)
            results += [
                result_of(
                    model,
                    sha256_file(model.path),
                    found,
                    where=f"The app on {self.shell.name}",
                    remedy=BUILD,
                )
                for model in request.models
            ]
            if progress is not None:
                progress(turn, len(request.threads))
        return results

    def _run(self, request: Request, threads: int) -> list[Result]:
        digests = ",".join(sha256_file(model.path) for model in request.models)
        protocol = json.dumps(request.protocol.to_json())
        started = self.shell.run(
            _START, self.folder, ACTIVITY, digests, request.delegate, str(threads), protocol
        )
        expect_success(started, self.shell, "start the app")
        if "Error" in started.out + started.err:  # am's exit status does not tell
            raise MissingToolError(f"The demo app is not on {self.shell.name}.", remedy=BUILD)
        return self._wait()

    def _wait(self) -> list[Result]:
        while True:
            time.sleep(self._pause_s)
            answer = self.shell.run(_LOOK, self.folder, PACKAGE)
            expect_success(answer, self.shell, "look for the app's results")
            state, _, text = answer.out.partition("\n")
            if state.strip() == "done":
                return parse_results(text, f"the app on {self.shell.name}")
            if state.strip() == "failed":
                raise UsageError(f"The app says: {text.strip()}", remedy=BUILD)
            if state.strip() == "gone":
                raise MissingToolError(
                    f"The app on {self.shell.name} ended before it had measured.",
                    remedy="Keep the phone unlocked and the app in front, and try again.",
                )


def open_app(serial: str = "") -> AppDevice:
    """Return an Android phone's demo app; see :func:`edgemat.bench.devices.adb.find_phone`."""
    return AppDevice(AdbShell(find_phone(serial).serial))


def _list() -> list[Attached]:
    try:
        return [_attached(phone.serial) for phone in phones() if phone.ready]
    except MissingToolError:
        return []  # said once, of the phones themselves


def _attached(serial: str) -> Attached:
    spec = f"adb-app:{serial}"
    try:
        there = open_app(serial).installed()
    except EdgematError as error:  # it was there a moment ago
        return missing(spec, error)
    state = "the demo app on it" if there else "the demo app is not on it"
    return Attached(spec, there, state, "" if there else BUILD)


ADB_APP = Transport(
    name="adb-app",
    address="SERIAL",
    open=lambda serial, _: open_app(serial),
    list=_list,
    noted_as="android",  # by the app itself
)
