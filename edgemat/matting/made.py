"""How the results in a folder were made, so that those of other settings do not pass for done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from edgemat.files import explain_os_errors

NOTES = ".edgemat-made.jsonl"


class Made:
    """A folder's notes: a line for each result, of which the last counts.

    Parameters
    ----------
    folder:
        Where results go, also into folders inside it.
    settings:
        What results depend on beside the files that they are made of, by name.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        told = json.dumps(dict(settings), sort_keys=True).encode()
        self._how = hashlib.sha256(told).hexdigest()[:16]
        self._known: dict[str, str] | None = None

    def otherwise(self, result: Path) -> bool:
        """Return whether a result is known to be made with other settings."""
        if self._known is None:
            self._known = self._read()
        return self._known.get(self._name(result), self._how) != self._how

    def note(self, result: Path) -> None:
        """Note that a result is made with these settings.

        Raises
        ------
        DiskError
            When the folder may not be written.
        """
        line = json.dumps({"file": self._name(result), "settings": self._how})
        notes = self._folder / NOTES
        with explain_os_errors(notes), notes.open("a", encoding="utf-8") as file:
            file.write("\n" + line)  # first ends what a killed run left unfinished
        if self._known is not None:
            self._known[self._name(result)] = self._how

    def _name(self, result: Path) -> str:
        return result.relative_to(self._folder).as_posix()

    def _read(self) -> dict[str, str]:
        """Return the settings of each result; a line that a killed run left unfinished is none."""
        known: dict[str, str] = {}
        try:
            lines = (self._folder / NOTES).read_text("utf-8", errors="replace").splitlines()
        except OSError:
            return known
        for line in lines:
            try:
                told = json.loads(line)
                known[str(told["file"])] = str(told["settings"])
            except (ValueError, KeyError, TypeError):
                continue
        return known
