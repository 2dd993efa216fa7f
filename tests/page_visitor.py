"""Who uses the exported page, in a real browser, from a plain file server."""

from __future__ import annotations

import contextlib
import http.server
import io
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driven_browser import Page, open_page
from PIL import Image

import edgemat
from edgemat.bench.devices.browser.litert_js import find_litert
from edgemat.errors import MissingToolError

PEOPLE = Path(edgemat.__file__).parent / "assets" / "people"
PERSON = "0061.webp"
SAVED = {".png", ".json"}
STRIPE = 4  # px
LONG_S = 300  # a busy machine of two cores is slow at WebAssembly
READY = "document.body?.dataset.state === 'ready'"
STATUS = "document.getElementById('status').textContent"
CUT_OUT = f"(!document.getElementById('result').hidden && {STATUS}.startsWith('Cut out in'))"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own file server: no header of ours."""

    def log_message(self, format: str, *args: object) -> None:
        pass


def person(height: int = 540, width: int = 640, *, stripes: float = 0.0) -> Image.Image:
    """A rendered person before a soft ground of two colours; by stripes that much is lit up."""
    across = np.linspace(0, 1, width)[None, :, None]
    ground = (1 - across) * (96, 128, 150) + across * (180, 150, 110)
    ground = ground + stripes * (np.arange(width) // STRIPE % 2)[None, :, None]
    picture = Image.fromarray(np.broadcast_to(ground, (height, width, 3)).astype(np.uint8))
    cut = Image.open(PEOPLE / PERSON)
    picture.paste(cut, ((width - cut.width) // 2, height - cut.height), cut)
    return picture


def camera_flags(folder: Path, *, stripes: float = 0.0) -> tuple[str, ...]:
    """Chromium's, for a permitted camera that shows the person."""
    frame = io.BytesIO()
    person(480, stripes=stripes).save(frame, "JPEG", quality=95)
    film = folder / "camera.mjpeg"
    film.write_bytes(frame.getvalue() * 30)
    return (
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        f"--use-file-for-fake-video-capture={film}",
    )


def pixel(canvas: str, across: float, down: float) -> str:
    """An expression for the RGBA of one pixel, its place in shares of the sides."""
    return (
        f"(() => {{ const c = document.getElementById('{canvas}'); return [...c.getContext('2d')"
        f".getImageData(c.width * {across}, c.height * {down}, 1, 1).data]; }})()"
    )


def patch(image: str, across: float, down: float, side: int = 32) -> str:
    """An expression for a square's greens in a canvas or video of that id, row by row."""
    return (
        f"(() => {{ const e = document.getElementById('{image}'); "
        "const w = e.videoWidth || e.width, h = e.videoHeight || e.height; "
        "const c = new OffscreenCanvas(w, h), x = c.getContext('2d'); x.drawImage(e, 0, 0); "
        f"return [...x.getImageData(w * {across}, h * {down}, {side}, {side}).data]"
        ".filter((_, n) => n % 4 === 1); })()"
    )


def exported(folder: Path) -> Path:
    """Export the shipped portrait model to a folder called web; skips without LiteRT.js."""
    try:
        find_litert()
    except MissingToolError as error:
        pytest.skip(str(error))
    edgemat.export("portrait", folder)
    return folder


@contextlib.contextmanager
def serve(root: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    """Run a file server of a folder."""
    handler = partial(Quiet, directory=str(root))
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def address(server: http.server.ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/web/"


class Visitor:
    """Who uses the page."""

    def __init__(self, page: Page, downloads: Path) -> None:
        self.page, self._downloads, self._taken = page, downloads, 0
        downloads.mkdir()
        page.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

    def wait(self, expression: str) -> None:
        self.page.wait_for(
            f"{expression} || document.querySelector('#status.bad') !== null", within_s=LONG_S
        )
        assert self.page.evaluate(expression), self.page.evaluate(STATUS)

    def click(self, selector: str) -> None:
        self.page.evaluate(f"document.querySelector('{selector}').click()")

    def cut_out(self, path: Path) -> None:
        self.page.evaluate("document.getElementById('result').hidden = true")
        self.page.choose_files("#file", path)
        self.wait(CUT_OUT)

    def save(self, view: str, behind: str = "cutout") -> Path:
        self.click(f"[name=view][value={view}]")
        self.click(f"[name=photo-behind][value={behind}]")
        return self.download("#save")

    def download(self, button: str) -> Path:
        """Click, and return the file that comes, in a folder of its own."""
        self.click(button)
        until = time.monotonic() + LONG_S
        # a browser renames it when it is whole
        while not (found := [p for p in self._downloads.iterdir() if p.suffix in SAVED]):
            assert time.monotonic() < until, self.page.evaluate(STATUS)
            time.sleep(0.1)
        self._taken += 1
        folder = self._downloads / str(self._taken)
        folder.mkdir()
        return found[0].rename(folder / found[0].name)

    def refused(self) -> str:
        self.page.wait_for("document.querySelector('#status.bad') !== null", within_s=LONG_S)
        said: str = self.page.evaluate(STATUS)
        return said

    @property
    def errors(self) -> list[str]:
        """What the console holds but for LiteRT's own notes."""
        noted = ("INFO: ", "WARNING: ")
        return [text for text in self.page.errors if not text.startswith(noted)]


def open_visit(server: http.server.ThreadingHTTPServer, folder: Path, *flags: str) -> Any:
    return open_page(address(server), folder / "profile", *flags)
