"""Colour profiles: what is read becomes sRGB, what is written says that it is.

Networks are trained on sRGB. A photograph in Display P3 or a print profile whose numbers were taken
for sRGB would be cut out, and saved, in wrong colours.
"""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageCms

from edgemat.images.labels import warn

# An ICC header holds its time of creation in these bytes; a fixed one keeps files reproducible.
_CREATED = slice(24, 36)
_YEAR_2000 = bytes([0x07, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])
# ICC.1, section 7.2.6: the profile's colour space, to the modes of Pillow that it can describe.
_MODES = {"RGB ": ("RGB",), "GRAY": ("L",), "CMYK": ("CMYK",), "Lab ": ("LAB",)}


def to_srgb(image: Image.Image, path: object) -> Image.Image:
    """Return a decoded picture as 8-bit sRGB, "RGB" or "RGBA", by its own colour profile.

    Without a profile it is taken for sRGB (Pillow's formula for CMYK). Print profiles are converted
    perceptually, so that colours outside of sRGB keep their order; others by relative colorimetry.
    A profile that does not fit the picture, or is damaged, is ignored with a warning.

    Parameters
    ----------
    image:
        8 bits a channel, of any colour mode.
    path:
        Named in warnings.
    """
    alpha = None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
    profile = _profile_of(image, path)
    colours = image.convert("RGB") if profile is None else _apply(profile, image, path)
    if alpha is None:
        return colours
    colours.putalpha(alpha)
    return colours


@cache
def srgb_profile() -> bytes:
    """Return an sRGB profile to embed, the same bytes every time."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_CREATED] = _YEAR_2000
    return bytes(profile)


def _profile_of(image: Image.Image, path: object) -> ImageCms.ImageCmsProfile | None:
    """Return the picture's profile where it has one that fits, else None."""
    icc = image.info.get("icc_profile")
    if not icc:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = str(profile.profile.xcolor_space)
    except (OSError, ImageCms.PyCMSError, TypeError, ValueError):
        warn(f"{path} has a damaged colour profile; it is taken for sRGB.")
        return None
    if _plain_mode(image) not in _MODES.get(space, ()):
        warn(f"{path} has a colour profile for {space.strip()}; it is taken for sRGB.")
        return None
    return profile


def _apply(profile: ImageCms.ImageCmsProfile, image: Image.Image, path: object) -> Image.Image:
    printing = image.mode == "CMYK"
    intent = ImageCms.Intent.PERCEPTUAL if printing else ImageCms.Intent.RELATIVE_COLORIMETRIC
    plain = image if printing else image.convert(_plain_mode(image))
    try:
        converted = ImageCms.profileToProfile(
            plain, profile, ImageCms.createProfile("sRGB"), renderingIntent=intent, outputMode="RGB"
        )
    except (OSError, ValueError, ImageCms.PyCMSError):
        warn(f"The colour profile of {path} cannot be applied; it is taken for sRGB.")
        return image.convert("RGB")
    assert converted is not None  # only a conversion in place returns None
    return converted


def _plain_mode(image: Image.Image) -> str:
    """Return the mode of the picture's colours alone: without alpha, palette or bit depth."""
    if image.mode in ("L", "LA", "La", "1"):
        return "L"
    return image.mode if image.mode in ("CMYK", "LAB") else "RGB"
