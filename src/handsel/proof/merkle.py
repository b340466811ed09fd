"""
Hash a list into one root, and prove what it holds and that it only grew: RFC 6962 section 2, RFC 9162 section 2.1.

Nothing here knows what a leaf stands for, or where hashes are kept: whoever proves passes a function in that returns
the hash of the leaves from one place up to, and without, another. Whoever verifies needs nothing but what was proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256

from handsel.errors import ProofInvalid, ensure

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()
HashOf = Callable[[int, int], bytes]

_UNFIT = "this proof does not fit: the list that was signed does not hold what it should"


def leaf_hash(content: bytes) -> bytes:
    """
    Return the hash of a leaf.
    """
    return sha256(b"\0" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """
    Return the hash of a node above two others.
    """
    return sha256(b"\1" + left + right).digest()


def left_of(size: int) -> int:
    """
    Return how many of `size` leaves, two or more, are on the left: the greatest power of two that is not all.
    """
    return 1 << ((size - 1).bit_length() - 1)


def root_hash(hash_of: HashOf, size: int) -> bytes:
    """
    Return the root of the first `size` leaves.
    """
    return hash_of(0, size) if size else EMPTY_ROOT


def prove_inclusion(hash_of: HashOf, index: int, size: int) -> tuple[bytes, ...]:
    """
    Return the hashes beside the way from a leaf up to the root, lowest first.
    """
    ensure(0 <= index < size, "what is proved to be in a list is in it")
    path: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + left_of(last - first)
        if index < middle:
            path.append(hash_of(middle, last))
            last = middle
        else:
            path.append(hash_of(first, middle))
            first = middle
    return tuple(reversed(path))


def verify_inclusion(hashed: bytes, path: Sequence[bytes], *, index: int, size: int, root: bytes) -> None:
    """
    Check that a leaf with that hash is at `index` of the list of that root: RFC 9162 section 2.1.3.2.

    Raises `ProofInvalid`.
    """
    if not 0 <= index < size:
        raise ProofInvalid(_UNFIT)
    place, last = index, size - 1
    for beside in path:
        if last == 0:
            raise ProofInvalid(_UNFIT)
        if place & 1 or place == last:
            hashed = node_hash(beside, hashed)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            hashed = node_hash(hashed, beside)
        place, last = place >> 1, last >> 1
    if last != 0 or hashed != root:
        raise ProofInvalid(_UNFIT)


def prove_consistency(hash_of: HashOf, first: int, second: int) -> tuple[bytes, ...]:
    """
    Return the hashes from which both the root of `first` leaves and that of `second` follow: RFC 6962 section 2.1.2.
    """
    ensure(0 < first <= second, "a list grows from something to as much or more")
    path: list[bytes] = []
    start, end = 0, second
    is_known = True  # Whether the older root is the hash of all that is left to look at.
    while first != end:
        middle = start + left_of(end - start)
        if first <= middle:
            path.append(hash_of(middle, end))
            end = middle
        else:
            path.append(hash_of(start, middle))
            start, is_known = middle, False
    return tuple(reversed(path)) if is_known else (hash_of(start, end), *reversed(path))


def verify_consistency(
    path: Sequence[bytes], *, first: int, first_root: bytes, second: int, second_root: bytes
) -> None:
    """
    Check that the list of `first_root` is how the list of `second_root` begins: RFC 9162 section 2.1.4.2.

    Raises `ProofInvalid`.
    """
    if not 0 < first <= second:
        raise ProofInvalid("of two heads, the first has no more leaves than the second, and at least one")
    if first == second:
        if path or first_root != second_root:
            raise ProofInvalid("two heads of one size have different roots: one of them is a lie")
        return
    hashes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not hashes:
        raise ProofInvalid(_UNFIT)
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            raise ProofInvalid(_UNFIT)
        if place & 1 or place == last:
            older, newer = node_hash(beside, older), node_hash(beside, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, beside)
        place, last = place >> 1, last >> 1
    if last != 0 or older != first_root or newer != second_root:
        raise ProofInvalid("the later head is not what the earlier one grew to: something was changed or taken away")


def prove_many(hash_of: HashOf, indexes: Sequence[int], size: int) -> tuple[bytes, ...]:
    """
    Return the hashes from which, with those of the leaves at `indexes`, the root follows: each hash once.

    They stand from left to right, as the tree is walked.
    """
    ensure(list(indexes) == sorted(set(indexes)), "leaves are named in their order, each once")
    ensure(bool(indexes) and indexes[0] >= 0 and indexes[-1] < size, "what is proved to be in a list is in it")

    def walk(first: int, last: int, inside: Sequence[int]) -> Iterator[bytes]:
        if not inside:
            yield hash_of(first, last)
        elif last - first > 1:
            middle = first + left_of(last - first)
            yield from walk(first, middle, [index for index in inside if index < middle])
            yield from walk(middle, last, [index for index in inside if index >= middle])

    return tuple(walk(0, size, indexes))


def verify_many(leaves: Mapping[int, bytes], hashes: Sequence[bytes], *, size: int, root: bytes) -> None:
    """
    Check that all of `leaves`, hashes by index, are in the list of that root. Raises `ProofInvalid`.
    """
    indexes = sorted(leaves)
    if not indexes or indexes[0] < 0 or indexes[-1] >= size:
        raise ProofInvalid(_UNFIT)
    left = iter(hashes)

    def walk(first: int, last: int, inside: Sequence[int]) -> bytes:
        if not inside:
            found = next(left, None)
            if found is None:
                raise ProofInvalid(_UNFIT)
            return found
        if last - first == 1:
            return leaves[first]
        middle = first + left_of(last - first)
        return node_hash(
            walk(first, middle, [index for index in inside if index < middle]),
            walk(middle, last, [index for index in inside if index >= middle]),
        )

    if walk(0, size, indexes) != root or next(left, None) is not None:
        raise ProofInvalid(_UNFIT)
