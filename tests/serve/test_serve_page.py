"""The page of `edgemat serve` in a real browser: a photograph is dropped, seen, compared, saved."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from driven_browser import open_page
from PIL import Image
from test_serve import LIMITS, photo, running
from toy_artifacts import write_portrait_model

from edgemat.matting.cutting import Cutter
from edgemat.matting.finish import Finish
from edgemat.serve.desk import Desk

READY = "document.body?.dataset.state === 'ready'"
STATUS = "document.getElementById('status').textContent"
PIXELS = """
(async () => {
  const image = new Image();
  image.src = ADDRESS;
  await image.decode();
  const bitmap = await createImageBitmap(image, {premultiplyAlpha: 'none'});
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return [bitmap.width, bitmap.height, ...context.getImageData(60, 24, 1, 1).data];
})()
"""
DROP = """
(() => {
  const bytes = Uint8Array.from(atob('CONTENT'), (c) => c.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], 'dropped.png', {type: 'image/png'}));
  document.getElementById('drop').dispatchEvent(
    new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true}));
})()
"""


@pytest.mark.slow
def test_a_photograph_is_dropped_seen_compared_and_saved(tmp_path: Path) -> None:
    model = write_portrait_model(tmp_path / "portrait.tflite")
    cutters = {name: Cutter(model, Finish()) for name in ("int8", "float")}
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "holiday.png").write_bytes(photo())
    with (
        running(Desk(cutters, LIMITS)) as port,
        open_page(f"http://127.0.0.1:{port}/", tmp_path / "profile") as page,
    ):
        page.wait_for(READY)
        dropped = base64.b64encode(photo()).decode()
        page.evaluate(DROP.replace("CONTENT", dropped))
        page.wait_for(f"{STATUS}.startsWith('Done: int8')")
        assert "float" in page.evaluate(STATUS)
        assert page.evaluate("document.getElementById('save').download") == "dropped-cutout.png"

        page.choose_files("#file", tmp_path / "holiday.png")
        page.wait_for("document.getElementById('save').download === 'holiday-cutout.png'")
        page.wait_for(f"{STATUS}.startsWith('Done: int8')")
        first, saved = (
            "document.getElementById('first').src",
            "document.getElementById('save').href",
        )
        assert page.evaluate(f"{first} === {saved}")
        width, height, *rgba = page.evaluate(PIXELS.replace("ADDRESS", saved))
        assert (width, height) == (64, 48) and rgba[3] > 220

        page.evaluate("document.querySelector('[value=\"#111111\"]').click()")
        stage = "getComputedStyle(document.getElementById('stage'))"
        assert page.evaluate(f"{stage}.backgroundColor") == "rgb(17, 17, 17)"
        page.evaluate("document.querySelector('[value=matte]').click()")
        *_, red, green, blue, alpha = page.evaluate(PIXELS.replace("ADDRESS", first))
        assert red == green == blue == rgba[3] and alpha == 255
        page.evaluate(
            "slider.value = 20; slider.dispatchEvent(new Event('input', {bubbles: true}))"
        )
        clip = "getComputedStyle(document.getElementById('second')).clipPath"
        assert page.evaluate(clip) == "inset(0px 0px 0px 20%)"
        shot = np.array(Image.open(page.screenshot(tmp_path / "page.png")).convert("L"))
        assert shot.std() > 10

        page.choose_files("#file", tmp_path / "text.png")
        page.wait_for("document.querySelector('#status.bad') !== null")
        assert "is not an image" in page.evaluate(STATUS)
        answers_400 = [text for text in page.errors if "400" in text]
        assert page.errors == answers_400, "the console is quiet but for the refusal"


def test_the_page_loads_nothing_from_elsewhere() -> None:
    from edgemat.serve.app import PAGE

    for file in PAGE.iterdir():
        assert "//" not in file.read_text().replace("// ", ""), file.name
