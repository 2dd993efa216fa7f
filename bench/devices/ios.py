"""An iPhone: the demo app measures on it, and a Mac starts the app and fetches its file.

``xcrun devicectl``, which comes with Xcode, is the way to a phone on a cable or in the network. On
other systems the app is started by hand; it shares the same file, for ``edgemat bench import``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemat.bench.devices.device import Request, check_delegate, result_of
from edgemat.bench.devices.transport import Attached, Transport, missing
from edgemat.bench.result import Result, read_results
from edgemat.callbacks import Progress
from edgemat.errors import MissingToolError, UsageError
from edgemat.files import sha256_tree

BUNDLE = "org.edgemat.MattingDemo"
RESULT = "Documents/benchmark.json"
DELEGATES = ("npu", "gpu", "cpu", "all")
BY_HAND = "Run the benchmark in the app, share its file, then: edgemat bench import RESULT.json"
CONNECT = "Plug the phone in, unlock it, trust this Mac, and switch on its developer mode."
REBUILD = (
    "Run: edgemat export MODEL --to ios_demo; then build the app again, and measure "
    "ios_demo/Models/NAME.mlpackage."
)
ANSWER_S = 60.0
COMPLAINT = "edgemat: "
"""The beginning of the line on the app's console that says why it measured nothing."""


@dataclass(frozen=True)
class IPhone:
    """A device as devicectl lists it.

    Attributes
    ----------
    identifier:
        Names the phone towards devicectl.
    """

    identifier: str
    name: str
    ready: bool


class IosDevice:
    """One iPhone with the demo app on it."""

    def __init__(self, phone: IPhone) -> None:
        self.phone = phone

    def measure(self, request: Request, *, progress: Progress | None = None) -> list[Result]:
        """Start the app's benchmark, wait for it, and fetch the results of the request's models.

        The app measures all models that it was built with, in turns; Core ML chooses the threads.
        See :class:`edgemat.bench.devices.device.Device`.

        Raises
        ------
        MissingToolError
            When the phone goes away, or has not got the app.
        UsageError
            When the app has not got a model of the request, or an iPhone has no such delegate.
        """
        check_delegate(request, DELEGATES, "An iPhone")
        for model in request.models:  # else said after minutes
            if not model.path.is_dir():
                raise UsageError(
                    f"{model.path} is no .mlpackage.",
                    remedy="Measure ios_demo/Models/NAME.mlpackage, which the app was built with.",
                )
        settings = {"delegate": request.delegate, "protocol": request.protocol.to_json()}
        # With a console, devicectl returns when the app has ended: after minutes, or when somebody
        # ends the app on the phone.
        launched = self._call(
            "process", "launch", "--terminate-existing", "--console",
            BUNDLE, "--benchmark", json.dumps(settings), timeout_s=None,
        )  # fmt: skip
        for line in launched.stdout.splitlines():
            if line.startswith(COMPLAINT):
                raise UsageError(
                    f"The app on {self.phone.name!r} did not measure.",
                    remedy=line.removeprefix(COMPLAINT),
                )
        self._expect_success(launched)
        results = self.fetch()
        if progress is not None:
            progress(1, 1)
        return [
            result_of(
                model,
                sha256_tree(model.path),
                results,
                where=f"The app on {self.phone.name!r}",
                remedy=REBUILD,
            )
            for model in request.models
        ]

    def fetch(self) -> list[Result]:
        """Return what the app measured last.

        Raises
        ------
        MissingToolError
            When the phone is gone, or the app has not measured yet.
        """
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "benchmark.json"
            copied = self._call(
                "copy", "from", "--domain-type", "appDataContainer",
                "--domain-identifier", BUNDLE, "--source", RESULT, "--destination", str(target),
            )  # fmt: skip
            self._expect_success(copied)
            return read_results(target)

    def _call(
        self, *words: str, timeout_s: float | None = ANSWER_S
    ) -> subprocess.CompletedProcess[str]:
        where = ["device", *words[:2], "--device", self.phone.identifier, *words[2:]]
        return _call(where, timeout_s=timeout_s)

    def _expect_success(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode != 0:
            raise MissingToolError(
                f"The iPhone {self.phone.name!r} did not do it: {_reason(done)}.",
                remedy=f"{CONNECT} Is the demo app on it? Or: {BY_HAND}",
            )


def open_ios(identifier: str = "") -> IosDevice:
    """Return the iPhone of that identifier or name, or the only one that is connected.

    Raises
    ------
    MissingToolError
        When this is no Mac with Xcode, or the phone is not connected.
    UsageError
        When several phones are connected and none was named.
    """
    found = [phone for phone in phones() if phone.ready]
    if identifier:
        found = [phone for phone in found if identifier in (phone.identifier, phone.name)]
    if not found:
        raise MissingToolError(
            f"No iPhone {identifier!r} is connected." if identifier else "No iPhone is connected.",
            remedy=CONNECT,
        )
    if len(found) > 1:
        raise UsageError(
            "Several iPhones are connected.",
            remedy="Write one of " + ", ".join(f"--device ios:{one.identifier}" for one in found),
        )
    return IosDevice(found[0])


def phones() -> list[IPhone]:
    """Return the iPhones that this Mac knows.

    Raises
    ------
    MissingToolError
        When this is no Mac with Xcode, or its devicectl does not answer as it should.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "devices.json"
        done = _call(["list", "devices", "--json-output", str(path)], timeout_s=ANSWER_S)
        if done.returncode != 0:
            raise MissingToolError(
                f"devicectl lists no devices: {_reason(done)}.",
                remedy=f"Open Xcode once, so that it installs its tools. Or: {BY_HAND}",
            )
        try:
            listed = json.loads(path.read_text(encoding="utf-8"))["result"]["devices"]
            return [
                _phone(one) for one in listed if _section(one, "hardware").get("platform") == "iOS"
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MissingToolError(
                "devicectl's list of devices cannot be read.",
                remedy=f"Install a newer Xcode. Or: {BY_HAND}",
            ) from error


def _phone(listed: Mapping[str, Any]) -> IPhone:
    return IPhone(
        identifier=listed["identifier"],
        name=_section(listed, "device").get("name") or listed["identifier"],
        # A phone that was connected once stays in the list.
        ready=_section(listed, "connection").get("tunnelState") != "unavailable",
    )


def _section(listed: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section: Mapping[str, Any] = listed[f"{name}Properties"]
    return section


def _call(words: Sequence[str], *, timeout_s: float | None) -> subprocess.CompletedProcess[str]:
    if shutil.which("xcrun") is None:
        raise MissingToolError(
            "An iPhone is measured from a Mac with Xcode, which this machine is not.",
            remedy=BY_HAND,
        )
    try:
        return subprocess.run(
            ["xcrun", "devicectl", *words],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingToolError(
            f"devicectl has not answered for {timeout_s:g} s.", remedy=CONNECT
        ) from error


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else f"exit status {done.returncode}"


def _list() -> list[Attached]:
    try:
        found = phones()
    except MissingToolError as error:
        return [missing("ios", error)]
    if not found:
        return [Attached("ios", False, "no iPhone is there", CONNECT)]
    return [
        Attached(f"ios:{phone.identifier}", phone.ready, phone.name, "" if phone.ready else CONNECT)
        for phone in found
    ]


IOS = Transport(
    name="ios",
    address="IDENTIFIER",
    open=lambda identifier, _: open_ios(identifier),
    list=_list,
    runtime="coreml",
    default_delegate="npu",
)
