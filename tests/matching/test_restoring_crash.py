"""
A matcher that is killed at any moment while its rows are restored holds all of them or none, and can begin again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from handsel.matching import disk
from handsel.matching.message import MATCHERS
from tests.matching.ordered import a_gallery
from tests.matching.test_gallery_crash import Killer, WatchedConnection
from tests.matching.test_refresh import enrol, require_whole
from tests.matching.test_restoring import DIMS, all_rows, restored

PALMS = 150


def killed_at(moment: int, root: Path, lost: Path) -> bool:
    """
    Restore in a child, killed at a moment; return whether there was such a moment.
    """
    child = os.fork()
    if child == 0:
        try:
            opened = {name: a_gallery(root / name, me=name, dims=DIMS) for name in "ab"}
            opened["c"] = a_gallery(lost, me="c", dims=DIMS)
            killer = Killer(moment)
            stored = opened["c"]._stored
            stored._connection = WatchedConnection(stored._connection, killer)  # type: ignore[assignment]
            disk.os.fsync = killer.around(os.fsync)  # type: ignore[attr-defined]
            disk.Path.unlink = killer.around(Path.unlink)  # type: ignore[attr-defined, method-assign]
            restored(opened, "c")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_matcher_killed_at_any_moment_of_a_restore_holds_all_or_nothing(tmp_path: Path) -> None:
    begun = {name: a_gallery(tmp_path / name, me=name, dims=DIMS) for name in MATCHERS}
    for number in range(PALMS):
        enrol(begun, number)
    expected = all_rows(begun["c"])
    for gallery in begun.values():
        gallery.close()
    moment, was_killed, found = 1, True, set[int]()
    while was_killed:
        lost = tmp_path / f"at-{moment}"
        was_killed = killed_at(moment, tmp_path, lost)

        opened = {name: a_gallery(tmp_path / name, me=name, dims=DIMS) for name in "ab"}
        opened["c"] = a_gallery(lost, me="c", dims=DIMS)
        found.add(opened["c"].rows().count)
        assert len(list(lost.glob("blocks-*"))) == 1
        if opened["c"].rows().count == 0:
            assert restored(opened, "c").answers == dict.fromkeys(MATCHERS, PALMS)
        assert all_rows(opened["c"]) == expected
        require_whole(opened, range(PALMS))
        for gallery in opened.values():
            gallery.close()
        shutil.rmtree(lost)
        moment += 1
    assert found == {0, PALMS}
    assert moment > 20
