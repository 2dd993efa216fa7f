"""Colour profiles to write pictures with, as phones, scanners and print shops do."""

from __future__ import annotations

import struct

_D50 = (0.96420, 1.0, 0.82491)


def display_p3() -> bytes:
    """An ICC profile of Display P3: its primaries adapted to D50 (ICC.1, 8.3.3), sRGB's curve."""
    curve = _tag(
        b"para",
        struct.pack(">HH", 3, 0)
        + b"".join(map(_number, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))),
    )
    return _profile(
        b"mntrRGB XYZ ",
        {
            b"rXYZ": _xyz(0.51512, 0.24120, -0.00105),
            b"gXYZ": _xyz(0.29198, 0.69225, 0.04189),
            b"bXYZ": _xyz(0.15710, 0.06657, 0.78407),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
        },
    )


def linear_grey() -> bytes:
    """A profile of grey whose values are light itself: half of white is 188 in sRGB."""
    return _profile(b"mntrGRAYXYZ ", {b"kTRC": _tag(b"curv", struct.pack(">I", 0))})


def of_ink(*, perceptual: float, colorimetric: float) -> bytes:
    """A print profile that has two opinions of cyan: its lightness L*, by intent."""
    intents = {b"A2B0": perceptual, b"A2B1": colorimetric}
    return _profile(b"prtrCMYKLab ", {name: _table(light) for name, light in intents.items()})


def _table(lightness: float) -> bytes:
    """A lookup table (lut8Type) from four inks to greys: all but paper and cyan is black."""
    straight = bytes(range(256))
    greys = bytes([255]) + bytes(7) + bytes([round(lightness * 2.55)]) + bytes(7)
    lab = b"".join(bytes([grey, 128, 128]) for grey in greys)
    unity = b"".join(map(_number, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    shape = bytes([4, 3, 2, 0])
    return _tag(b"mft1", shape + unity + straight * 4 + lab + straight * 3)


def _profile(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Put a profile together; `kind` is device class, colour space and connection space."""
    tags = tags | {
        b"wtpt": _xyz(*_D50),
        b"desc": _tag(b"desc", struct.pack(">I", 3) + b"P3\0" + b"\0" * 78),
        b"cprt": _tag(b"text", b"P3\0\0"),
    }
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    header = struct.pack(">I4sI12s", 0, b"lcms", 0x02400000, kind)
    header += b"\x07\xd0\0\x01\0\x01\0\0\0\0\0\0" + b"acsp" + b"\0" * 28
    header += b"".join(map(_number, _D50))
    profile = bytearray(header.ljust(128, b"\0") + table + body)
    profile[:4] = struct.pack(">I", len(profile))
    return bytes(profile)


def _tag(kind: bytes, body: bytes) -> bytes:
    return kind + b"\0" * 4 + body


def _number(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(*values: float) -> bytes:
    return _tag(b"XYZ ", b"".join(map(_number, values)))
