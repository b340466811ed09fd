"""
A gallery that is killed at any moment holds what it had told, and nothing by halves.

A process is forked for every moment at which something may be half done: before and after each statement that changes
the database, each flush of a file, each file that is removed. It kills itself there; then the gallery is opened again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handsel.matching import disk
from handsel.matching.entry import ACTIVE, ERASED
from handsel.matching.gallery import Gallery
from handsel.matching.kept import Shares
from handsel.matching.renewal import next_chain
from handsel.matching.rows import Row, Rows, from_planes
from handsel.matching.vouched import Batch
from handsel.matching.voucher import Voucher, Vouchers
from tests.matching.ordered import a_gallery, commit, erase
from tests.matching.renewed_row import renewed_row

DIMS = 8
PALMS_MAX = 1000
ENROLLED = 190  # Two blocks are sealed, and the next commits seal the third.
SEALED_ROW, TAIL_ROW = 5, ENROLLED - 1
SEED = bytes(range(32))
HALF = bytes([7] * 32)

Story = Callable[[Gallery, Callable[[str], None]], None]


def an_id(number: int) -> bytes:
    """
    Return the id of an enrolment.
    """
    return number.to_bytes(16, "big")


@cache
def shares(number: int) -> Shares:
    """
    Return shares that tell whose they are.
    """
    content = np.random.default_rng(number).bytes(2 * DIMS + 32)
    return Shares(content[: 2 * DIMS], content[2 * DIMS : -16], content[-16:])


@cache
def voucher(number: int, *, whose: str, epoch: int) -> Voucher:
    """
    Return a voucher that tells for which row, whose it is and whether it is for the renewed one.
    """
    told = hashlib.sha256(f"{number}/{whose}/{epoch}".encode()).digest()
    return Voucher(told[:16], told if epoch == 0 else HALF)


def vouch(gallery: Gallery) -> None:
    """
    Have both peers vouch for all rows that are to be renewed.
    """
    pieces = [
        Batch.of(b"".join(voucher(number, whose=whose, epoch=1).digest for number in range(ENROLLED)), HALF)
        for whose in "bc"
    ]
    positions = 2 * np.arange(ENROLLED, dtype=np.int64)
    gallery.renewing.keep_vouched(next_chain(b"", SEED), positions, after=pieces[0], before=pieces[1])


def enrol(gallery: Gallery, number: int, *, position: int | None = None) -> None:
    """
    Enrol and commit.
    """
    vouchers = Vouchers(*(voucher(number, whose=whose, epoch=0) for whose in "bc"))
    gallery.keep_pending([(an_id(number), shares(number), vouchers)], now_ms=0)
    commit(gallery, an_id(number), position=2 * number if position is None else position)


def commit_and_seal(gallery: Gallery, told: Callable[[str], None]) -> None:
    """
    Enrol until a block has been sealed.
    """
    for number in range(ENROLLED, ENROLLED + 4):
        enrol(gallery, number)
        told(f"+{number}")


def erase_from_a_block(gallery: Gallery, told: Callable[[str], None]) -> None:
    """
    Erase a row that is sealed.
    """
    erase(gallery, an_id(SEALED_ROW), now_ms=0)
    told(f"-{SEALED_ROW}")


def erase_from_the_tail(gallery: Gallery, told: Callable[[str], None]) -> None:
    """
    Erase a row that is not.
    """
    erase(gallery, an_id(TAIL_ROW), now_ms=0)
    told(f"-{TAIL_ROW}")


def commit_among_blocks(gallery: Gallery, told: Callable[[str], None]) -> None:
    """
    Enrol a row whose position lies among those that are sealed.
    """
    enrol(gallery, ENROLLED, position=2 * SEALED_ROW + 1)
    told(f"+{ENROLLED}")


def renew_all(gallery: Gallery, told: Callable[[str], None]) -> None:
    """
    Keep a seed, and renew all rows with it.
    """
    gallery.renewing.keep_seed(SEED, digest=gallery.rows().digest)
    vouch(gallery)
    gallery.renewing.prepare()
    gallery.renewing.renew(now_ms=0)
    told("renewed")


def renew_while_rows_come(gallery: Gallery, told: Callable[[str], None]) -> None:
    """
    Renew while a block is sealed between the writing and the switch.
    """
    gallery.renewing.keep_seed(SEED, digest=gallery.rows().digest)
    vouch(gallery)
    gallery.renewing.prepare()
    commit_and_seal(gallery, told)
    gallery.renewing.renew(now_ms=0)
    told("renewed")


def renew_while_one_goes(gallery: Gallery, told: Callable[[str], None]) -> None:
    """
    Renew while rows are erased between the writing and the switch.
    """
    gallery.renewing.keep_seed(SEED, digest=gallery.rows().digest)
    vouch(gallery)
    gallery.renewing.prepare()
    erase_from_a_block(gallery, told)
    erase_from_the_tail(gallery, told)
    gallery.renewing.renew(now_ms=0)
    told("renewed")


class Killer:
    """
    Count moments, and kill this process at one of them.
    """

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0

    def moment(self) -> None:
        """
        Count one more.
        """
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """
        Return `function` with a moment before and one after it.
        """

        def watched(*args: Any, **named: Any) -> Any:
            self.moment()
            result = function(*args, **named)
            self.moment()
            return result

        return watched


class WatchedConnection:
    """
    Pass everything on to the database, with moments around each statement that changes it; the same one many times
    within one transaction counts as one.
    """

    def __init__(self, connection: Any, killer: Killer) -> None:
        self._connection, self._last = connection, ""
        self._watched = killer.around(connection.execute)

    def execute(self, query: str, values: tuple[object, ...] = ()) -> Any:
        """
        Carry out a statement.
        """
        if query.startswith("SELECT") or query == self._last:
            return self._connection.execute(query, values)
        self._last = query
        return self._watched(query, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def killed_at(moment: int, story: Story, directory: Path, told_to: Path) -> bool:
    """
    Carry out a story in a child, killed at a moment; return whether there was such a moment.
    """
    child = os.fork()
    if child == 0:
        try:
            with told_to.open("a") as told:
                gallery = a_gallery(directory, me="a", dims=DIMS, palms_max=PALMS_MAX)
                killer = Killer(moment)
                gallery._stored._connection = WatchedConnection(gallery._stored._connection, killer)  # type: ignore[assignment]
                disk.os.fsync = killer.around(os.fsync)  # type: ignore[attr-defined]
                disk.Path.unlink = killer.around(Path.unlink)  # type: ignore[attr-defined, method-assign]

                def tell(what: str) -> None:
                    told.write(f"{what}\n")
                    told.flush()

                story(gallery, tell)
                gallery.close()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@cache
def expected_shares(enrolment_id: bytes, *, epoch: int) -> Shares:
    """
    Return the shares of a row that was committed in its turn, before or after it was renewed.
    """
    number = int.from_bytes(enrolment_id, "big")
    first = shares(number)
    if epoch == 0 or number >= ENROLLED:  # What came after the seed was kept is not renewed.
        return first
    row = renewed_row("a", SEED, Row(enrolment_id, 2 * number, first.template, first.own, first.pair))
    return Shares(row.template, row.own, row.pair)


@cache
def expected_vouchers(number: int, *, epoch: int) -> Vouchers:
    """
    Return the vouchers of a row.
    """
    is_renewed = epoch == 1 and number < ENROLLED
    return Vouchers(*(voucher(number, whose=whose, epoch=int(is_renewed)) for whose in "bc"))


def held(rows: Rows) -> dict[bytes, Shares]:
    """
    Return the shares that rows hold, by id.
    """
    templates = np.concatenate([segment.templates for segment in rows.segments])
    own = np.concatenate([from_planes(segment.own) for segment in rows.segments])
    pair = np.concatenate([from_planes(segment.pair) for segment in rows.segments])
    arrays = zip(rows.ids, templates, own, pair, strict=False)
    return {one.tobytes(): Shares(t.tobytes(), o.tobytes(), p.tobytes()) for one, t, o, p in arrays}


@pytest.mark.parametrize(
    "story",
    [
        commit_and_seal,
        erase_from_a_block,
        erase_from_the_tail,
        commit_among_blocks,
        renew_all,
        renew_while_rows_come,
        renew_while_one_goes,
    ],
)
def test_a_gallery_killed_at_any_moment_holds_what_it_told(story: Story, tmp_path: Path) -> None:
    template = tmp_path / "template"
    begun = a_gallery(template, me="a", dims=DIMS, palms_max=PALMS_MAX)
    for number in range(ENROLLED):
        enrol(begun, number)
    begun.close()
    moment, was_killed = 1, True
    while was_killed:
        directory, told_to = tmp_path / f"at-{moment}", tmp_path / f"told-{moment}"
        shutil.copytree(template, directory)
        was_killed = killed_at(moment, story, directory, told_to)

        gallery = a_gallery(directory, me="a", dims=DIMS, palms_max=PALMS_MAX)
        found, entries = held(gallery.rows()), gallery.entries()
        states = {entry.enrolment_id: entry.state for entry in entries}
        told, epoch = told_to.read_text().split(), int(gallery.rows().chain != b"")
        vouched = gallery.vouchers(0, 4 * ENROLLED, chain=gallery.rows().chain)
        positions = {entry.position: int.from_bytes(entry.enrolment_id, "big") for entry in entries}
        gallery.close()

        assert all(content == expected_shares(one, epoch=epoch) for one, content in found.items())
        assert set(found) == {one for one, state in states.items() if state == ACTIVE}
        assert vouched == {
            position: expected_vouchers(number, epoch=epoch)
            for position, number in positions.items()
            if position is not None
        }
        expected = {an_id(number) for number in range(ENROLLED)}
        assert expected - {an_id(SEALED_ROW), an_id(TAIL_ROW)} <= set(found)
        for what in told:
            if what == "renewed":
                assert epoch == 1
                continue
            assert states[an_id(int(what[1:]))] == (ACTIVE if what[0] == "+" else ERASED)
        content = b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())
        if epoch == 1:
            assert not any(shares(number).template in content for number in range(ENROLLED))
            assert not any(
                voucher(number, whose="b", epoch=0).digest in content for number in (0, SEALED_ROW, TAIL_ROW)
            )
        for number in (SEALED_ROW, TAIL_ROW):
            if states[an_id(number)] == ERASED:
                assert shares(number).template not in content
                assert expected_shares(an_id(number), epoch=1).template not in content
                assert not any(expected_vouchers(number, epoch=which).after.digest in content for which in (0, 1))
        moment += 1
    assert moment > 6
