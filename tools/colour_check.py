"""Colour profiles against libvips: `python -m tools.colour_check PHOTOGRAPH ...`.

Each photograph is written once for each profile, as if its numbers were of that one (a print
profile gets its inks), and read by edgemat and by libvips. The largest difference is printed.

    pip install pyvips pyvips-binary                        # libvips 8.18
    apt-get install icc-profiles-free libgs-common          # Adobe RGB and others; inks
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageCms

from edgemat.errors import MissingToolError, UsageError
from edgemat.images import U8, read_image
from edgemat.terminal import run_app

PROFILES = Path("/usr/share/color/icc")
NAMES = (
    *("compatibleWithAdobeRGB1998.icc", "LStar-RGB.icc", "Gray.icc", "Gray-CIE_L.icc"),
    "ghostscript/default_cmyk.icc",
)
INTENTS = {"RGB": "relative", "GRAY": "relative", "CMYK": "perceptual"}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    photographs: Annotated[list[Path], typer.Argument(help="In sRGB, without transparency.")],
) -> None:
    """Print how far edgemat's colours lie from libvips's."""
    print("| profile | photographs | greatest difference, of 255 | mean |")
    print("|---|---|---|---|")
    for name in NAMES:
        differences = np.concatenate([d.ravel() for d in _differences(name, photographs)])
        greatest, mean = differences.max(), differences.mean()
        print(f"| {Path(name).stem} | {len(photographs)} | {greatest} | {mean:.3f} |", flush=True)


def _differences(name: str, photographs: list[Path]) -> Iterator[U8]:
    if not (PROFILES / name).exists():
        raise UsageError(
            f"There is no {PROFILES / name}.",
            remedy="apt-get install icc-profiles-free libgs-common",
        )
    profile = (PROFILES / name).read_bytes()
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = str(opened.profile.xcolor_space).strip()
    with tempfile.TemporaryDirectory() as folder:
        for number, photograph in enumerate(photographs):
            path = Path(folder) / f"{number}.tif"  # libvips remembers files by their names
            _in_space(photograph, space, opened).save(path, icc_profile=profile)
            ours, theirs = read_image(path), _by_libvips(path, INTENTS[space])
            yield np.abs(ours.astype(int) - theirs.astype(int)).astype(np.uint8)


def _in_space(path: Path, space: str, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    with Image.open(path) as image:
        if space != "CMYK":
            return image.convert("L" if space == "GRAY" else "RGB")
        srgb = ImageCms.createProfile("sRGB")
        inks = ImageCms.profileToProfile(image.convert("RGB"), srgb, profile, outputMode="CMYK")
    assert inks is not None
    return inks


def _by_libvips(path: Path, intent: str) -> U8:
    try:
        import pyvips
    except ImportError as error:
        raise MissingToolError(
            "This needs pyvips, which is not installed.",
            remedy="pip install pyvips pyvips-binary",
        ) from error
    picture = pyvips.Image.new_from_file(str(path)).icc_transform(
        "srgb", embedded=True, intent=intent, black_point_compensation=False
    )
    pixels: U8 = picture.numpy()
    height, width = pixels.shape[:2]
    return np.broadcast_to(pixels.reshape(height, width, -1), (height, width, 3))


if __name__ == "__main__":
    sys.exit(run_app(app))
