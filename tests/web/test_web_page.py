"""The exported page in a real browser, from a plain file server, with a camera of one picture."""

from __future__ import annotations

import http.server
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_visitor import (
    CUT_OUT,
    LONG_S,
    READY,
    STATUS,
    Visitor,
    address,
    camera_flags,
    exported,
    open_visit,
    patch,
    person,
    pixel,
    serve,
)
from PIL import Image
from toy_profiles import display_p3

import edgemat
from edgemat.artifacts.shipped import default_model
from edgemat.bench.result import read_results
from edgemat.images import read_grey, read_image
from edgemat.matting.foreground import blur_background, cut_out
from edgemat.matting.refine import refine

# LiteRT.js in a browser against LiteRT here, after the same guided filter, of a whole photograph.
# Max-unpooling follows the largest of four values, and a rounding decides which, now and then.
MEAN, NEARLY_ALL = 1 / 255, 4 / 255
NEARLY = 99.0  # per cent


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("site") / "web")


@pytest.fixture
def server(web: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    with serve(web.parent) as running:
        yield running


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
    corner, chest = pixel("live", 0.02, 0.05), pixel("live", 0.5, 0.9)
    with open_visit(server, tmp_path, *camera_flags(tmp_path)) as page:
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
def test_the_camera_blurs_what_is_behind_and_nobody(
    server: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    def contrast(image: str, across: float, down: float) -> float:
        """The standard deviation of greens in a place."""
        return float(np.std(page.evaluate(patch(image, across, down))))

    ground, face = (0.04, 0.1), (0.42, 0.31)
    with open_visit(server, tmp_path, *camera_flags(tmp_path, stripes=60)) as page:
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        visitor.click("[name=tab][value=camera]")
        visitor.click("[name=camera-behind][value=colour]")
        visitor.click("[name=camera-behind][value=blur]")
        visitor.click("#start")
        visitor.wait("/pictures a second/.test(document.getElementById('rate').textContent)")
        assert contrast("video", *ground) > 20
        assert contrast("live", *ground) < 4
        seen, shown = (np.array(page.evaluate(patch(one, *face))) for one in ("video", "live"))
        assert np.abs(seen - shown).mean() < 2
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
