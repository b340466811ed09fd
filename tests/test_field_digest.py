"""
Two lists of fields have one hash only if they are alike, and are hashed for the same use.
"""

from __future__ import annotations

import hashlib

from handsel.field_digest import digest_of_fields


def test_it_is_the_hash_of_the_use_and_the_length_prefixed_fields() -> None:
    hashed = hashlib.sha256(b"handsel/v1/binding\0\0\0\0\1a\0\0\0\0\0\0\0\2bc").digest()

    assert digest_of_fields(b"binding", b"a", b"", b"bc") == hashed


def test_nothing_moves_from_one_field_or_use_to_another() -> None:
    digests = {
        digest_of_fields(b"binding", b"ab", b"c"),
        digest_of_fields(b"binding", b"a", b"bc"),
        digest_of_fields(b"binding", b"abc"),
        digest_of_fields(b"binding", b"abc", b""),
        digest_of_fields(b"approval", b"abc"),
    }

    assert len(digests) == 5
