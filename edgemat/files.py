"""Files that are never half written: temporary name, flush, rename; and their hashes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgemat.errors import DiskError, EdgematError, UsageError

CHUNK = 1 << 20
SHOWN_CHARACTERS = 80
"""Of a name in a message: a user's may have hundreds."""


@contextlib.contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn whatever a disk or its file system refuses into a :class:`DiskError` naming `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskError(
                f"The disk is full while writing {path}.",
                remedy="Free some space, then run the same command again: it resumes from here.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DiskError(
                f"Writing {path} is not permitted.", remedy="Choose a folder that you may write to."
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG):
            raise DiskError(
                f"{shorten(path)} cannot be written: {error.strerror}.",
                remedy="Choose another name: a file or folder is in the way, or it is too long.",
            ) from error
        if error.errno is None or isinstance(error, ConnectionError | TimeoutError):
            raise  # of a network, not of a disk
        raise DiskError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Choose a folder on a disk that you may write to.",
        ) from error


def explained(error: OSError) -> EdgematError:
    """Return what to tell a user whose path the system refuses; raises `error` if it names none.

    It is for paths that are only looked at: one of 300 characters, or in a folder that is closed.
    """
    named = error.filename
    if not isinstance(named, str | bytes | os.PathLike) or error.strerror is None:
        raise error
    return UsageError(
        f"{shorten(os.fsdecode(named))} cannot be used: {error.strerror}.",
        remedy="Check that name, and its permissions.",
    )


def shorten(name: object) -> str:
    """Return a name for a message, its middle left out where it is long."""
    text, half = str(name), SHOWN_CHARACTERS // 2
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:half]}...{text[-half:]}"


@contextlib.contextmanager
def atomic_path(path: Path, *, directory: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is renamed to `path`, else removed.

    A reader therefore sees the old content or the new one, never a part, whatever kills the
    writer. With ``directory=True`` the temporary path is an existing empty folder, and `path`
    must not exist yet.

    Raises
    ------
    DiskError
        When the disk is full, the folder may not be written or the name is taken by another kind.
    """
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # The suffix is kept: some writers choose the format by it.
        temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
        target = temporary if directory else temporary / path.name
        try:
            temporary.mkdir(mode=0o700)
            yield target
            if directory:
                target.chmod(0o755)  # nobody reads a part, but artefacts are meant to be shared
            else:
                _flush(target)
            os.replace(target, path)
        finally:
            _remove(temporary)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:  # even then nothing stays behind
        shutil.rmtree(folder, ignore_errors=True)
        raise


def move_into_place(source: Path, target: Path) -> None:
    """Rename a finished file or folder to `target`, on the same disk; what was there is removed.

    Where that fails, what was there stays.

    Raises
    ------
    DiskError
        When the folder may not be written.
    """
    with explain_os_errors(target):
        if target.is_dir():  # a rename cannot replace a folder that holds something
            trash = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
            old = trash / target.name
            try:
                target.rename(old)
                os.replace(source, target)
            except OSError:
                if old.exists():
                    old.rename(target)
                trash.rmdir()
                raise
            shutil.rmtree(trash, ignore_errors=True)
        else:
            os.replace(source, target)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in one step (see :func:`atomic_path`)."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, in one step."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def sha256_file(path: Path) -> str:
    """Return the hex SHA-256 of one file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_tree(path: Path) -> str:
    """Return the hex SHA-256 of a file, or of a folder's relative names and contents."""
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        digest.update(sha256_file(file).encode() + b"\0")
    return digest.hexdigest()


def size_bytes(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
