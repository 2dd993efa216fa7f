"""The seal of a manifest: a hash of its own text, in which no bit can change unnoticed.

It tells damage and edits by hand. Whoever recomputes it can still write what he likes: it is no
signature.
"""

from __future__ import annotations

import hashlib

BLANK = "0" * 64
"""Stands in a text for the seal while that is computed."""


def seal_text(text: str) -> str:
    """Return `text`, in which :data:`BLANK` stands once as a JSON value, with its seal there.

    >>> from edgemat.artifacts.seal import BLANK, seal_text
    >>> seal_text('{"seal": "' + BLANK + '"}')[10:18]
    '3922ac9b'
    """
    return text.replace(_value(BLANK), _value(_digest(text.encode())))


def is_whole(content: bytes, seal: str) -> bool:
    """Return whether `seal` is that of a text which holds it."""
    return _digest(content.replace(_value(seal).encode(), _value(BLANK).encode())) == seal


def _value(seal: str) -> str:
    return f'"seal": "{seal}"'


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
