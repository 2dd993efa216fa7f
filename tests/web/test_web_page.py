"""The exported page in a real browser, from a plain file server, with a camera of one picture."""

from __future__ import annotations

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
from toy_profiles import display_p3

import edgemat
from edgemat.artifacts.shipped import default_model
from edgemat.bench.devices.browser.litert_js import find_litert
from edgemat.bench.result import read_results
from edgemat.errors import MissingToolError
from edgemat.images import read_grey, read_image
from edgemat.matting.foreground import blur_background, cut_out
from edgemat.matting.refine import refine

PEOPLE = Path(edgemat.__file__).parent / "assets" / "people"
PERSON = "0061.webp"
LONG_S = 300  # a busy machine of two cores is slow at WebAssembly
READY = "document.body?.dataset.state === 'ready'"
STATUS = "document.getElementById('status').textContent"
CUT_OUT = f"(!document.getElementById('result').hidden && {STATUS}.startsWith('Cut out in'))"
# LiteRT.js in a browser against LiteRT here, after the same guided filter, of a whole photograph.
# Max-unpooling follows the largest of four values, and a rounding decides which, now and then.
MEAN, NEARLY_ALL = 1 / 255, 4 / 255
NEARLY = 99.0  # per cent


def person(height: int = 540, width: int = 640) -> Image.Image:
    """A rendered person before a soft ground of two colours."""
    across = np.linspace(0, 1, width)[None, :, None]
    ground = (1 - across) * (96, 128, 150) + across * (180, 150, 110)
    picture = Image.fromarray(np.broadcast_to(ground, (height, width, 3)).astype(np.uint8))
    cut = Image.open(PEOPLE / PERSON)
    picture.paste(cut, ((width - cut.width) // 2, height - cut.height), cut)
    return picture


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        find_litert()
    except MissingToolError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("site") / "web"
    edgemat.export("portrait", folder)
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own file server: no header of ours."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(web: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    handler = partial(Quiet, directory=str(web.parent))
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
        self.page, self._downloads = page, downloads
        downloads.mkdir()
        page.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

    def wait(self, expression: str) -> None:
        self.page.wait_for(
            f"{expression} || document.querySelector('#status.bad')", within_s=LONG_S
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
        before = self._downloaded()
        self.click(button)
        until = time.monotonic() + LONG_S
        while not (new := self._downloaded() - before):
            assert time.monotonic() < until, self.page.evaluate(STATUS)
            time.sleep(0.1)
        return new.pop()

    def _downloaded(self) -> set[Path]:
        """Return what is there as a whole: a browser renames it at the end."""
        return {path for path in self._downloads.iterdir() if path.suffix in {".png", ".json"}}

    def refused(self) -> str:
        self.page.wait_for("document.querySelector('#status.bad')", within_s=LONG_S)
        said: str = self.page.evaluate(STATUS)
        return said

    @property
    def errors(self) -> list[str]:
        """What the console holds but for LiteRT's own notes."""
        noted = ("INFO: ", "WARNING: ")
        return [text for text in self.page.errors if not text.startswith(noted)]


def open_visit(server: http.server.ThreadingHTTPServer, folder: Path, *flags: str) -> Any:
    return open_page(address(server), folder / "profile", *flags)


def differences(found: Any, expected: Any) -> tuple[float, float]:
    """Return the mean, and what nearly all are below."""
    difference = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64))
    return float(difference.mean()), float(np.percentile(difference, NEARLY))


def assert_same_matte(found: Any, expected: Any) -> None:
    mean, nearly_all = differences(found, expected)
    assert mean <= MEAN and nearly_all <= NEARLY_ALL, (mean, nearly_all)


def in_p3_and_turned() -> bytes:
    """A JPEG of the person as a phone stores it: on its side, in Display P3."""
    image = person().transpose(Image.Transpose.ROTATE_90)
    exif = image.getexif()
    exif[0x0112] = 6
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=95, subsampling=0, exif=exif, icc_profile=display_p3())
    return stored.getvalue()


@pytest.mark.long
def test_a_photograph_is_cut_out_as_by_python_and_refined_and_saved(
    server: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    photo = tmp_path / "holiday.png"
    person().save(photo)
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (300, 20)).save(tmp_path / "narrow.png")
    (tmp_path / "phone.jpg").write_bytes(in_p3_and_turned())
    image = read_image(photo)
    with open_visit(server, tmp_path) as page:
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        assert page.evaluate("crossOriginIsolated"), "the service worker adds the headers"

        visitor.cut_out(photo)
        saved = visitor.save("matte")
        assert saved.name == "holiday-matte.png"
        alpha = edgemat.matte(image, model=default_model(needs_trimap=False))
        assert_same_matte(read_grey(saved), alpha)

        rgba = np.array(Image.open(visitor.save("cutout")))
        ours = cut_out(image, alpha)
        # colours count as much as they are seen
        off = differences(rgba[..., :3] * (rgba[..., 3:] / 255), ours[..., :3] * alpha[..., None])
        assert off[0] < 0.5
        blurred = np.array(Image.open(visitor.save("cutout", "blur")))
        assert differences(blurred, blur_background(image, alpha, 0.02 * max(image.shape)))[0] < 1

        visitor.click("#refine")
        visitor.wait(f"{STATUS}.startsWith('Refined in')")
        assert_same_matte(read_grey(visitor.save("matte")), refine(image, alpha))

        visitor.cut_out(tmp_path / "phone.jpg")
        upright = np.array(Image.open(visitor.save("original")).convert("RGB"))
        assert differences(upright, read_image(tmp_path / "phone.jpg"))[0] < 1.5

        for name, said in (("text.png", "is not a picture"), ("narrow.png", "300 x 20 px")):
            page.choose_files("#file", tmp_path / name)
            page.wait_for(f"{STATUS}.includes('{said}')", within_s=LONG_S)
            assert "picture" in visitor.refused() or "photograph" in visitor.refused()
        assert not visitor.errors


@pytest.mark.long
def test_it_works_without_the_server_and_talks_to_no_other(
    server: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    photo = tmp_path / "holiday.png"
    person().save(photo)
    with open_visit(server, tmp_path) as page:
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        refused = page.evaluate(
            "new Promise((done) => { addEventListener('securitypolicyviolation', "
            "({effectiveDirective}) => done(effectiveDirective), {once: true}); "
            "fetch('http://localhost:1/').catch(() => {}); })"
        )
        assert refused == "connect-src"
        policy = page.evaluate(
            "fetch('engine/worker.js').then((a) => a.headers.get('Content-Security-Policy'))"
        )
        assert policy.startswith("default-src 'self'; script-src 'self'"), "also of the worker"

        server.shutdown()
        server.server_close()
        page.evaluate("document.body.dataset.state = 'old'")
        page.send("Page.reload")
        visitor.wait(READY)
        assert page.evaluate("crossOriginIsolated")
        visitor.cut_out(photo)
        visitor.click("#refine")
        visitor.wait(f"{STATUS}.startsWith('Refined in')")


@pytest.mark.long
def test_the_benchmark_writes_what_edgemat_bench_reads(
    server: http.server.ThreadingHTTPServer, web: Path, tmp_path: Path
) -> None:
    with open_visit(server, tmp_path) as page:
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        page.evaluate(
            "import('./bench/result.js').then(({PROTOCOL}) => Object.assign(PROTOCOL, "
            "{warmup_runs: 2, warmup_seconds: 0, runs: 4, seconds: 0, blocks: 2}))"
        )
        visitor.click("[name=tab][value=benchmark]")
        visitor.click('[value="trimap-int8"]')
        page.evaluate("document.getElementById('threads').value = '1'")
        visitor.click("#measure")
        visitor.wait(f"{STATUS}.startsWith('Measured')")
        results = read_results(visitor.download("#store"))
    assert [result.name for result in results] == ["portrait-int8", "trimap-int8"]
    for result in results:
        assert len(result.samples_ms) >= 4 and result.warmup_runs == 2
        assert result.golden is not None and result.golden.passed
        assert (result.delegate.asked, result.delegate.used) == ("xnnpack", "xnnpack")
        assert result.circumstances.os.startswith("headless Chrome")
        assert result.circumstances.runtime == "LiteRT.js 2.5.3, WASM, threads: 1"
        assert result.model_bytes == (web / "models" / f"{result.name}.tflite").stat().st_size


@pytest.mark.long
def test_the_camera_is_shown_before_another_ground(
    server: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    frame = io.BytesIO()
    person(480).save(frame, "JPEG", quality=95)
    (tmp_path / "camera.mjpeg").write_bytes(frame.getvalue() * 30)
    flags = (
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        f"--use-file-for-fake-video-capture={tmp_path / 'camera.mjpeg'}",
    )
    pixels = (
        "(() => { const c = document.getElementById('live'); return [...c.getContext('2d')"
        ".getImageData(c.width * AT, c.height * DOWN, 1, 1).data]; })()"
    )
    corner = pixels.replace("AT", "0.02").replace("DOWN", "0.05")
    chest = pixels.replace("AT", "0.5").replace("DOWN", "0.9")
    with open_visit(server, tmp_path, *flags) as page:
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        visitor.click("[name=tab][value=camera]")
        visitor.click("[name=camera-behind][value=colour]")
        visitor.click("#start")
        green = np.array([31, 143, 95, 255])
        visitor.wait(f"{corner}[1] === 143")
        assert np.abs(np.array(page.evaluate(corner)) - green).max() <= 2
        assert np.abs(np.array(page.evaluate(chest)) - green).max() > 40
        visitor.wait("/pictures a second/.test(document.getElementById('rate').textContent)")

        visitor.click("#take")
        visitor.wait(CUT_OUT)
        assert page.evaluate("document.getElementById('start').textContent") == "Start the camera"
        assert not visitor.errors


@pytest.mark.long
def test_a_camera_that_is_not_permitted_and_a_host_without_service_worker_are_said(
    server: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    flags = ("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    with open_visit(server, tmp_path, *flags) as page:
        page.send(
            "Page.addScriptToEvaluateOnNewDocument",
            source="delete Navigator.prototype.serviceWorker",
        )
        page.send("Page.navigate", url=address(server))
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        assert "one thread, since this page cannot have more here" in page.evaluate(STATUS)
        said = page.evaluate("document.getElementById('about').textContent")
        assert "Not kept for use without a network: this browser has no service workers" in said
        visitor.click("[name=tab][value=camera]")
        visitor.click("#start")
        assert "was not permitted" in visitor.refused()
