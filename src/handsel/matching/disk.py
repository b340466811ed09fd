"""
Say in Handsel's own errors what a disk refuses, and overwrite what is not to be read again.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from handsel.errors import StoreError, StoreFull
from handsel.log import Log

_CHUNK_BYTES = 1 << 22


class Shredder:
    """
    Overwrite and remove folders. One that cannot be is said in the log, without its name, and tried again.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._left: set[Path] = set()

    def shred(self, folder: Path) -> None:
        """
        Overwrite and remove a folder, now or later.
        """
        try:
            shred(folder)
        except StoreError as exc:
            self._left.add(folder)
            self._log.event("old_shares_not_overwritten", code=exc.code)
        else:
            self._left.discard(folder)

    def again(self) -> None:
        """
        Try those again that could not be overwritten.
        """
        for folder in tuple(self._left):
            self.shred(folder)


def shred(folder: Path) -> None:
    """
    Overwrite the files of a folder with zeros, and remove it. Where nothing is there, nothing is done.

    Raises `StoreError`.

    LIMITATIONS: On a disk that moves what is written, as flash does, an overwritten place may live on below.
    """
    if not folder.exists():
        return
    with translated():
        for path in sorted(folder.iterdir()):
            size = path.stat().st_size
            with path.open("r+b") as file:
                for start in range(0, size, _CHUNK_BYTES):
                    file.write(bytes(min(_CHUNK_BYTES, size - start)))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        folder.rmdir()
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """
    See that the names in a folder are on disk. Raises `OSError`.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """
    Turn what the disk refuses into `StoreFull` or `StoreError`.
    """
    try:
        yield
    except OSError as exc:
        full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
        raise (StoreFull if full else StoreError)(f"a file of the gallery cannot be written: {exc.strerror}") from exc
