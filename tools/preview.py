"""What the previews of both apps share: the scene, its pictures, and the browser that draws a page.

What stands where in which words is each app's own: :mod:`tools.android.preview`,
:mod:`tools.ios.preview`.
"""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from edgemat.artifacts.shipped import SHIPPED_TARGET, open_artifact
from edgemat.data.sections import PEOPLE
from edgemat.errors import MissingToolError
from edgemat.images import F32, to_uint8
from edgemat.matting.foreground import cut_out
from edgemat.matting.matte import matte

PERSON = PEOPLE / "0040.webp"
SIZE = (480, 640)
CHEQUER = 14  # px
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class MattedScene:
    """A rendered person before drawn leaves, matted by the shipped portrait model.

    Attributes
    ----------
    alpha:
        H,W in 0..1.
    """

    picture: Image.Image
    alpha: F32

    @property
    def mask(self) -> Image.Image:
        """The matte in 256 steps."""
        return Image.fromarray(to_uint8(self.alpha))

    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Return H,W truth values: what is foreground for sure, and what is background."""
        sure = np.asarray(self.mask.filter(ImageFilter.MinFilter(15))) > 242
        none = np.asarray(self.mask.filter(ImageFilter.MaxFilter(15))) < 13
        return sure, none

    def before(self, colour: tuple[int, int, int]) -> Image.Image:
        """Return the person before one colour."""
        plain = Image.new("RGB", SIZE, colour)
        plain.paste(self.picture, (0, 0), self.mask)
        return plain

    def before_chequers(self, *colours: tuple[int, int, int]) -> Image.Image:
        """Return the cut-out as apps show it: what is transparent is chequered in two colours."""
        width, height = SIZE
        cutting = Image.fromarray(cut_out(np.asarray(self.picture), self.alpha))
        rows, columns = np.indices((height, width)) // CHEQUER
        ground = Image.fromarray(np.array(colours, np.uint8)[(rows + columns) % 2])
        ground.paste(cutting, (0, 0), cutting)
        return ground


def make_scene() -> MattedScene:
    """Draw the leaves, put the person before them, and matte both."""
    width, height = SIZE
    random = np.random.default_rng(7)
    picture = Image.new("RGB", SIZE, (150, 176, 190))
    brush = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y, radius = random.integers((0, height // 3, 20), (width, height, 70))
        red, green, blue = random.integers((60, 90, 50), (150, 170, 110))
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), (red, green, blue))
    picture = picture.filter(ImageFilter.GaussianBlur(9))
    with Image.open(PERSON) as person:
        cut = person.convert("RGBA").resize((width, width))
        picture.paste(cut, (0, height - width), cut)
    alpha = matte(np.asarray(picture), model=open_artifact("portrait", target=SHIPPED_TARGET))
    return MattedScene(picture, alpha)


def address(picture: Image.Image) -> str:
    """Return a picture as an address that holds it."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def draw_page(page: str, target: Path, *, window: tuple[int, int]) -> None:
    """Draw a page of HTML into a WebP file, by a browser with a window of so many pixels.

    Raises
    ------
    MissingToolError
        When there is no Chromium.
    """
    browser = next((found for found in map(shutil.which, _BROWSERS) if found), None)
    if browser is None:
        raise MissingToolError(
            "The previews are drawn by Chromium, which is not installed.",
            remedy="Install it (Debian): apt-get install chromium",
        )
    width, height = window
    with tempfile.TemporaryDirectory() as folder:
        source, drawn = Path(folder) / "page.html", Path(folder) / "page.png"
        source.write_text(page, encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--window-size={width},{height}", f"--screenshot={drawn}", source.as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        target.parent.mkdir(exist_ok=True)
        with Image.open(drawn) as picture:
            picture.convert("RGB").save(target, quality=80, method=6)
