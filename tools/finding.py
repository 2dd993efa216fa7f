"""The finding of a check, and how findings are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgemat.terminal import out


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes
    ----------
    detail:
        What was looked at where all is well, else what is wrong.
    skipped:
        Whether it could not be checked here; the title then says why.
    """

    title: str
    ok: bool
    detail: str = ""
    skipped: bool = False

    @property
    def text(self) -> str:
        """One line, or what is wrong below it."""
        if self.skipped:
            return f"skipped {self.title}"
        if self.ok:
            return f"ok      {self.title}" + (f": {self.detail}" if self.detail else "")
        return f"FAILED  {self.title}\n{self.detail.rstrip()}"


def finding(title: str, problems: list[str], detail: str) -> Finding:
    """Return a finding that is fine where there are no problems."""
    return Finding(title, not problems, "\n".join(problems) if problems else detail)


def check_all(*steps: Callable[[], Finding]) -> bool:
    """Check one thing after the other, say what was found, and return whether all is well."""
    ok = True
    for step in steps:
        found = step()
        ok &= found.ok
        say(found.text)
    return ok


def say(text: str) -> None:
    """Print a text as it is, whatever brackets or paths are in it."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)
