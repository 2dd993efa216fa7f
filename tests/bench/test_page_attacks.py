"""What strangers and broken pages may send to the page's server: each gets its answer, and the
terminal of the measurement shows nothing of it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_tflite import write_matte_model

from edgemat.bench.devices.browser.device import BrowserDevice, _certificate
from edgemat.bench.devices.browser.server import TOKEN_HEADER, PageServer, Site
from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.protocol import Protocol
from edgemat.bench.result import MAX_SAMPLES, Result

SIDE = 32
NAMES = ("one", "two")


@pytest.fixture(autouse=True)
def quiet(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    time.sleep(0.1)  # the server's threads end
    said = capfd.readouterr().err.splitlines()
    assert [line for line in said if not line.startswith("INFO: ")] == []  # LiteRT's own


# Without a token


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    site = Site(tmp_path, {"job": lambda: b"{}"}, {"result": lambda body: {}})
    site.request_timeout_s = 1.0
    with PageServer(site, listen="127.0.0.1") as running:
        yield running


def send(port: int, content: bytes, *, pause: float = 0.0) -> bytes:
    """Send bytes, one at a time with a `pause`; return the answer until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        pieces = [content] if not pause else [content[n : n + 1] for n in range(len(content))]
        with contextlib.suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            if not pause:
                connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /" + b"a" * 60_000 + b" HTTP/1.1", 404),
        (b"GET /" + b"a" * 60_000 + b".js HTTP/1.1", 404),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1", 414),
        (b"GET /\xff\xfe.js HTTP/1.1", 404),
        (b"GET / HTTP/" + b"9" * 5000 + b".1", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"HEAD / HTTP/1.1", 501),
        (b"nonsense", 400),
    ],
)
def test_requests_that_make_no_sense(server: PageServer, line: bytes, status: int) -> None:
    host = f"Host: 127.0.0.1:{server.port}".encode()
    answer = send(server.port, line + b"\r\n" + host + b"\r\nConnection: close\r\n\r\n")
    assert str(status).encode() in answer[:400]


@pytest.mark.parametrize(
    ("length", "status"),
    [("9" * 5000, 413), ("9" * 13, 413), ("-1", 411), ("0x10", 411), ("", 411), ("²", 411)],
)
def test_lengths_that_make_no_sense(server: PageServer, length: str, status: int) -> None:
    head = f"POST /result HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    head += f"{TOKEN_HEADER}: {server.site.token}\r\nContent-Length: {length}\r\n\r\n"
    assert send(server.port, head.encode("latin-1")).startswith(f"HTTP/1.1 {status}".encode())


@pytest.mark.parametrize("what", ["head", "body"])
def test_a_byte_now_and_then_does_not_hold_a_connection(server: PageServer, what: str) -> None:
    head = f"POST /result HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    head += f"{TOKEN_HEADER}: {server.site.token}\r\nContent-Length: 1000\r\n\r\n"
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        if what == "body":
            connection.sendall(head.encode())
        with contextlib.suppress(OSError):
            for _ in range(100):
                connection.sendall(b"a")
                time.sleep(0.1)
    assert time.monotonic() - started < 5.0


def test_a_handshake_that_fails_is_nobodys_business(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    site = Site(tmp_path, {}, {})
    with (
        _certificate("127.0.0.1", True) as certificate,
        PageServer(site, listen="127.0.0.1", certificate=certificate) as server,
    ):
        send(server.port, b"GET / HTTP/1.1\r\n\r\n")
        send(server.port, b"\x16\x03\x01\xff\xff" + b"\0" * 100)
        socket.create_connection(("127.0.0.1", server.port)).close()


# With the token: a broken page


@dataclass
class Page:
    """A client in the place of the page."""

    port: int
    token: str
    results: list[Result] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body or None, {TOKEN_HEADER: self.token})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def post(self, **changes: Any) -> tuple[int, str]:
        return self.ask("POST", "/result", json.dumps(posted(**changes)).encode())


def posted(**changes: Any) -> dict[str, Any]:
    """Return a right result of the first turn, but for `changes`."""
    noted = {"warmup_runs": 100, "samples_ms": [1.0, 1.1, 1.0], "init_ms": 1.0, "first_ms": 2.0}
    alpha = base64.b64encode(np.zeros(SIDE * SIDE, "<f4").tobytes()).decode()
    return {
        "turn": 0,
        "recordings": {name: noted | {"whole": True} for name in NAMES},
        "alphas": dict.fromkeys(NAMES, alpha),
        "before": {},
        "after": {},
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0",
        "platform": "Linux\x1b[31m",
        "cores": 2,
    } | changes


def noted(**changes: Any) -> dict[str, Any]:
    return {name: posted()["recordings"][name] | changes for name in NAMES}


def alphas(values: Any) -> dict[str, str]:
    text = base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()
    return dict.fromkeys(NAMES, text)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Begin a measurement of two turns; at the end it must give its results."""
    monkeypatch.setattr("edgemat.bench.devices.browser.device.find_litert", lambda: tmp_path)
    models = [
        BenchModel(name, write_matte_model(tmp_path / f"{name}.tflite", size=SIDE))
        for name in NAMES
    ]
    for model in models:
        assert model.golden.alpha.size == SIDE * SIDE
    said: list[str] = []
    device = BrowserDevice(said.append, opening_s=30, silence_s=30)
    request = Request(models, threads=(1, 2), protocol=Protocol(runs=2, seconds=0))
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.extend(device.measure(request)))
    thread.start()
    while len(said) < 2:
        time.sleep(0.01)
    found = re.search(r":(\d+)/#token=(\S+)", said[1])
    assert found is not None
    page = Page(int(found[1]), found[2], results)
    yield page
    if thread.is_alive():
        for turn in (0, 1):
            page.post(turn=turn)
    thread.join(timeout=10)
    assert len(results) == 4, "the attack did not end the measurement"
    assert results[0].circumstances.device == "Linux [31m"


@pytest.mark.parametrize(
    "changes",
    [
        {"alphas": {"one": ""}},
        {"alphas": {"one": "", "three": ""}},
        {"recordings": noted() | {"three": noted()["one"]}},
        {"recordings": {}},
        {"alphas": alphas(np.zeros(7))},
        {"alphas": alphas(np.zeros(0))},
        {"alphas": alphas(np.full(SIDE * SIDE, np.nan))},
        {"alphas": dict.fromkeys(NAMES, "abc")},
        {"alphas": dict.fromkeys(NAMES, "é")},
        {"recordings": noted(samples_ms=[0.0])},
        {"recordings": noted(samples_ms=[-1.0])},
        {"recordings": noted(samples_ms=[1e308, 1e308])},
        {"recordings": noted(sustained_ms=[0.0])},
        {"recordings": noted(warmup_runs=10**4000)},
        {"recordings": noted(init_ms=None)},
        {"turn": 1},
        {"turn": -1},
        {"turn": 10**4000},
        {"cores": 0},
        {"user_agent": "x" * 100_000},
        {"before": {"battery_level": 7}},
        {"more": 1},
    ],
)
def test_results_that_make_no_sense_are_refused(page: Page, changes: dict[str, Any]) -> None:
    status, text = page.post(**changes)
    assert status == 400 and 0 < len(text) < 1000


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b"{" * 100_000, b"9" * 6000]
)
@pytest.mark.parametrize("path", ["/result", "/progress"])
def test_bodies_that_make_no_sense_are_refused(page: Page, path: str, body: bytes) -> None:
    assert page.ask("POST", path, body)[0] in (400, 411)


def test_a_flood_of_samples_is_refused_at_once(page: Page) -> None:
    started = time.monotonic()
    many = b"1," * 7_000_000
    head, tail = json.dumps(posted()).encode().split(b"1.0, 1.1, 1.0", 1)
    assert page.ask("POST", "/result", head + many + b"1" + tail)[0] == 400
    with contextlib.suppress(ConnectionError):  # refused before all of it was sent
        assert page.ask("POST", "/result", b"1," * 31_000_000)[0] == 413
    assert time.monotonic() - started < 5.0
    assert MAX_SAMPLES < 7_000_000


def test_a_turn_is_taken_once_however_many_post_it(page: Page) -> None:
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(page.post()[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [400] * 7


def test_after_the_last_turn_there_is_no_job(page: Page) -> None:
    assert json.loads(page.ask("GET", "/job")[1])["turn"] == 0
    assert [page.post(turn=turn)[0] for turn in (0, 1)] == [200, 200]
    assert page.ask("GET", "/job")[0] in (400, 403)
    assert page.post(turn=2)[0] in (400, 403)
