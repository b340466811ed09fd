"""
Promises of what stands: after any changes it holds just the rows that it should, in order, and so do its files.
"""

from __future__ import annotations

import io
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from handsel.log import Log
from handsel.matching.blocks import Blocks
from handsel.matching.columns import Columns
from handsel.matching.disk import Shredder
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.renewal import Renewal
from handsel.matching.rows import Row
from handsel.matching.sealing import Sealed
from handsel.matching.standing import Standing

DIMS = 6


def a_row(position: int) -> Row:
    """
    Return a random row.
    """
    return Row(os.urandom(16), position, os.urandom(2 * DIMS), os.urandom(16), os.urandom(16))


def held(standing: Standing) -> tuple[Row, ...]:
    """
    Return all rows, one by one.
    """
    ids, positions = standing.sealed.names()
    sealed = Columns.of_blocks(standing.mapped, ids, positions, start=0, stop=len(standing.mapped.own))
    return (*sealed.rows(), *standing.tail)


def reopened(standing: Standing, directory: Path) -> Standing:
    """
    Return what stands, as it is read again.
    """
    return Standing.open(blocks(directory, standing.generation), standing.sealed, standing.tail, chain=b"")


def blocks(directory: Path, generation: int) -> Blocks:
    """
    Return files.
    """
    return Blocks(directory, generation, dims=DIMS, shredder=Shredder(Log("test", io.StringIO())))


@pytest.mark.parametrize("seed", range(6))
def test_any_changes_leave_the_rows_that_there_should_be(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311
    free = list(range(1, 5000))
    chance.shuffle(free)
    files = blocks(tmp_path, 0)
    standing = Standing(files, files.mapped(0), Sealed(), (), b"")
    expected: dict[int, Row] = {}
    for _ in range(12):
        new = [a_row(free.pop()) for _ in range(chance.choice([0, 1, 70, 200]))]
        gone = set(chance.sample(sorted(expected), min(len(expected), chance.choice([0, 1, 40]))))
        expected |= {row.position: row for row in new}
        expected = {position: row for position, row in expected.items() if position not in gone}

        standing = standing.with_rows(new).written_anew(gone)
        standing = standing.sealed_further() or standing

        assert held(standing) == tuple(expected[position] for position in sorted(expected))
        assert held(reopened(standing, tmp_path)) == held(standing)


def test_blocks_before_the_first_that_changes_are_copied(tmp_path: Path) -> None:
    files = blocks(tmp_path, 0)
    rows = tuple(a_row(position) for position in range(10 * PLANE_BITS))
    before = Standing(files, files.mapped(0), Sealed(), rows, b"").sealed_further()
    assert before is not None

    after = before.written_anew([5 * PLANE_BITS])

    assert after.sealed.part(0, 5) == before.sealed.part(0, 5)
    assert after.sealed.part(5, 6) != before.sealed.part(5, 6)
    assert held(after) == (*rows[: 5 * PLANE_BITS], *rows[5 * PLANE_BITS + 1 :])


def test_rows_that_are_changed_are_written_first_and_those_that_were_sealed_since_then(tmp_path: Path) -> None:
    files = blocks(tmp_path, 0)
    rows = tuple(a_row(position) for position in range(3 * PLANE_BITS))
    more = tuple(a_row(position) for position in range(3 * PLANE_BITS, 5 * PLANE_BITS))
    before = Standing(files, files.mapped(0), Sealed(), rows, b"").sealed_further()
    assert before is not None

    turned = Renewal("b", bytes(32)).renewed
    beside = before.emptied(chain=b"renewed").following(replace(before, tail=()), turned)
    grown = before.with_rows(more).sealed_further()
    assert grown is not None
    after = beside.following(grown, turned)

    assert (after.chain, after.generation, len(after.tail)) == (b"renewed", beside.generation, len(grown.tail))
    assert held(after) == turned(Columns.of_rows((*rows, *more), dims=DIMS)).rows()
    assert held(reopened(after, tmp_path)) == held(after)
