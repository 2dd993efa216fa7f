"""Results over time, in one SQLite file that survives a kill at any moment."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from edgemat.bench.result import Result
from edgemat.errors import ArtifactError, DiskError, EdgematError, UsageError
from edgemat.files import explain_os_errors

SCHEMA = 2
BUSY_TIMEOUT_S = 10.0
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNWRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
}
_CREATE = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    recorded_at TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    result TEXT NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS runs_by_model ON runs (model_sha256, id)"


def default_history() -> Path:
    """Return the file in which ``edgemat bench`` keeps its results: one for each user."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "edgemat" / "history.sqlite"


class RunStore:
    """A file of results, appended to and never changed.

    Each append is one transaction: a reader sees all of a result or nothing of it.

    Parameters
    ----------
    path:
        The SQLite file; created, with its folder, on the first append.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, result: Result) -> int:
        """Store one result and return its number.

        Raises
        ------
        ArtifactError
            When the file is damaged, or was written by a newer version.
        DiskError
            When it cannot be written.
        """
        row = (result.recorded_at, result.model_sha256, json.dumps(result.to_json()))
        with self._transaction(write=True) as connection:
            cursor = connection.execute(
                "INSERT INTO runs (recorded_at, model_sha256, result) VALUES (?, ?, ?)", row
            )
            number = cursor.lastrowid
        assert number is not None  # an INSERT always sets it
        return number

    def history(self, model_sha256: str | None = None) -> dict[int, Result]:
        """Return number to result, of one model (or of all), the oldest first.

        Raises
        ------
        ArtifactError
            When the file is damaged, or was written by another version.
        """
        if not self.path.exists():
            return {}
        with self._transaction(write=False) as connection:
            if _version(connection) == 0:
                return {}  # created, but nothing was ever committed
            rows = connection.execute(
                "SELECT id, result FROM runs WHERE ?1 IS NULL OR model_sha256 = ?1 ORDER BY id",
                (model_sha256,),
            ).fetchall()
        try:
            return {number: Result.model_validate_json(text) for number, text in rows}
        except ValidationError as error:
            raise self._damaged(str(error.errors(include_input=False)[0]["msg"])) from error
        except UsageError as error:  # an impossible protocol
            raise self._damaged(error.message.rstrip(".")) from error

    def get(self, number: int) -> Result:
        """Return the result of that number.

        Raises
        ------
        UsageError
            When there is none.
        """
        history = self.history()
        if number not in history:
            known = f"Known: 1 to {max(history)}." if history else "There is none yet."
            raise UsageError(f"{self.path} has no result number {number}.", remedy=known)
        return history[number]

    @contextlib.contextmanager
    def _transaction(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """Give a connection inside a transaction that is committed, or rolled back on an error."""
        try:
            if write:
                with explain_os_errors(self.path):
                    self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(
                sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            ) as connection:
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                with connection:
                    self._check_version(connection)
                    if write:
                        connection.execute(_CREATE)
                        connection.execute(_INDEX)
                        connection.execute(f"PRAGMA user_version = {SCHEMA}")
                    yield connection
        except sqlite3.Error as error:
            raise self._explained(error) from error
        except (UnicodeDecodeError, MemoryError, OverflowError) as error:
            # sqlite3's own, where damaged bytes are no text or say that there are gigabytes
            raise self._damaged(str(error) or "impossible lengths") from error

    def _check_version(self, connection: sqlite3.Connection) -> None:
        version = _version(connection)
        if 0 < version < SCHEMA:
            raise ArtifactError(
                f"{self.path} was written by an older edgemat (schema {version}, now {SCHEMA}).",
                remedy="Move it away: a new history is begun.",
            )
        if version > SCHEMA:
            raise ArtifactError(
                f"{self.path} was written by a newer edgemat (schema {version}, known {SCHEMA}).",
                remedy="Update edgemat, or name another file.",
            )

    def _explained(self, error: sqlite3.Error) -> EdgematError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        if code in _BUSY:
            return DiskError(
                f"{self.path} is in use by another process.",
                remedy="Wait until it has finished, then run the same command again.",
            )
        if code in _UNWRITABLE:
            return DiskError(
                f"{self.path} cannot be read or written: {error}.",
                remedy="Check free space and permissions, then run the same command again.",
            )
        return self._damaged(str(error))

    def _damaged(self, detail: str) -> ArtifactError:
        return ArtifactError(
            f"{self.path} is damaged or not a file of results: {detail}.",
            remedy="Move it away (a new one is begun) or bring back a copy.",
        )


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
