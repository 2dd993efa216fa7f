"""Gather photographs for backgrounds: `python -m tools.backgrounds data/backgrounds`.

Wallpapers of Debian packages (fetched with apt-get) and rooms and landscapes from the CC0 panoramas
in the npm package @pmndrs/assets (fetched with npm; reading them needs `pip install OpenEXR`).
Licences are listed in docs/data.md and, file by file, in the packages' own copyright files, which
are kept beside the pictures. The pictures train models; they are not shipped.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from edgemat.data.listing import SUFFIXES
from edgemat.errors import MissingToolError
from edgemat.images import F32, read_image, resize, to_uint8, write_image
from edgemat.progress import track
from edgemat.terminal import run_app

WALLPAPERS = (
    "gnome-backgrounds",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "mate-backgrounds",
    "plasma-workspace-wallpapers",
    "sway-backgrounds",
    "ukui-wallpapers",
)
PANORAMAS = "@pmndrs/assets@1.7.0"
LONGER_SIDE, SHORTEST_SIDE = 1100, 500  # of wallpapers that are kept, px
VIEWS = 6  # of every panorama
VIEW_SIDE, FIELD_OF_VIEW = 320, 80.0  # px, degrees

app = typer.Typer(add_completion=False)


@app.command()
def main(output: Annotated[Path, typer.Argument(help="Folder for the photographs.")]) -> None:
    """Fetch the packages and write their pictures as JPEG."""
    output.mkdir(parents=True, exist_ok=True)
    written = panoramas(output) + wallpapers(output)
    print(f"{written} photographs in {output}.")


def wallpapers(output: Path) -> int:
    """Write the wallpapers of all Debian packages; returns how many there are."""
    written, seen = 0, set()
    with tempfile.TemporaryDirectory() as scratch:
        for package in track(WALLPAPERS, "wallpapers", len(WALLPAPERS)):
            _run("apt-get", "download", package, folder=scratch)
            archive = next(Path(scratch).glob(f"{package}_*.deb"))
            tree = Path(scratch) / package
            _run("dpkg", "-x", str(archive), str(tree), folder=scratch)
            for notice in tree.glob("usr/share/doc/*/copyright"):
                shutil.copyfile(notice, output / f"{package}.copyright")
            for file in sorted(tree.rglob("*")):
                if file.suffix.lower() not in SUFFIXES or "screenshot" in file.name:
                    continue
                picture = read_image(file)
                if min(picture.shape[:2]) < SHORTEST_SIDE:
                    continue
                # The same wallpaper comes in several sizes and shapes.
                key = resize(picture, (8, 8), method="area").tobytes()
                if key in seen:
                    continue
                seen.add(key)
                scale = min(1.0, LONGER_SIDE / max(picture.shape[:2]))
                size = round(picture.shape[0] * scale), round(picture.shape[1] * scale)
                name = re.sub(r"[^A-Za-z0-9]+", "-", file.stem)
                write_image(output / f"{package}-{name}-{written:03d}.jpg", resize(picture, size))
                written += 1
    return written


def panoramas(output: Path) -> int:
    """Write views into all panoramas; returns how many there are."""
    try:
        import OpenEXR
    except ImportError as error:
        raise MissingToolError(
            "Reading panoramas needs OpenEXR, which is not installed.",
            remedy="Run: pip install OpenEXR",
        ) from error
    written = 0
    with tempfile.TemporaryDirectory() as scratch:
        _run("npm", "pack", "--silent", PANORAMAS, folder=scratch)
        archive = next(Path(scratch).glob("*.tgz"))
        _run("tar", "xzf", archive.name, folder=scratch)
        shutil.copyfile(Path(scratch) / "package" / "LICENSE", output / "panoramas.copyright")
        for script in track(sorted(Path(scratch).glob("package/hdri/*.exr.js")), "panoramas"):
            encoded = script.read_text().split("base64,")[1].rstrip("';\n ")
            file = Path(scratch) / "panorama.exr"
            file.write_bytes(base64.b64decode(encoded))
            channels = OpenEXR.File(str(file)).channels()
            radiance = np.maximum(np.float32(channels["RGB"].pixels), 0)
            for number in range(VIEWS):
                view = tone_map(look(radiance, number * 360.0 / VIEWS))
                name = f"panorama-{script.name.split('.')[0]}-{number}.jpg"
                write_image(output / name, view)
                written += 1
    return written


def look(panorama: F32, direction: float) -> F32:
    """Return a perspective view of an equirectangular panorama, towards `direction` degrees."""
    half = np.tan(np.radians(FIELD_OF_VIEW / 2))
    across, down = np.meshgrid(*[np.linspace(-half, half, VIEW_SIDE)] * 2)
    azimuth = np.arctan(across) + np.radians(direction)
    elevation = np.arctan2(-down, np.hypot(1, across))
    height, width = panorama.shape[:2]
    columns = (azimuth / (2 * np.pi) % 1.0) * width
    rows = (0.5 - elevation / np.pi) * height
    return _bilinear(panorama, rows - 0.5, columns - 0.5)


def tone_map(radiance: F32) -> np.ndarray:
    """Expose for the view's own brightness (Reinhard's curve) and encode as sRGB."""
    exposed = radiance * 0.25 / max(1e-4, float(np.exp(np.log(radiance + 1e-4).mean())))
    return to_uint8((exposed / (1 + exposed)) ** np.float32(1 / 2.2))


def _bilinear(picture: F32, rows: np.ndarray, columns: np.ndarray) -> F32:
    """Sample between pixels; columns go around, rows stop at the poles."""
    height, width = picture.shape[:2]
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = (rows - top)[..., None], (columns - left)[..., None]

    def at(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        pixels: np.ndarray = picture[np.clip(row, 0, height - 1), column % width]
        return pixels

    above = at(top, left) * (1 - right) + at(top, left + 1) * right
    below = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    blended: F32 = (above * (1 - down) + below * down).astype(np.float32)
    return blended


def _run(*command: str, folder: str) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise MissingToolError(
            f"{command[0]} is not installed.", remedy=f"Install {command[0]}, on Debian or Ubuntu."
        ) from error
    except subprocess.CalledProcessError as error:
        raise MissingToolError(
            f"{' '.join(command[:3])} failed: {error.stderr.strip().splitlines()[-1:]}",
            remedy="Check the network and the package sources.",
        ) from error


if __name__ == "__main__":
    sys.exit(run_app(app))
