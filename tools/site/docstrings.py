"""Docstrings as the site shows them: an extension of Griffe, which reads them for mkdocstrings.

In the source, examples stand bare and names have a role, as Python's own tools read them; Markdown
would take ``>>>`` for a quotation.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

EXAMPLE = re.compile(r"(?m)(?:^[ \t]*>>> .*\n?(?:^(?![ \t]*$).*\n?)*)+")
ROLE = re.compile(r":(?:class|func|meth|mod|attr):`~?([^`]+)`")


class Docstrings(Extension):
    """Fences examples and drops roles."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite one docstring."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring: str) -> str:
    """Return a docstring whose examples are fenced and whose names are code and no more.

    >>> print(as_markdown("See :func:`bench`."))
    See `bench`.
    """
    fenced = EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", docstring)
    return ROLE.sub(r"`\1`", fenced)
