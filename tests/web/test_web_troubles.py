"""The exported page where something goes wrong or comes at an awkward time, in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from page_visitor import (
    CUT_OUT,
    READY,
    STATUS,
    Visitor,
    address,
    camera_flags,
    exported,
    open_visit,
    person,
    pixel,
    serve,
)
from PIL import Image

HELD = """
(() => {
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  Object.assign(window, {asked: [], streams: []});
  devices.getUserMedia = async (wishes) => {
    await new Promise((permit) => asked.push(permit));
    const stream = await open(wishes);
    streams.push(stream);
    return stream;
  };
})()
"""
"""The camera's permission is given when a test calls what is in `asked`."""
OPEN = "streams.filter((s) => s.getTracks().some((t) => t.readyState === 'live')).length"
THROWS_A_NUMBER = """
new Promise((resolve) => {
  const at = (path) => JSON.stringify(new URL(path, document.baseURI).href);
  const code = `importScripts(${at('engine/worker.js')}); import(${at('engine/jobs.js')})`
    + ".then(({JOBS}) => { JOBS.bad = () => { throw 7; }; postMessage('ready'); });";
  const worker = new Worker(URL.createObjectURL(new Blob([code])));
  worker.onmessage = ({data}) => {
    if (data === 'ready') worker.postMessage({id: 0, job: 'bad'});
    else resolve(data);
  };
})
"""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("site") / "web")


@pytest.mark.long
def test_a_file_that_was_changed_is_said_and_what_needs_it_can_be_tried_again(
    web: Path, tmp_path: Path
) -> None:
    shutil.copytree(web, tmp_path / "site" / "web")
    (network,) = (tmp_path / "site" / "web" / "models").glob("trimap*.tflite")
    content = bytearray(network.read_bytes())
    content[4] ^= 1  # of the letters that say what it is
    network.write_bytes(content)
    photo = tmp_path / "holiday.png"
    person().save(photo)
    with serve(tmp_path / "site") as server, open_visit(server, tmp_path) as page:
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        said = page.evaluate("document.getElementById('about').textContent")
        assert "Not kept for use without a network: a file is missing or is not as it was" in said

        visitor.cut_out(photo)
        visitor.click("#refine")
        assert visitor.refused()
        assert not page.evaluate("document.getElementById('refine').disabled")
        assert page.evaluate(THROWS_A_NUMBER) == {"id": 0, "error": "7"}


@pytest.mark.long
def test_two_exports_on_one_host_both_have_shared_memory(web: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for name in ("web", "other"):
        (site / name).symlink_to(web)
    with serve(site) as server, open_visit(server, tmp_path) as page:
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        assert page.evaluate("crossOriginIsolated")
        assert page.evaluate("fetch('constructor').then(({status}) => status)") == 404

        page.evaluate("document.body.dataset.state = 'old'")
        page.send("Page.navigate", url=address(server).replace("/web/", "/other/"))
        visitor.wait(f"location.pathname === '/other/' && {READY}")
        assert page.evaluate("crossOriginIsolated")


@pytest.mark.long
def test_a_camera_is_let_go_and_each_tab_has_its_own_picture_behind(
    web: Path, tmp_path: Path
) -> None:
    for colour in ("red", "blue"):
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{colour}.png")
    person().save(tmp_path / "holiday.png")
    flags = camera_flags(tmp_path)
    with serve(web.parent) as server, open_visit(server, tmp_path, *flags) as page:
        visitor = Visitor(page, tmp_path / "saved")
        visitor.wait(READY)
        page.evaluate(HELD)
        visitor.cut_out(tmp_path / "holiday.png")
        visitor.click("[name=photo-behind][value=picture]")
        page.choose_files("[data-backdrop=photo-behind] .behind", tmp_path / "red.png")
        visitor.wait(f"{pixel('picture', 0.02, 0.05)}[0] > 250")
        visitor.click("[name=tab][value=camera]")
        visitor.click("[name=camera-behind][value=picture]")
        page.choose_files("[data-backdrop=camera-behind] .behind", tmp_path / "blue.png")

        for _ in range(2):
            visitor.click("#start")
        visitor.wait("asked.length === 1")
        visitor.click("[name=tab][value=photo]")
        page.evaluate("asked[0]()")
        idle = "!document.getElementById('start').disabled"
        visitor.wait(f"streams.length === 1 && {OPEN} === 0 && {idle}")
        assert page.evaluate(STATUS) == "The camera is off."

        visitor.click("[name=tab][value=camera]")
        visitor.click("#start")
        visitor.wait("asked.length === 2")
        page.evaluate("asked[1]()")
        visitor.wait(f"{pixel('live', 0.02, 0.05)}[2] > 250")
        visitor.click("[name=tab][value=photo]")
        assert page.evaluate(OPEN) == 0
        saved = visitor.save("cutout", "picture")
        assert saved.name == "holiday-picture.png"
        with Image.open(saved) as behind:
            assert behind.convert("RGB").getpixel((12, 27)) == (255, 0, 0)

        visitor.click("[name=tab][value=camera]")
        visitor.click("#start")
        visitor.wait("asked.length === 3")
        page.evaluate("asked[2]()")
        visitor.wait("!document.getElementById('take').disabled")
        visitor.click("#take")
        visitor.wait(CUT_OUT)
        assert visitor.save("original").name == "photograph-original.png"

        page.evaluate("HTMLMediaElement.prototype.play = async () => { throw Error('No play.'); }")
        visitor.click("[name=tab][value=camera]")
        visitor.click("#start")
        visitor.wait("asked.length === 4")
        page.evaluate("asked[3]()")
        assert visitor.refused() == "No play."
        page.wait_for(f"streams.length === 4 && {OPEN} === 0 && {idle}")
