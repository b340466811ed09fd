"""
Promise that nothing that the issuer stores joins a redeemed note to the charge in which it was signed.
"""

from __future__ import annotations

import secrets
from itertools import product

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.redeem import redeem
from handsel.ids import new_id
from handsel.notes.blind import blind, draw_factor, unblind
from handsel.notes.note import SALT_BYTES, Note
from tests.flows.issuing.kept import octets, rows_of
from tests.flows.issuing.scene import ACQUIRER, Scene

PIECE_BYTES = 8  # Random strings have no eight bytes in the same order in common, but by a chance of 2^-40.


def pieces(value: bytes) -> set[bytes]:
    """
    Return every run of some bytes within `value`.
    """
    return {value[start : start + PIECE_BYTES] for start in range(len(value) - PIECE_BYTES + 1)}


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(1, 14_00), min_size=2, max_size=4))
def test_what_was_kept_at_signing_has_nothing_of_a_note(scene: Scene, amounts: list[int]) -> None:
    """
    The rows of the charges have no part of a serial, with which a message begins, or of a signature; nor has what is
    kept of a redemption any part of what was seen at signing.
    """
    palm = secrets.token_hex(8)
    scene.payer(palm)
    notes, seen = list[Note](), list[bytes]()
    for amount in amounts:
        shown = scene.show(palm, amount)
        approved = scene.charge(shown)
        assert isinstance(approved, Approved)
        seen += approved.signatures
        notes += scene.notes(shown, approved)
    before = rows_of(scene)
    redeem(scene.issuer, new_id(), notes=tuple(notes), acquirer=ACQUIRER)
    after = rows_of(scene)

    at_signing = pieces(octets(before))
    added = {name: [row for row in rows if row not in before[name]] for name, rows in after.items()}
    for note in notes:
        assert not (pieces(note.serial) | pieces(note.signature)) & at_signing
        assert note.serial in octets(added)
    assert not pieces(b"".join(seen)) & pieces(octets(added))


def test_a_part_in_common_is_found(scene: Scene) -> None:
    """
    The check can fail: what the issuer does keep of a charge is seen by it.
    """
    scene.payer("ada")
    approved = scene.charge(scene.show("ada", 3))
    assert isinstance(approved, Approved)

    assert pieces(approved.signatures[0]) <= pieces(octets(rows_of(scene)))


def test_each_charge_goes_with_each_redeemed_note_alike(scene: Scene) -> None:
    """
    For what was kept of any charge and any redeemed note of one key there is a factor with which one gives the other.
    """
    scene.payer("ada")
    key = scene.issuer.note_keys.public().keys[0]
    modulus = key.rsa().public_numbers().n
    signed, notes = list[bytes](), list[Note]()
    for _ in range(4):
        shown = scene.show("ada", key.denomination_minor)
        approved = scene.charge(shown)
        notes += scene.notes(shown, approved)
        with scene.issuer.database.unit_of_work() as uow:
            row = uow.row("SELECT signatures FROM charges WHERE id = ?", shown.charge_id)
        assert row is not None
        signed += msgspec.msgpack.decode(row[0], type=list[bytes])

    for blind_signature, note in product(signed, notes):
        factor = int.from_bytes(blind_signature, "big") * pow(int.from_bytes(note.signature, "big"), -1, modulus)
        inverse = pow(factor, -1, modulus).to_bytes(256, "big")
        assert unblind(blind_signature, inverse=inverse, key=key.rsa()) == note.signature


def test_a_note_is_blinded_anew_each_time(scene: Scene) -> None:
    """
    Not even the till's own message looks the same twice.
    """
    key = scene.issuer.note_keys.public().keys[0].rsa()
    salt = bytes(SALT_BYTES)
    factors = (draw_factor(key, random_bytes=secrets.token_bytes) for _ in range(2))

    one, two = (blind(b"m" * 64, key=key, salt=salt, factor=factor) for factor in factors)

    assert not pieces(one.message) & pieces(two.message)
