"""
Promise that a charge which is approved can be paid without its till: whoever lies about its notes debits nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from msgspec.structs import replace as changed

from handsel.errors import BodyInvalid, EnvelopeInvalid
from handsel.flows.acquiring.carry_charge import ShownForCharge
from handsel.flows.acquiring.finish_charge import finish_charges
from handsel.ids import new_id
from handsel.notes.mint import NoteSecret
from handsel.order import digest_of_notes
from handsel.pay.payment import Approved, PaymentStatus
from tests.flows.acquiring.street import ShownAtTill, Street

Secrets = tuple[NoteSecret, ...]


def require_refused(street: Street, shown: ShownAtTill, sent: ShownForCharge, *, match: str) -> None:
    with pytest.raises(BodyInvalid, match=match):
        street.submit(replace(shown, sent=sent))
    assert street.payment(sent.payment_id).status is PaymentStatus.REQUIRES_PALM
    assert street.wallet_minor() == street.available_minor() == 100_00


def first(secrets: Secrets, **other: object) -> Secrets:
    return (changed(secrets[0], **other), *secrets[1:])


@pytest.mark.parametrize(
    ("alter", "match"),
    [
        (lambda own, _: own[:-1], "not worth the amount"),
        (lambda own, _: (*own, own[0]), "serial"),
        (lambda own, _: own[::-1], "serial"),
        (lambda _, other: other, "serial"),
        (lambda own, _: first(own, serial=bytes(32)), "serial"),
        (lambda own, _: first(own, key_id="0" * 32), "does not announce"),
        (lambda own, _: first(own, salt=b""), "salt"),
        (lambda own, _: first(own, inverse=b"\1" * 255), "as long as the modulus"),
        (lambda own, _: first(own, inverse=bytes(256)), "cannot be blinded"),
        # What the acquirer cannot see by itself, as the order is sealed.
        (lambda own, _: first(own, salt=bytes(48)), "asks for other notes"),
        (lambda own, _: first(own, inverse=bytes(255) + b"\2"), "asks for other notes"),
        (lambda own, other: first(own, inverse=other[0].inverse), "asks for other notes"),
    ],
)
def test_secrets_that_do_not_make_the_notes_of_the_order_are_refused_before_anybody_is_debited(
    street: Street, alter: Callable[[Secrets, Secrets], Secrets], match: str
) -> None:
    shown, other = (street.show("ann", street.ask()) for _ in range(2))

    secrets = alter(shown.sent.secrets, other.sent.secrets)
    require_refused(street, shown, replace(shown.sent, secrets=secrets), match=match)

    assert isinstance(street.submit(street.show("ann", street.payment(shown.sent.payment_id))), Approved)


def test_an_order_that_is_of_another_charge_is_refused(street: Street) -> None:
    """
    The till has the secrets right, and seals what it has sealed before.
    """
    shown, other = (street.show("ann", street.ask()) for _ in range(2))

    with pytest.raises(EnvelopeInvalid, match="another charge"):
        street.submit(replace(shown, sent=replace(shown.sent, order=other.sent.order)))
    assert street.available_minor() == 100_00


def test_two_charges_with_the_serials_of_one_are_not_both_begun(street: Street) -> None:
    shown, other = (street.show("ann", street.ask()) for _ in range(2))
    assert isinstance(street.submit(shown), Approved)

    same = tuple(changed(mine, serial=theirs.serial) for mine, theirs in zip(other.kept, shown.kept, strict=True))
    with pytest.raises(BodyInvalid, match="serial"):
        street.submit(replace(other, sent=replace(other.sent, secrets=same)))
    assert street.wallet_minor() == 100_00 - 450


def test_a_charge_from_before_whose_secrets_have_no_salt_is_finished(street: Street) -> None:
    shown = street.show("ann", street.ask())
    street.submit(shown)
    old = [{"key_id": each.key_id, "serial": each.serial, "inverse": each.inverse} for each in shown.kept]
    with street.database.unit_of_work() as books:
        sql = "UPDATE charges SET secrets = ? WHERE id = ?"
        books.payments._uow.execute(sql, msgspec.msgpack.encode(old), shown.sent.charge_id)
        books.commit()

    street.now_ms += street.acquirer.bounds.unresolved_ms_min
    assert finish_charges(street.acquirer, now_ms=street.now_ms) == 1
    assert street.shop_minor() == 450
    street.audit()


def test_the_digest_of_notes_tells_each_field_and_their_order_apart(street: Street) -> None:
    _, one = street.prepare(street.begin(street.ask(3)))
    alike = (one, one[::-1], one[:1], (), (changed(one[0], key_id=new_id()), *one[1:]))

    assert len({digest_of_notes(notes) for notes in alike}) == len(alike)
    assert digest_of_notes(one) == digest_of_notes(tuple(one))
