"""A headless Chromium that a test drives, by its own protocol (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

WAIT_S = 60
SEEN = "[location.href, document.body?.dataset.state, document.body?.innerText.slice(0, 500)]"


class Navigated(Exception):
    """The page was left for another while it was asked."""


class Page:
    """One open page."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._number = socket, 0
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "DOM", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; errors of the page are kept meanwhile."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=WAIT_S))
            if message.get("id") == self._number:
                if "navigated" in message.get("error", {}).get("message", ""):
                    raise Navigated(method)
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"]))
            if message.get("method") == "Log.entryAdded":
                entry = message["params"]["entry"]
                if entry["level"] == "error":
                    self.errors.append(entry["text"])

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, awaited."""
        found = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, expression: str, *, within_s: float = WAIT_S) -> None:
        """Wait until an expression is true, across navigations."""
        until = time.monotonic() + within_s
        while not self._holds(expression):
            assert time.monotonic() < until, f"{expression} stays false: {self.evaluate(SEEN)}"
            time.sleep(0.1)

    def _holds(self, expression: str) -> bool:
        try:
            return bool(self.evaluate(expression))
        except Navigated:
            return False

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Choose files in a file input, as a user does."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def screenshot(self, path: Path) -> Path:
        """Save what is to be seen."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))
        return path


@contextlib.contextmanager
def open_page(url: str, profile: Path, *flags: str) -> Iterator[Page]:
    """Open an address in Chromium; skips the test where that, or websockets, is not installed."""
    client = pytest.importorskip("websockets.sync.client")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs chromium: apt-get install chromium")
    command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "--window-size=1100,900"]
    process = subprocess.Popen(
        [*command, *flags, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port = _port(profile)
        with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=WAIT_S) as answer:
            (target, *_) = [one for one in json.load(answer) if one["type"] == "page"]
        address = target["webSocketDebuggerUrl"]
        with client.connect(address, max_size=1 << 28, proxy=None) as socket:
            page = Page(socket)
            page.send("Page.navigate", url=url)
            yield page
    finally:
        process.kill()
        process.wait()


def _port(profile: Path) -> int:
    note, until = profile / "DevToolsActivePort", time.monotonic() + WAIT_S
    while not (note.is_file() and len(note.read_text().splitlines()) == 2):
        assert time.monotonic() < until, "Chromium does not start"
        time.sleep(0.05)
    return int(note.read_text().splitlines()[0])
