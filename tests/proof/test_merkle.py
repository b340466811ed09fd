"""
Promise RFC 6962's hashes and proofs: by its published vectors, and against the definition written down plainly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import InvariantBroken, ProofInvalid
from handsel.proof.merkle import (
    EMPTY_ROOT,
    HashOf,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    prove_many,
    root_hash,
    verify_consistency,
    verify_inclusion,
    verify_many,
)

# Of certificate-transparency's merkletree/merkle_tree_test.cc: eight leaves, the root of each size, and some proofs.
LEAVES = [
    bytes.fromhex(each)
    for each in (*("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"),)
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
_D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSIONS = [  # The vectors count leaves from 1.
    (1, 1, ()),
    (1, 8, (_A, _B, _C)),
    (6, 8, (_D, _E, ROOTS[3])),
    (3, 3, (ROOTS[1],)),
    (2, 5, (ROOTS[0], _B, _D)),
]
GROWTHS = [(1, 1, ()), (1, 8, (_A, _B, _C)), (6, 8, (_F, _E, ROOTS[3])), (2, 5, (_B, _D))]

lists = st.integers(1, 70).map(lambda count: [bytes((place,)) for place in range(count)])


def plainly(leaves: Sequence[bytes]) -> HashOf:
    """
    Return the hashes of parts of a list, as RFC 6962 section 2.1 defines them.
    """

    return over_hashes([leaf_hash(leaf) for leaf in leaves])


def over_hashes(hashes: Sequence[bytes]) -> HashOf:
    """
    Return the same of a list of which the hashes of the leaves are known.
    """

    def hash_of(first: int, last: int) -> bytes:
        if last - first == 1:
            return hashes[first]
        left = 1
        while left * 2 < last - first:
            left *= 2
        return node_hash(hash_of(first, first + left), hash_of(first + left, last))

    return hash_of


def test_the_published_roots_are_found() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_hash(plainly(LEAVES), 0) == EMPTY_ROOT
    assert [root_hash(plainly(LEAVES), size).hex() for size in range(1, 9)] == ROOTS


@pytest.mark.parametrize(("number", "size", "path"), INCLUSIONS)
def test_the_published_inclusions_are_proved_and_verified(number: int, size: int, path: tuple[str, ...]) -> None:
    proved = prove_inclusion(plainly(LEAVES), number - 1, size)

    assert tuple(each.hex() for each in proved) == path
    root = bytes.fromhex(ROOTS[size - 1])
    verify_inclusion(leaf_hash(LEAVES[number - 1]), proved, index=number - 1, size=size, root=root)


@pytest.mark.parametrize(("first", "second", "path"), GROWTHS)
def test_the_published_growths_are_proved_and_verified(first: int, second: int, path: tuple[str, ...]) -> None:
    proved = prove_consistency(plainly(LEAVES), first, second)

    assert tuple(each.hex() for each in proved) == path
    roots = [bytes.fromhex(ROOTS[size - 1]) for size in (first, second)]
    verify_consistency(proved, first=first, first_root=roots[0], second=second, second_root=roots[1])


@given(lists, st.integers(0))
def test_every_leaf_is_proved_and_no_other(leaves: list[bytes], at: int) -> None:
    size, index = len(leaves), at % len(leaves)
    hash_of = plainly(leaves)
    root, path = root_hash(hash_of, size), prove_inclusion(hash_of, index, size)

    verify_inclusion(leaf_hash(leaves[index]), path, index=index, size=size, root=root)
    wrong = [
        (leaf_hash(b"other"), path, index, size, root),
        (leaf_hash(leaves[index]), path, index + 1, size, root),
        (leaf_hash(leaves[index]), path, index, size, EMPTY_ROOT),
        (leaf_hash(leaves[index]), (*path, EMPTY_ROOT), index, size, root),
        (leaf_hash(leaves[index]), path, -1, size, root),
        *([(leaf_hash(leaves[index]), path[:-1], index, size, root)] if path else []),
    ]
    for hashed, way, place, count, above in wrong:
        with pytest.raises(ProofInvalid):
            verify_inclusion(hashed, way, index=place, size=count, root=above)


@given(lists, st.integers(0), st.integers(0, 255))
def test_growth_is_proved_and_a_changed_past_is_not(leaves: list[bytes], at: int, bit: int) -> None:
    second, first = len(leaves), at % len(leaves) + 1
    hash_of = plainly(leaves)
    path = prove_consistency(hash_of, first, second)
    older, newer = root_hash(hash_of, first), root_hash(hash_of, second)

    verify_consistency(path, first=first, first_root=older, second=second, second_root=newer)
    changed = root_hash(plainly([b"changed", *leaves[1:]]), second)
    bent = bytearray(older)
    bent[bit // 8] ^= 1 << (bit % 8)
    for one, other, way in ((older, changed, path), (bytes(bent), newer, path), (older, newer, (*path, EMPTY_ROOT))):
        with pytest.raises(ProofInvalid):
            verify_consistency(way, first=first, first_root=one, second=second, second_root=other)
    if second > first:
        with pytest.raises(ProofInvalid):
            verify_consistency(path[:-1], first=first, first_root=older, second=second, second_root=newer)


@given(lists, st.data())
def test_many_leaves_are_proved_at_once(leaves: list[bytes], drawn: st.DataObject) -> None:
    size = len(leaves)
    chosen = sorted(drawn.draw(st.sets(st.integers(0, size - 1), min_size=1)))
    hash_of = plainly(leaves)
    hashes, root = prove_many(hash_of, chosen, size), root_hash(hash_of, size)
    shown = {index: leaf_hash(leaves[index]) for index in chosen}

    verify_many(shown, hashes, size=size, root=root)
    assert len(hashes) <= len(chosen) * 7
    for wrong, way in (
        ({**shown, chosen[0]: leaf_hash(b"other")}, hashes),
        (shown, (*hashes, EMPTY_ROOT)),
        ({**shown, size: leaf_hash(b"more")}, hashes),
        ({}, hashes),
        *([(shown, hashes[:-1])] if hashes else []),
        *([({index: shown[index] for index in chosen[1:]}, hashes)] if len(chosen) > 1 else []),
    ):
        with pytest.raises(ProofInvalid):
            verify_many(wrong, way, size=size, root=root)


def test_what_is_not_there_cannot_be_proved() -> None:
    hash_of = plainly(LEAVES)

    attempts: tuple[Callable[[], object], ...] = (
        lambda: prove_inclusion(hash_of, 8, 8),
        lambda: prove_consistency(hash_of, 0, 8),
        lambda: prove_consistency(hash_of, 9, 8),
        lambda: prove_many(hash_of, [], 8),
        lambda: prove_many(hash_of, [1, 1], 8),
        lambda: prove_many(hash_of, [8], 8),
    )
    for prove in attempts:
        with pytest.raises(InvariantBroken):
            prove()


def test_heads_in_the_wrong_order_are_refused() -> None:
    for first, second in ((0, 1), (2, 1)):
        with pytest.raises(ProofInvalid):
            verify_consistency((), first=first, first_root=EMPTY_ROOT, second=second, second_root=EMPTY_ROOT)
