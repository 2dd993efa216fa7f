"""Right inputs in, wrong ones out: bits, spans, numbers, nesting, and values of JSON."""

from __future__ import annotations

import json
import random
import re
import struct
from typing import Any

MOST_AT_ONCE = 3
NUMBERS = (b"0", b"-1", b"1e308", b"1e999", b"NaN", b"1e6", b"99999999999999999999", b"9" * 5000)
WORDS = (0, -1, 1, 127, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, "", "x" * 300, "../../x", "\0", "\ud800", [], {}, [[]], -1, 0, 1e308, 10**6),
    *(2**63, 10**30, 0.5, float("nan"), "1", ["a"], {"a": 1}),
)
TEXTS = (b"[" * 50_000, b"{" * 50_000, b'{"a":' * 5000, b"\xff\xfe\x00", b"\0" * 64, b"((((" * 999)


def mutate(content: bytes, draw: random.Random, *, is_json: bool = False) -> bytes:
    """Return `content` with one to three faults in it."""
    for _ in range(draw.randint(1, MOST_AT_ONCE)):
        content = (
            _value(content, draw) if is_json and draw.random() < 0.5 else _bytes(content, draw)
        )
    return content


def _bytes(content: bytes, draw: random.Random) -> bytes:
    if not content:
        return draw.choice(TEXTS)
    at = draw.randrange(len(content))
    span = min(len(content) - at, draw.choice((1, 2, 4, 16, 256)))
    kind = draw.randrange(9)
    changed = bytearray(content)
    if kind == 0:
        changed[at] ^= 1 << draw.randrange(8)
    elif kind == 1:
        changed[at] = draw.randrange(256)
    elif kind == 2:
        del changed[at:]
    elif kind == 3:
        del changed[at : at + span]
    elif kind == 4:
        changed[at:at] = changed[at : at + span] * draw.choice((1, 2, 50))
    elif kind == 5:
        changed[at : at + span] = draw.randbytes(span)
    elif kind == 6:
        word = struct.pack(draw.choice("<>") + "q", draw.choice(WORDS))
        width = draw.choice((1, 2, 4, 8))
        changed[at : at + width] = word[:width] if draw.random() < 0.5 else word[-width:]
    elif kind == 7:
        found = list(re.finditer(rb"\d+(\.\d+)?", content))
        if found:
            start, end = draw.choice(found).span()
            changed[start:end] = draw.choice(NUMBERS)
    elif draw.random() < 0.2:
        changed[at:at] = draw.choice(TEXTS)
    return bytes(changed)


def _value(content: bytes, draw: random.Random) -> bytes:
    """Return JSON with one of its values, or keys, replaced or gone."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return content
    places = list(_places(tree))
    if not places:
        return json.dumps(draw.choice(ODD_VALUES)).encode()
    holder, key = draw.choice(places)
    kind = draw.randrange(4)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[draw.choice(("x", "", key + "x"))] = holder.pop(key)
    else:
        holder[key] = draw.choice(ODD_VALUES)
    return json.dumps(tree).encode()


def _places(tree: Any) -> Any:
    """Yield every place of a value as its holder and the key in that."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree)
    if isinstance(tree, dict | list):
        for key, value in inside:
            yield tree, key
            if isinstance(value, dict | list):
                yield from _places(value)
