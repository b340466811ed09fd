"""
Promises of the shredder: what is overwritten is gone, and what could not be is said and tried again.
"""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from handsel.errors import StoreError, StoreFull
from handsel.log import Log
from handsel.matching.disk import Shredder, shred, translated
from handsel.matching.kept import Shares
from tests.matching.ordered import a_gallery, commit, erase
from tests.matching.vouched import VOUCHERS

DIMS = 8


def a_folder(directory: Path) -> Path:
    """
    Return a folder with two files.
    """
    folder = directory / "old-shares"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_bytes(os.urandom(5000))
    return folder


def fail_to_unlink(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Have no file removed.
    """

    def unlink(_: Path) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr("handsel.matching.disk.Path.unlink", unlink)


def test_folder_is_overwritten_and_removed(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    held = (folder / "a").open("rb")

    shred(folder)
    shred(folder)

    assert not folder.exists()
    assert held.read() == bytes(5000)
    held.close()


def test_failure_is_said_without_a_name_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, stream = a_folder(tmp_path), io.StringIO()
    shredder = Shredder(Log("matcher-a", stream))
    with monkeypatch.context() as patched:
        fail_to_unlink(patched)
        shredder.shred(folder)
        shredder.again()

    assert stream.getvalue().count("old_shares_not_overwritten") == 2
    assert '"code": "store_error"' in stream.getvalue()
    assert "old-shares" not in stream.getvalue()
    shredder.again()
    shredder.again()

    assert not folder.exists()
    assert stream.getvalue().count("old_shares_not_overwritten") == 2


def test_old_blocks_that_could_not_be_overwritten_are_at_the_next_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    gallery = a_gallery(tmp_path / "a", me="a", dims=DIMS, log=Log("matcher-a", stream))
    ids = [number.to_bytes(16, "big") for number in range(200)]
    gallery.keep_pending([(one, Shares(os.urandom(2 * DIMS), bytes(16), bytes(16)), VOUCHERS) for one in ids], now_ms=0)
    for position, one in enumerate(ids):
        commit(gallery, one, position=position)
    with monkeypatch.context() as patched:
        fail_to_unlink(patched)
        erase(gallery, ids[0], now_ms=0)
    assert len(list((tmp_path / "a").glob("blocks-*"))) == 2
    assert "old_shares_not_overwritten" in stream.getvalue()

    gallery.rows()
    assert len(list((tmp_path / "a").glob("blocks-*"))) == 2
    erase(gallery, ids[199], now_ms=0)

    assert len(list((tmp_path / "a").glob("blocks-*"))) == 1
    assert gallery.rows().count == 198
    gallery.close()


def test_disk_s_errors_are_handsel_s() -> None:
    for number, error in ((errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull), (errno.EIO, StoreError)):
        with pytest.raises(error), translated():
            raise OSError(number, "what the disk says")
