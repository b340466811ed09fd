"""
Promise that a list kept in tiles has the roots and proofs of the plain list, however it grew.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.errors import InvariantBroken, StoreCorrupt
from handsel.proof.merkle import leaf_hash, prove_consistency, prove_inclusion, root_hash
from handsel.proof.tiles import WIDTH, Load, Place, Tiles, append
from tests.proof.test_merkle import plainly


def leaves_of(count: int) -> list[bytes]:
    return [place.to_bytes(4, "big") for place in range(count)]


def grown(counts: list[int]) -> dict[Place, bytes]:
    """
    Return the tiles of a list that grew by those counts.
    """
    kept: dict[Place, bytes] = {}
    size = 0
    hashes = [leaf_hash(leaf) for leaf in leaves_of(sum(counts))]
    for count in counts:
        kept |= append(size, hashes[size : size + count], loading(kept))
        size += count
    return kept


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.integers(0), st.integers(0))
def test_tiles_prove_what_the_plain_list_proves(counts: list[int], at: int, before: int) -> None:
    size = sum(counts)
    if size == 0:
        assert grown(counts) == {}
        return
    kept, plain = grown(counts), plainly(leaves_of(size))
    tiles = Tiles(size, loading(kept))

    assert root_hash(tiles.hash_of, size) == root_hash(plain, size)
    assert prove_inclusion(tiles.hash_of, at % size, size) == prove_inclusion(plain, at % size, size)
    first = before % size + 1
    assert prove_consistency(tiles.hash_of, first, size) == prove_consistency(plain, first, size)


def test_a_list_has_the_same_tiles_however_it_grew() -> None:
    count = WIDTH * WIDTH + WIDTH + 3

    at_once, bit_by_bit = grown([count]), grown([1, WIDTH - 1, WIDTH, 5, count - 2 * WIDTH - 5])

    assert at_once == bit_by_bit
    assert {level for level, _ in at_once} == {0, 1, 2}
    assert len(at_once[1, 0]) == WIDTH * 32


def test_of_old_tiles_only_the_last_of_each_level_is_written_again() -> None:
    kept = grown([10 * WIDTH + 7])

    changed = append(10 * WIDTH + 7, [leaf_hash(b"one more")], loading(kept))

    assert set(changed) == {(0, 10)}


def test_a_tile_that_is_cut_off_or_missing_is_not_built_upon() -> None:
    kept = grown([WIDTH + 7])
    for broken in ({}, {**kept, (0, 1): kept[0, 1][:-32]}):
        load = loading(broken)
        with pytest.raises(StoreCorrupt):
            root_hash(Tiles(WIDTH + 7, load).hash_of, WIDTH + 7)
        with pytest.raises(InvariantBroken):
            append(WIDTH + 7, [leaf_hash(b"x")], load)


def loading(kept: dict[Place, bytes]) -> Load:
    return lambda level, place: kept.get((level, place), b"")
