"""Measure in a browser: serve a page, wait for what it notes, and judge it here."""

from __future__ import annotations

import base64
import binascii
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationError

from edgemat.bench.devices.browser.litert_js import VERSION, find_litert
from edgemat.bench.devices.browser.server import MAX_POST_BYTES, PageServer, Site
from edgemat.bench.devices.device import (
    Recording,
    Request,
    check_delegate,
    shifted,
    to_results,
)
from edgemat.bench.devices.transport import Transport, needing
from edgemat.bench.result import (
    MAX_SAMPLES,
    Circumstances,
    Condition,
    Delegate,
    Result,
    ResultPart,
)
from edgemat.callbacks import Progress
from edgemat.errors import MissingToolError, UsageError
from edgemat.images import F32
from edgemat.matting.runtime import TfliteModel

DELEGATES = ("xnnpack", "webgpu")
LEAST_WARMUP = 100
"""A browser compiles WebAssembly better after it has run for a while."""
OPENING_S = 300.0
SILENCE_S = 120.0
"""A page says a word each second, but not while it loads a model or runs it once."""


_DAY_MS = 86_400_000
LatencyMs = Annotated[float, Field(gt=0, le=_DAY_MS)]
"""Milliseconds of one inference."""


class Noted(ResultPart):
    """The page's notes of one model."""

    warmup_runs: int = Field(ge=0, le=10**9)
    samples_ms: tuple[LatencyMs, ...] = Field(min_length=1, max_length=MAX_SAMPLES)
    sustained_ms: tuple[LatencyMs, ...] = Field(default=(), max_length=MAX_SAMPLES)
    init_ms: float = Field(ge=0, le=_DAY_MS)
    first_ms: float = Field(ge=0, le=_DAY_MS)
    whole: bool = Field(description="every operator is computed by the accelerator asked for")


class Posted(ResultPart):
    """The page's post after one turn."""

    turn: int
    recordings: dict[str, Noted]
    alphas: dict[str, str] = Field(description="float32, little-endian, base64")
    before: Condition
    after: Condition
    user_agent: str = Field(max_length=1000)
    platform: str = Field(max_length=100)
    cores: int = Field(ge=1, le=4096)


class BrowserDevice:
    """Whatever browser opens the page.

    Parameters
    ----------
    say:
        Prints the address, and a code that a phone's camera reads.
    listen, tls:
        Where the page is served. A phone needs this machine's address in its network, and HTTPS
        for several threads and for WebGPU.
    opening_s, silence_s:
        Seconds to wait for the page to be opened, and for its next word.
    """

    def __init__(
        self,
        say: Callable[[str], object],
        *,
        listen: str = "127.0.0.1",
        tls: bool = False,
        opening_s: float = OPENING_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._say, self._listen, self._tls = say, listen, tls
        self._opening_s, self._silence_s = opening_s, silence_s

    def measure(self, request: Request, *, progress: Progress | None = None) -> list[Result]:
        """Measure all models; see :class:`edgemat.bench.devices.device.Device`."""
        check_delegate(request, DELEGATES, "A browser")
        protocol = request.protocol
        warmup = max(protocol.warmup_runs, LEAST_WARMUP)
        request = replace(request, protocol=replace(protocol, warmup_runs=warmup))
        session = _Session(request, progress)
        files = {f"model{n}": m.path for n, m in enumerate(request.models)}
        inputs = {
            f"input{n}": m.golden.pixels.astype("<f4").tobytes()
            for n, m in enumerate(request.models)
        }
        site = Site(
            find_litert(),
            secret={
                "job": session.job,
                **{name: path.read_bytes for name, path in files.items()},
                **{name: (lambda b=content: b) for name, content in inputs.items()},  # type: ignore[misc]
            },
            posts={
                "progress": session.on_progress,
                "result": session.on_result,
                "failure": session.on_failure,
            },
            # base64 has four characters for three bytes
            max_post_bytes=MAX_POST_BYTES + sum(m.golden.alpha.nbytes * 2 for m in request.models),
        )
        with _certificate(self._listen, self._tls) as certificate:
            try:
                server = PageServer(site, listen=self._listen, certificate=certificate)
            except OSError as error:
                raise UsageError(
                    f"This machine cannot listen on {self._listen!r}: {error.strerror}.",
                    remedy="Give one of its own addresses.",
                ) from error
            with server:
                self._invite(server.url)
                return self._collect(session, site)

    def _invite(self, url: str) -> None:
        import segno

        lines: list[str] = []
        code = segno.make(url, error="l")
        for above, below in _pairs(list(code.matrix_iter(border=2))):
            lines.append("".join(_BLOCKS[a, b] for a, b in zip(above, below, strict=True)))
        self._say("\n".join(lines))
        self._say(f"Open this page in the browser to measure, and keep it in front:\n{url}")

    def _collect(self, session: _Session, site: Site) -> list[Result]:
        started = time.monotonic()
        while True:
            try:
                word = session.words.get(timeout=0.2)
            except queue.Empty:
                now = time.monotonic()
                if not site.last_seen and now - started > self._opening_s:
                    raise MissingToolError(
                        "Nobody opened the page.",
                        remedy="Run the same command again; for a phone, with --listen ADDRESS.",
                    ) from None
                if site.last_seen and now - site.last_seen > self._silence_s:
                    raise MissingToolError(
                        "The page was closed, or its device went away.",
                        remedy="Run the same command again and keep the page in front.",
                    ) from None
                continue
            if isinstance(word, str):
                raise MissingToolError(
                    f"The browser cannot measure: {word.rstrip('.')}.",
                    remedy="Use a recent browser, or another device.",
                )
            site.closed = True  # the token is spent
            time.sleep(0.3)  # the page's last answer is on its way
            return word


BROWSER = Transport(
    name="browser",
    open=lambda _, options: BrowserDevice(options.say, listen=options.listen, tls=options.tls),
    list=lambda: [needing("browser", "any browser that opens the page", find_litert)],
)


class _Session:
    """The turns of one measurement, and what came back.

    Attributes
    ----------
    words:
        All results, or the sentence with which the page gave up.
    """

    def __init__(self, request: Request, progress: Progress | None) -> None:
        self.request, self._progress = request, progress
        self.words: queue.Queue[list[Result] | str] = queue.Queue()
        self._turn = 0
        self._lock = threading.Lock()  # each connection has a thread
        self._results: list[Result] = []

    def job(self) -> bytes:
        """Return what the page is to do in this turn, as JSON; ValueError when all is done."""
        import json
        from dataclasses import asdict

        request, turn = self.request, self._turn
        if turn == len(request.threads):
            raise ValueError("All turns are done.")
        models = [
            {
                "name": model.name,
                "file": f"model{n}",
                "input": f"input{n}",
                "shape": list(model.golden.pixels.shape),
            }
            for n, model in enumerate(request.models)
        ]
        return json.dumps(
            {
                "turn": turn,
                "turns": len(request.threads),
                "threads": request.threads[turn],
                "delegate": request.delegate,
                "protocol": asdict(request.protocol),
                "models": models,
            }
        ).encode()

    def on_progress(self, body: bytes) -> dict[str, Any]:
        words = re.fullmatch(rb'\{"done":(\d{1,6}),"total":(\d{1,6})\}', body)
        if words is None or not int(words[2]):
            raise ValueError("That is no progress.")
        if self._progress is not None:
            show = shifted(self._progress, self._turn, self.request)
            assert show is not None
            show(int(words[1]), int(words[2]))
        return {}

    def on_failure(self, body: bytes) -> dict[str, Any]:
        text = _printable(body[:1000].decode(errors="replace"))[:300]
        found = re.search(r'"message": ?"(.*)"\}', text)
        self.words.put(found[1] if found else "it did not say why")
        return {}

    def on_result(self, body: bytes) -> dict[str, Any]:
        """Take one turn; the last one ends the measurement."""
        try:
            posted = Posted.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise ValueError(f"That is no result: {first['msg']}.") from error
        names = {model.name for model in self.request.models}
        with self._lock:
            if not (posted.turn == self._turn < len(self.request.threads)) or not (
                set(posted.recordings) == names == set(posted.alphas)
            ):
                raise ValueError("That is the result of another measurement.")
            self._results += self._judged(posted)
            self._turn += 1
            more = self._turn < len(self.request.threads)
            if not more:
                self.words.put(list(self._results))
            return {"more": more, "summary": [_summary(result) for result in self._results]}

    def _judged(self, posted: Posted) -> list[Result]:
        request, threads = self.request, self.request.threads[self._turn]
        recordings, alphas = {}, {}
        for model in request.models:
            noted = posted.recordings[model.name]
            operators = len(TfliteModel(model.path).operators())
            # LiteRT.js only tells whether the delegate took the whole graph, not how much of it.
            used = request.delegate if noted.whole else f"{request.delegate} at most in part"
            recordings[model.name] = Recording(
                init_ms=noted.init_ms,
                first_ms=noted.first_ms,
                warmup_runs=noted.warmup_runs,
                samples_ms=noted.samples_ms,
                sustained_ms=noted.sustained_ms,
                delegate=Delegate(
                    asked=request.delegate,
                    used=used,
                    operators=operators,
                    delegated=operators if noted.whole else None,
                    partitions=None,
                ),
            )
            alphas[model.name] = _floats(posted.alphas[model.name])
        how = "WebGPU" if request.delegate == "webgpu" else f"WASM, threads: {threads}"
        where = Circumstances(
            transport=BROWSER.word,
            device_kind="physical",
            device=_printable(posted.platform) or "a browser",
            soc="not told by browsers",
            cores=posted.cores,
            os=browser_name(_printable(posted.user_agent)),
            abi="wasm32",
            runtime=f"LiteRT.js {VERSION}, {how}",
            before=posted.before,
            after=posted.after,
        )
        return to_results(request, threads, recordings, alphas, where)


_BLOCKS = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
"""Two modules of the code in one character, light on a dark terminal."""


def _pairs(rows: list[Any]) -> Iterator[tuple[Any, Any]]:
    if len(rows) % 2:
        rows.append(bytearray(len(rows[0])))
    yield from zip(rows[::2], rows[1::2], strict=True)


def browser_name(user_agent: str) -> str:
    """Return browser and system out of a user agent: "Chrome 130, Android 15"."""
    browsers = (("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"),
                ("Firefox", "Firefox"), ("CriOS", "Chrome"), ("FxiOS", "Firefox"),
                ("HeadlessChrome", "headless Chrome"), ("Chrome", "Chrome"),
                ("Version", "Safari"))  # fmt: skip
    browser = "unknown browser"
    for mark, name in browsers:
        found = re.search(rf"\b{mark}/(\d+)", user_agent)
        if found:
            browser = f"{name} {found[1]}"
            break
    system = re.search(r"\(([^)]*)\)", user_agent)
    return f"{browser}, {system[1]}" if system else browser


def _summary(result: Result) -> str:
    latency = result.latency
    head = f"{result.name}, threads {result.threads}: "
    if result.verdict == "invalid":
        return f"{head}invalid, {result.reason}"
    return f"{head}p50 {latency.p50_ms:.2f} ms, p90 {latency.p90_ms:.2f} ms"


def _printable(text: str) -> str:
    """Return what may go to a terminal: no control characters."""
    return re.sub(r"[^ -~]+", " ", text)


def _floats(text: str) -> F32:
    try:
        values: F32 = np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
    except (binascii.Error, ValueError) as error:
        raise ValueError("A matte is no list of numbers.") from error
    return values


@contextmanager
def _certificate(address: str, wanted: bool) -> Iterator[Path | None]:
    """Give a certificate that this machine signs itself, for a day; None where none is wanted."""
    if not wanted:
        yield None
        return
    openssl = shutil.which("openssl")
    if openssl is None:
        raise MissingToolError("HTTPS needs openssl.", remedy="Install it: apt-get install openssl")
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder) / "key.pem", Path(folder) / "certificate.pem"
        kind = "IP" if re.fullmatch(r"[0-9.:]+", address) else "DNS"
        command = [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "1", "-subj", "/CN=edgemat"),
            *("-addext", f"subjectAltName={kind}:{address}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingToolError(
                f"openssl made no certificate: {(done.stderr.splitlines() or ['?'])[-1]}.",
                remedy="Update openssl, or leave out --tls.",
            )
        both = Path(folder) / "both.pem"
        both.touch(mode=0o600)
        both.write_text(key.read_text() + certificate.read_text())
        yield both
