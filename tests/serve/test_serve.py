"""`edgemat serve`: a real server, asked by programs and by strangers; nothing reaches the disk."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from toy_artifacts import write_portrait_model

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

from edgemat.errors import UsageError
from edgemat.matting.cutting import Cutter
from edgemat.matting.finish import Finish
from edgemat.serve.desk import Desk, Limits, TooLong
from edgemat.serve.hosts import Hosts
from edgemat.serve.run import make_server, serve

LIMITS = Limits(bytes=200_000, pixels=500_000, seconds=20, upload_seconds=1)


def photo(size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """A photograph whose red, and so whose matte, goes from 0 to 1."""
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    pixels[..., 0] = np.linspace(0, 255, size[0])
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def cutters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cutter]:
    path = write_portrait_model(tmp_path_factory.mktemp("model") / "portrait.tflite")
    return {name: Cutter(path, Finish()) for name in ("int8", "float")}


@pytest.fixture(scope="module")
def port(cutters: dict[str, Cutter]) -> Iterator[int]:
    with running(Desk(cutters, LIMITS)) as found:
        yield found


class running:
    """A server in a thread, from ``with`` to its end."""

    def __init__(self, desk: Desk) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.server, _ = make_server(desk, "127.0.0.1", self.listener)
        self.thread = threading.Thread(
            target=lambda: self.server.run(sockets=[self.listener]), daemon=True
        )

    def __enter__(self) -> int:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return int(self.listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.listener.close()


def ask(
    port: int, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_photograph_comes_back_cut_out(port: int, kind: str) -> None:
    status, content, answer = ask(port, "POST", "/matte", photo(kind=kind))
    assert status == 200 and answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Server-Timing"].startswith("matte;dur=")
    picture = Image.open(io.BytesIO(content))
    assert (picture.mode, picture.size) == ("RGBA", (64, 48))
    alpha = np.array(picture)[24, :, 3] / 255
    np.testing.assert_allclose(alpha, np.linspace(0, 1, 64), atol=0.05)


def test_or_its_mask_by_either_model(port: int) -> None:
    for model in ("int8", "float"):
        status, content, _ = ask(port, "POST", f"/matte?output=mask&model={model}", photo())
        assert status == 200 and Image.open(io.BytesIO(content)).mode == "L"


def test_the_page_knows_models_and_limits(port: int) -> None:
    status, content, answer = ask(port, "GET", "/")
    assert status == 200 and b"Cut a photograph out" in content
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe-inline" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    about = json.loads(ask(port, "GET", "/about")[1])
    assert list(about["models"]) == ["int8", "float"] and about["max_bytes"] == LIMITS.bytes


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/matte", b"no picture", 400, "is not an image"),
        ("/matte", photo((20, 20)), 400, "at least 32 px"),
        ("/matte", photo()[:90], 400, "not an image"),
        ("/matte?model=../../etc/passwd", photo(), 400, "There is no model"),
        ("/matte?output=/etc/x", photo(), 400, "There is no output"),
        ("/matte", photo((1000, 600)), 413, "0.5 megapixels"),
        ("/matte", bytes(LIMITS.bytes + 1), 413, "0.2 MB"),
    ],
)
def test_what_is_wrong_is_said(port: int, path: str, body: bytes, status: int, said: str) -> None:
    found, content, _ = ask(port, "POST", path, body)
    told = json.loads(content)
    assert found == status and said in told["error"] and told["remedy"]


def test_a_length_that_lies_is_noticed(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = (
            f"POST /matte HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode())
        piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        for _ in range(4):
            connection.sendall(piece)
        assert b" 413 " in connection.recv(4096)


def test_who_sends_slowly_is_sent_away_and_keeps_nobody_waiting(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = f"POST /matte HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b"x")
        assert ask(port, "POST", "/matte", photo())[0] == 200
        assert b" 408 " in connection.recv(4096)


def test_who_says_nothing_is_hung_up_on(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even byte by byte, and after an answer: else some of them would keep everybody out."""
    monkeypatch.setattr("edgemat.serve.connections.HEAD_S", 0.5)
    address = ("127.0.0.1", port)
    with (
        socket.create_connection(address, timeout=5) as silent,
        socket.create_connection(address, timeout=5) as slow,
        socket.create_connection(address, timeout=5) as answered,
    ):
        answered.sendall(f"GET /about HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        for byte in b"GET ":
            slow.sendall(bytes([byte]))
            answered.sendall(bytes([byte]))
            time.sleep(0.05)
        said = [connection.makefile("rb").read() for connection in (silent, slow, answered)]
        assert said[:2] == [b"", b""] and said[2].startswith(b"HTTP/1.1 200 ")
    assert ask(port, "POST", "/matte", photo())[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../app.py", "/page/index.html", "/%2e%2e/app.py", "//etc/passwd", "/etc/passwd",
        "/index.html%00.js", "/INDEX.HTML", "/page.js/", "/.env", "/matte/../app.py",
    ],
)  # fmt: skip
def test_nothing_else_is_served(port: int, path: str) -> None:
    assert ask(port, "GET", path)[0] in (404, 405, 307)
    assert b"starlette" not in ask(port, "GET", path)[1]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", ""])
def test_another_host_is_refused(port: int, host: str) -> None:
    """A page of someone else whose name was pointed at this machine: DNS rebinding."""
    for method, path in (("GET", "/"), ("GET", "/about"), ("POST", "/matte")):
        assert ask(port, method, path, photo(), Host=host)[0] in (400, 421)


def test_another_sites_page_is_refused(port: int) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert ask(port, "POST", "/matte", photo(), **headers)[0] == 403
    own = {"Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}
    assert ask(port, "POST", "/matte", photo(), **own)[0] == 200


@pytest.mark.parametrize(
    ("listen", "port", "host", "is_ours"),
    [
        ("127.0.0.1", 80, "127.0.0.1", True),  # browsers leave the port out
        ("127.0.0.1", 80, "localhost", True),
        ("127.0.0.1", 8000, "127.0.0.2:8000", False),
        ("127.0.0.1", 8000, "localhost:8000", True),
        ("127.0.0.1", 8000, "localhost:8001", False),
        ("127.0.0.1", 8000, "evil.example@localhost:8000", False),
        ("::1", 8000, "[::1]:8000", True),
        ("Box.lan", 8000, "box.lan:8000", True),
        ("0.0.0.0", 8000, "192.168.1.5:8000", True),
        ("0.0.0.0", 8000, "localhost:9000", True),  # a container's port, seen from outside
        ("::", 8000, "[fe80::1]:8000", True),
        ("0.0.0.0", 8000, "evil.example:8000", False),
        ("0.0.0.0", 8000, "192.168.1.5.evil.example:8000", False),
        ("0.0.0.0", 8000, "", False),
        ("0.0.0.0", 8000, "localhost:x", False),
        ("0.0.0.0", 8000, "[", False),
    ],
)
def test_who_may_be_asked_for(listen: str, port: int, host: str, is_ours: bool) -> None:
    assert (host in Hosts(listen, port)) is is_ours


class SlowCutter(Cutter):
    """Waits until it is let go."""

    def __init__(self, cutter: Cutter) -> None:
        self.go = threading.Event()
        self.begun = 0
        self._cutter = cutter

    @property
    def name(self) -> str:
        return "slow"

    def alpha(self, *arguments: Any) -> Any:
        self.begun += 1
        assert self.go.wait(20)
        return self._cutter.alpha(*arguments)


def test_some_wait_and_the_rest_is_sent_away(cutters: dict[str, Cutter]) -> None:
    slow = SlowCutter(cutters["int8"])
    limits = replace(LIMITS, at_once=1, waiting=1)
    statuses: list[int] = []
    with running(Desk({"slow": slow}, limits)) as port:
        first = [
            threading.Thread(
                target=lambda: statuses.append(ask(port, "POST", "/matte", photo())[0])
            )
            for _ in range(2)
        ]
        for thread in first:
            thread.start()
            time.sleep(0.3)
        status, content, answer = ask(port, "POST", "/matte", photo())
        assert status == 503 and answer.headers["Retry-After"] and b"waiting" in content
        assert slow.begun == 1
        assert ask(port, "GET", "/about")[0] == 200, "who only looks is not kept waiting"
        slow.go.set()
        for thread in first:
            thread.join(20)
        assert statuses == [200, 200]
        assert ask(port, "POST", "/matte", photo())[0] == 200


def test_what_takes_too_long_is_given_up_but_counts_until_it_ends(
    cutters: dict[str, Cutter],
) -> None:
    slow = SlowCutter(cutters["int8"])
    desk = Desk({"slow": slow}, replace(LIMITS, seconds=0.2, waiting=0))

    async def use() -> None:
        with pytest.raises(TooLong, match=r"more than 0\.2 s"):
            await desk.cut_out(photo(), model="slow", output="mask")
        with pytest.raises(Exception, match="waiting"):
            await desk.cut_out(photo(), model="slow", output="mask")
        slow.go.set()
        await asyncio.sleep(1)
        desk.limits = LIMITS
        assert (await desk.cut_out(photo(), model="slow", output="mask"))[:4] == b"\x89PNG"

    asyncio.run(use())


def test_what_nobody_waits_for_is_not_begun(cutters: dict[str, Cutter]) -> None:
    slow = SlowCutter(cutters["int8"])
    desk = Desk({"slow": slow}, replace(LIMITS, seconds=0.2, waiting=2))

    async def use() -> None:
        late = [desk.cut_out(photo(), model="slow", output="mask") for _ in range(3)]
        answers = await asyncio.gather(*late, return_exceptions=True)
        assert [type(answer) for answer in answers] == [TooLong] * 3
        slow.go.set()
        desk.limits = LIMITS
        assert (await desk.cut_out(photo(), model="slow", output="mask"))[:4] == b"\x89PNG"
        assert slow.begun == 2, "the first, which ran already, and the last"

    asyncio.run(use())


def test_nothing_is_written(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            opened.append(str(arguments[0]))

    import sys

    sys.addaudithook(watch)
    assert ask(port, "POST", "/matte", photo())[0] == 200
    assert ask(port, "POST", "/matte", bytes(150_000))[0] == 400
    assert opened == []


def test_a_port_that_is_taken_is_a_sentence(cutters: dict[str, Cutter]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"):
            serve(Desk(cutters, LIMITS), listen="127.0.0.1", port=port)
    with pytest.raises(UsageError, match=r"203\.0\.113\.7"):
        serve(Desk(cutters, LIMITS), listen="203.0.113.7", port=0)
