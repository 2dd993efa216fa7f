"""What devices and pages answer: readers of the browser's page, of its requests, of the runner."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import socket
from pathlib import Path
from typing import Any

import numpy as np

from tools.fuzz import seeds
from tools.fuzz.reader import Reader

TOKEN = "token"


def _request(folder: Path) -> Any:
    """Return what is measured: the file that lies in `folder`."""
    from edgemat.bench.devices.device import BenchModel, Golden, Request

    model = BenchModel("model", folder / "model.tflite")
    blank = np.zeros((1, seeds.SIDE, seeds.SIDE, 1), np.float32)
    pixels = np.zeros((1, seeds.SIDE, seeds.SIDE, 3), np.float32)
    model.__dict__["golden"] = Golden(pixels, blank, "litert-on-host")  # as if computed already
    return Request([model])


def _write_post(folder: Path) -> None:
    seeds.write_tflite(folder / "model.tflite")
    noted = {"warmup_runs": 9, "samples_ms": [1.0, 1.5], "init_ms": 1.0, "first_ms": 2.0}
    posted = {
        "turn": 0,
        "recordings": {"model": noted | {"whole": True}},
        "alphas": {"model": base64.b64encode(bytes(4 * seeds.SIDE**2)).decode()},
        "before": {"battery_level": 0.5, "charging": True},
        "after": {},
        "user_agent": "Mozilla/5.0 (X11; Linux) Chrome/130.0",
        "platform": "Linux",
        "cores": 2,
    }
    (folder / "result.json").write_text(json.dumps(posted))


def _post(file: Path) -> None:
    from edgemat.bench.devices.browser.device import _Session

    session = _Session(_request(file.parent), None)
    body = file.read_bytes()
    for take in (session.on_result, session.on_progress, session.on_failure):
        with contextlib.suppress(ValueError):  # which the server answers with 400
            take(body)
    with contextlib.suppress(ValueError):
        session.job()


def _write_request(folder: Path) -> None:
    head = f"X-Edgemat-Token: {TOKEN}\r\nHost: HOST\r\n"
    (folder / "get").write_text(f"GET /job HTTP/1.1\r\n{head}\r\n")
    (folder / "page").write_text("GET /index.html HTTP/1.1\r\nHost: HOST\r\n\r\n")
    post = f"POST /result HTTP/1.1\r\n{head}Content-Length: 4\r\n\r\ngood"
    (folder / "post").write_text(post)


def _send(file: Path) -> None:
    from edgemat.bench.devices.browser.server import PageServer, Site

    site = Site(file.parent, {"job": lambda: b"{}"}, {"result": lambda body: {}}, token=TOKEN)
    site.request_timeout_s = 2.0
    said = io.StringIO()
    with contextlib.redirect_stderr(said), PageServer(site, listen="127.0.0.1") as server:
        content = file.read_bytes().replace(b"HOST", f"127.0.0.1:{server.port}".encode())
        with (
            contextlib.suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", server.port), timeout=4) as connection,
        ):
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    if said.getvalue():
        raise RuntimeError(said.getvalue().splitlines()[-1])


def _write_answer(folder: Path) -> None:
    from edgemat.bench.devices.job import RESULT, output_file

    seeds.write_tflite(folder / "model.tflite")
    model = {
        "init_ns": 5,
        "first_ns": 7,
        "warmup_runs": 3,
        "samples_ns": [5, 6, 7],
        "sustained_ns": [],
        "delegate": {"used": "xnnpack", "operators": 3, "delegated": 3, "partitions": 1},
        "profile": [{"name": "CONV_2D", "count": 1, "ns": 5}],
    }
    told = {"models": [model], "peak_memory_bytes": 9, "cpu_mask": "f"}
    (folder / RESULT).write_text(json.dumps(told))
    (folder / output_file(0)).write_bytes(bytes(4 * seeds.SIDE**2))


def _read_answer(file: Path) -> None:
    from edgemat.bench.devices.device import to_results
    from edgemat.bench.devices.job import read_answers

    request = _request(file.parent)
    answers = read_answers(request, file.parent)
    where = seeds.make_result().circumstances
    to_results(request, 1, answers.recordings, answers.alphas, where)


READERS = (
    Reader("posted", _write_post, _post, 700, ("result.json",)),
    Reader("request", _write_request, _send, 150),
    Reader("runner", _write_answer, _read_answer, 400, ("result.json", "*.raw")),
)
