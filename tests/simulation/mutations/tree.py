"""
Plant bugs in the trees over the ledgers.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from handsel.proof.leaf import SECRET_BYTES
from handsel.proof.merkle import HASH_BYTES, prove_inclusion
from handsel.store import tree
from handsel.store.database import Database, UnitOfWork
from handsel.store.tree_leaves import hash_of_row, rows_after
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches


def _leaves_the_last_step_out(patches: Patches) -> None:
    patches.put(tree, "rows_after", lambda uow, size, *, limit: rows_after(uow, size, limit=limit)[:-1])


def _writes_a_tile_less(patches: Patches) -> None:
    right = tree._write_tiles
    patches.put(tree, "_write_tiles", lambda uow, changed: right(uow, dict(list(changed.items())[1:])))


def _cuts_a_tile(patches: Patches) -> None:
    right = tree._write_tiles

    def wrong(uow: UnitOfWork, changed: Any) -> None:
        right(uow, {place: hashes[:-HASH_BYTES] or hashes for place, hashes in changed.items()})

    patches.put(tree, "_write_tiles", wrong)


def _draws_another_secret(patches: Patches) -> None:
    right = tree._draw_secret

    def wrong(database: Database) -> bytes:
        right(database)
        return os.urandom(SECRET_BYTES)

    patches.put(tree, "_draw_secret", wrong)


def _keeps_the_newest_head_alone(patches: Patches) -> None:
    right = tree._write_head

    def wrong(uow: UnitOfWork, signed: Any) -> None:
        uow.execute("DELETE FROM tree_heads WHERE size < ?", signed.head.size)
        right(uow, signed)

    patches.put(tree, "_write_head", wrong)


def _hashes_no_sums(patches: Patches) -> None:
    patches.put(
        tree, "hash_of_row", lambda row, secret: hash_of_row(msgspec.structs.replace(row, amount_minor=0), secret)
    )


def _proves_the_step_before(patches: Patches) -> None:
    patches.put(tree, "prove_inclusion", lambda hash_of, index, size: prove_inclusion(hash_of, max(0, index - 1), size))


MUTATIONS = (
    Mutation("last-step-left-out", "the last step of a round is not taken in", _leaves_the_last_step_out),
    Mutation("tile-missing", "a round writes a tile less than it changes", _writes_a_tile_less),
    Mutation("tile-cut", "a tile lacks its last hash", _cuts_a_tile),
    Mutation("another-secret", "a process that starts again hashes with another secret", _draws_another_secret),
    Mutation("one-head", "with each head the ones before it are deleted", _keeps_the_newest_head_alone),
    Mutation("sums-unhashed", "what is hashed of a step lacks its sum", _hashes_no_sums),
    Mutation("step-before-proved", "a proof leads up from the step before", _proves_the_step_before),
)
