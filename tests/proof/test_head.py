"""
Promise that a head is its party's word: of its own key only, one for a size, and that two can be compared.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.errors import ConfigError, ProofInvalid, SignatureInvalid
from handsel.proof.head import (
    GrowthProof,
    TreeHead,
    TreeKey,
    load_tree_key,
    make_tree_key,
    public_half,
    sign_head,
    verify_growth,
)
from handsel.proof.merkle import prove_consistency
from tests.proof.small_book import KEY, PUBLIC, Book


def test_what_is_signed_is_five_lines() -> None:
    head = TreeHead("acquirer", 3, bytes(32), 17)

    root = "A" * 43 + "="
    assert head.statement() == f"handsel/v1/tree-head\nacquirer\n3\n{root}\n17\n".encode()


def test_a_head_of_another_key_party_or_content_is_refused() -> None:
    signed = sign_head(TreeHead("acquirer", 3, bytes(32), 17), KEY)
    other = public_half(Ed25519PrivateKey.generate(), party="acquirer")

    assert signed.verify(PUBLIC) == signed.head
    for wrong, key in (
        (signed, other),
        (signed, public_half(KEY, party="issuer")),
        (msgspec.structs.replace(signed, head=TreeHead("acquirer", 4, bytes(32), 17)), PUBLIC),
        (msgspec.structs.replace(signed, head=TreeHead("acquirer", 3, b"\1" * 32, 17)), PUBLIC),
        (msgspec.structs.replace(signed, head=TreeHead("acquirer", 3, bytes(32), 18)), PUBLIC),
    ):
        with pytest.raises(SignatureInvalid):
            wrong.verify(key)


def test_two_heads_are_compared() -> None:
    book = Book()
    book.add(5)
    older = book.head()
    book.add(7)
    newer = book.head()
    proof = GrowthProof(1, 2, prove_consistency(book.hash_of(), 1, 2))

    verify_growth(older, newer, proof, key=PUBLIC)
    verify_growth(newer, newer, None, key=PUBLIC)
    for one, other, way in (
        (older, newer, None),
        (newer, older, proof),
        (older, newer, GrowthProof(1, 3, proof.hashes)),
        (older, newer, GrowthProof(1, 2, (bytes(32),))),
    ):
        with pytest.raises(ProofInvalid):
            verify_growth(one, other, way, key=PUBLIC)


def test_two_heads_of_one_size_convict_who_signed_them() -> None:
    one, other = (sign_head(TreeHead("acquirer", 3, root, 17), KEY) for root in (bytes(32), b"\1" * 32))

    with pytest.raises(ProofInvalid, match="one of them is a lie"):
        verify_growth(one, other, None, key=PUBLIC)


def test_a_tree_key_is_private_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "tree.key"
    made = make_tree_key(path)

    assert load_tree_key(path).private_bytes_raw() == made.private_bytes_raw()
    with pytest.raises(ConfigError):
        make_tree_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_tree_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="not a tree key"):
        load_tree_key(path)


def test_what_is_no_key_and_no_head_is_refused() -> None:
    for make in (
        lambda: TreeKey("issuer", b"short"),
        lambda: TreeKey("Is\nsuer", bytes(32)),
        lambda: TreeHead("issuer", -1, bytes(32), 0),
        lambda: TreeHead("issuer", 1, b"short", 0),
        lambda: TreeHead("is\nsuer", 1, bytes(32), 0),
    ):
        with pytest.raises(ProofInvalid):
            make()
