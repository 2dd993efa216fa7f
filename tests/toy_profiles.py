"""A colour profile to write pictures with, as phones do."""

from __future__ import annotations

import struct


def display_p3() -> bytes:
    """An ICC profile of Display P3: its primaries adapted to D50 (ICC.1, 8.3.3), sRGB's curve."""

    def tag(kind: bytes, body: bytes) -> bytes:
        return kind + b"\0" * 4 + body

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return tag(b"XYZ ", b"".join(map(number, values)))

    curve = tag(
        b"para",
        struct.pack(">HH", 3, 0)
        + b"".join(map(number, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))),
    )
    text = tag(b"text", b"P3\0\0")
    tags = {
        b"wtpt": xyz(0.96420, 1.0, 0.82491),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
        b"desc": tag(b"desc", struct.pack(">I", 3) + b"P3\0" + b"\0" * 78), b"cprt": text,
    }  # fmt: skip
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s", 0, b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += b"\x07\xd0\0\x01\0\x01\0\0\0\0\0\0" + b"acsp" + b"\0" * 28
    header += number(0.96420) + number(1.0) + number(0.82491)
    profile = bytearray(header.ljust(128, b"\0") + table + body)
    profile[:4] = struct.pack(">I", len(profile))
    return bytes(profile)
