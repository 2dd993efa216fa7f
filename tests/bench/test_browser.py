"""A browser as a device: real headless Chromium, and a server that gives and takes nothing else."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_tflite import write_matte_model, write_mixed_model

from edgemat.bench.devices.browser.device import BrowserDevice, browser_name
from edgemat.bench.devices.browser.litert_js import find_litert
from edgemat.bench.devices.browser.server import (
    MAX_POST_BYTES,
    PAGE,
    TOKEN_HEADER,
    PageServer,
    Site,
)
from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.transports import open_device
from edgemat.bench.protocol import Protocol, schedule
from edgemat.errors import MissingToolError, UsageError

SHORT = Protocol(warmup_runs=1, warmup_seconds=0.0, runs=20, seconds=0.02, blocks=4)
WEIGHTS = Path(__file__).parents[2] / "edgemat" / "weights"


# --- the page in a real browser ------------------------------------------------------------------


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Callable[[str], object]]:
    """Open the address that the device says, in Chromium; skips without it or LiteRT.js."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs chromium: apt-get install chromium")
    try:
        find_litert()
    except MissingToolError as error:
        pytest.skip(str(error))
    opened: list[subprocess.Popen[bytes]] = []

    def say(text: str) -> None:
        found = re.search(r"https?://\S+", text)
        if found is not None:
            flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
            flags += [f"--user-data-dir={tmp_path / 'profile'}", "--ignore-certificate-errors"]
            opened.append(
                subprocess.Popen(
                    [program, *flags, found[0]],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )

    say.opened = opened  # type: ignore[attr-defined]
    yield say
    for process in opened:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True])
def test_chromium_measures_with_one_thread_and_with_two(
    chromium: Callable[[str], object], tmp_path: Path, tls: bool
) -> None:
    if tls and shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    models = [
        BenchModel("matte", write_matte_model(tmp_path / "matte.tflite", size=64)),
        BenchModel("other", write_matte_model(tmp_path / "other.tflite", size=32)),
    ]
    seen: list[tuple[int, int]] = []
    device = BrowserDevice(chromium, tls=tls, opening_s=60, silence_s=60)
    results = device.measure(
        Request(models, threads=(1, 2), protocol=SHORT),
        progress=lambda *step: seen.append(step),
    )
    assert [(r.name, r.threads) for r in results] == [
        ("matte", 1), ("other", 1), ("matte", 2), ("other", 2)
    ]  # fmt: skip
    for result in results:
        assert result.golden is not None and result.golden.max_abs <= 1 / 255
        assert (result.delegate.asked, result.delegate.used) == ("xnnpack", "xnnpack")
        assert len(result.samples_ms) >= 20 and result.warmup_runs >= 100
        assert result.circumstances.transport == "browser"
        assert result.circumstances.os.startswith("headless Chrome")
    assert results[2].circumstances.runtime.endswith("threads: 2")
    assert seen


@pytest.mark.slow
def test_chromium_computes_the_matte_of_the_shipped_int8_file(
    chromium: Callable[[str], object],
) -> None:
    model = BenchModel.open(next(WEIGHTS.glob("portrait-tflite-int8@*")), "portrait")
    protocol = Protocol(warmup_seconds=0, runs=2, seconds=0, blocks=2)
    device = BrowserDevice(chromium, opening_s=60, silence_s=120)
    (result,) = device.measure(Request([model], protocol=protocol))
    assert result.golden is not None and result.golden.reference == "artefact"
    assert result.golden.mean_abs <= 1 / 255 and result.golden.max_abs <= 4 / 255


@pytest.mark.slow
def test_what_the_delegate_does_not_take_is_said(
    chromium: Callable[[str], object], tmp_path: Path
) -> None:
    model = BenchModel("mixed", write_mixed_model(tmp_path / "mixed.tflite"))
    device = BrowserDevice(chromium, opening_s=60, silence_s=60)
    (result,) = device.measure(Request([model], protocol=SHORT))
    assert result.delegate.used != "xnnpack" and result.verdict == "invalid"
    assert "xnnpack was asked for and xnnpack at most in part was used" in result.reason


@pytest.mark.slow
def test_a_browser_without_webgpu_says_so(
    chromium: Callable[[str], object], tmp_path: Path
) -> None:
    model = BenchModel("matte", write_matte_model(tmp_path / "matte.tflite", size=32))
    device = BrowserDevice(chromium, opening_s=60, silence_s=60)
    with pytest.raises(MissingToolError, match="The browser cannot measure: "):
        device.measure(Request([model], protocol=SHORT, delegate="webgpu"))


@pytest.mark.slow
def test_a_page_that_is_closed_is_one_sentence(
    chromium: Callable[[str], object], tmp_path: Path
) -> None:
    model = BenchModel("matte", write_matte_model(tmp_path / "matte.tflite", size=64))

    def close(done: int, total: int) -> None:
        for process in chromium.opened:  # type: ignore[attr-defined]
            process.kill()

    device = BrowserDevice(chromium, opening_s=60, silence_s=2)
    long = Protocol(runs=10_000, seconds=60)
    with pytest.raises(MissingToolError, match="The page was closed"):
        device.measure(Request([model], protocol=long), progress=close)


def test_nobody_opens_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ai_edge_litert")
    monkeypatch.setattr("edgemat.bench.devices.browser.device.find_litert", lambda: tmp_path)
    model = BenchModel("matte", write_matte_model(tmp_path / "matte.tflite", size=32))
    said: list[str] = []
    device = BrowserDevice(said.append, opening_s=0.3)
    with pytest.raises(MissingToolError, match="Nobody opened the page"):
        device.measure(Request([model], protocol=SHORT))
    assert "█" in said[0] and re.search(r"http://127\.0\.0\.1:\d+/#token=\S{24}$", said[1])
    with pytest.raises(UsageError, match=r"cannot listen on '203\.0\.113\.7'"):
        BrowserDevice(said.append, listen="203.0.113.7").measure(Request([model], protocol=SHORT))
    with pytest.raises(UsageError, match="no delegate 'webgpuu'"):
        device.measure(Request([model], protocol=SHORT, delegate="webgpuu"))
    assert isinstance(open_device("browser", say=said.append), BrowserDevice)


# --- the server ----------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "litert").mkdir()
    (tmp_path / "litert" / "core.js").write_text("// ours")
    (tmp_path / "secret.js").write_text("// not ours")
    (tmp_path / "litert" / "link.js").symlink_to(tmp_path / "secret.js")

    def take(body: bytes) -> dict[str, Any]:
        if body != b"good":
            raise ValueError("That is no result.")
        return {"more": False}

    return Site(tmp_path / "litert", {"job": lambda: b"{}"}, {"result": take})


@pytest.fixture
def server(site: Site) -> Iterator[PageServer]:
    with PageServer(site, listen="127.0.0.1") as running:
        yield running


def ask(
    server: PageServer, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer


def test_the_page_is_served_with_what_keeps_others_out(server: PageServer) -> None:
    status, content, answer = ask(server, "GET", "/")
    assert status == 200 and b"NONCE" not in content
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(rb'nonce="([^"]+)"', content)
    assert nonce is not None and f"'nonce-{nonce[1].decode()}'" in policy
    assert "default-src 'self'" in policy and "unsafe-inline" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert ask(server, "GET", "/litert/core.js")[1] == b"// ours"


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py", "/litert/../secret.js", "/litert/..%2fsecret.js", "/%2e%2e/secret.js",
        "//etc/passwd", "/etc/passwd", "/litert/link.js", "/litert/", "/page.js/", "/.env",
        "/index.html%00.js", "/litert/litert/core.js", "/job.js", "/PAGE.JS",
    ],
)  # fmt: skip
def test_nothing_else_is_served(server: PageServer, path: str) -> None:
    assert ask(server, "GET", path)[0] == 404


def test_only_the_token_opens(server: PageServer, site: Site) -> None:
    good = {TOKEN_HEADER: site.token}
    for wrong in ("", "x", site.token[:-1], site.token + "x"):
        assert ask(server, "GET", "/job", **{TOKEN_HEADER: wrong})[0] == 403
        assert ask(server, "POST", "/result", b"good", **{TOKEN_HEADER: wrong})[0] == 403
    assert ask(server, "GET", f"/job?token={site.token}")[0] == 403
    assert ask(server, "GET", "/job", **good)[:2] == (200, b"{}")
    status, content, _ = ask(server, "POST", "/result", b"good", **good)
    assert status == 200 and json.loads(content) == {"more": False}
    site.closed = True  # as after the last result
    assert ask(server, "POST", "/result", b"good", **good)[0] == 403


def test_what_does_not_fit_is_refused(server: PageServer, site: Site) -> None:
    good = {TOKEN_HEADER: site.token}
    assert ask(server, "POST", "/result", b"bad", **good)[:2] == (400, b"That is no result.")
    assert ask(server, "POST", "/other", b"good", **good)[0] == 404
    assert ask(server, "PUT", "/result", b"good", **good)[0] == 501
    huge = good | {"Content-Length": str(MAX_POST_BYTES + 1)}
    assert ask(server, "POST", "/result", b"", **huge)[0] == 413
    assert ask(server, "POST", "/result", b"", **(good | {"Content-Length": "-1"}))[0] == 411


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", ""])
def test_another_host_is_refused(server: PageServer, site: Site, host: str) -> None:
    """A page of someone else whose name was pointed at this machine: DNS rebinding."""
    assert ask(server, "GET", "/", Host=host)[0] == 421
    assert ask(server, "GET", "/job", Host=host, **{TOKEN_HEADER: site.token})[0] == 421


def test_a_slow_client_keeps_nobody_waiting(server: PageServer) -> None:
    slow = http.client.HTTPConnection("127.0.0.1", server.port)
    slow.connect()
    assert slow.sock is not None
    slow.sock.send(b"GET / HTT")  # and no more
    assert ask(server, "GET", "/")[0] == 200
    slow.close()


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for file in PAGE.iterdir():
        assert not re.search(r"(https?:)?//[a-z]", file.read_text().replace("// ", "")), file.name


# --- the page's protocol -------------------------------------------------------------------------

SCRIPT = """
import {measure, schedule} from 'PROTOCOL';
const calls = [];
let now = 0;
const clock = () => now;
const run = (name, ms) => async () => { calls.push(name); now += ms; };
const protocol = {warmup_runs: 3, warmup_seconds: 0.02, runs: 9, seconds: 0.1, blocks: 4,
                  settle_runs: 1, sustained_seconds: 0.05};
const steps = [];
const found = await measure(new Map([['a', run('a', 5)], ['b', run('b', 20)]]), protocol,
  async (done, total) => { steps.push([done, total]); }, {clock, breathe: async () => {}});
console.log(JSON.stringify({order: [...schedule(['a', 'b'], 4)], found: [...found], steps}));
"""


def test_the_pages_protocol_is_the_projects(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node: apt-get install nodejs")
    script = tmp_path / "script.mjs"
    protocol = tmp_path / "protocol.mjs"
    protocol.write_text((PAGE / "protocol.js").read_text())
    script.write_text(SCRIPT.replace("PROTOCOL", "./protocol.mjs"))
    done = subprocess.run([node, str(script)], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["order"] == list(schedule(["a", "b"], 4))
    found = dict(told["found"])
    # ceil(9 / 4) = 3 runs and 25 ms in each of 4 blocks; 20 ms of warm-up and 3 runs; 50 ms more
    assert found["a"]["samples_ms"] == [5] * 20 and found["b"]["samples_ms"] == [20] * 12
    assert (found["a"]["warmup_runs"], found["b"]["warmup_runs"]) == (4, 3)
    assert (len(found["a"]["sustained_ms"]), len(found["b"]["sustained_ms"])) == (10, 3)
    assert told["steps"][-1] == [12, 12]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile",
            "Chrome 130, Linux; Android 15; Pixel 8",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1",
            "Safari 17, iPhone; CPU iPhone OS 17_5 like Mac OS X",
        ),
        ("curl/8", "unknown browser"),
    ],
)
def test_browsers_are_named(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
