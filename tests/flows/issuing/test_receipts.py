"""
Promise that a sealed receipt reaches the wallet whose key was given to the till, once, and says nothing to the issuer.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from handsel.envelope import open_envelope, seal
from handsel.errors import BodyInvalid, EnvelopeInvalid, IdReused, NotFound
from handsel.flows.issuing.approved import Approved, Reserved, Voided
from handsel.flows.issuing.capture_charge import capture_charge
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.deposit_receipt_keys import (
    DEPOSIT_MAX,
    KEY_NUMBER_MAX,
    KeysWanted,
    deposit_receipt_keys,
    keys_wanted,
)
from handsel.flows.issuing.erase_person import erase_person
from handsel.flows.issuing.export_wallet import export_wallet
from handsel.flows.issuing.give_back import give_back
from handsel.flows.issuing.set_pin import set_pin
from handsel.flows.issuing.show_receipts import RECEIPTS_PAGE, ReceiptLine, delete_receipt, show_receipts
from handsel.flows.issuing.take_receipt import take_receipt
from handsel.flows.issuing.void_charge import expire_charges, void_charge
from handsel.ids import new_id
from handsel.keys import PartyKeys
from handsel.naming import NAMING_TAGS
from handsel.order import (
    CHARGE_REPLY,
    DESCRIPTION_BYTES,
    HOLDS_S,
    STATEMENT_LINE,
    ChargeOrder,
    ChargeReply,
    StatementLine,
    pad_pin,
)
from handsel.receipt import SEALED_BYTES, receipt_id_of
from tests.flows.issuing.scene import ACQUIRER, Scene, Shown, crash

SEALED = b"s" * SEALED_BYTES[0]


@dataclass(frozen=True)
class Sealer:
    """
    Stand for a till: show a palm with a reply key, and read the reply.
    """

    scene: Scene
    key: X25519PrivateKey

    @classmethod
    def at(cls, scene: Scene) -> Sealer:
        return cls(scene, X25519PrivateKey.generate())

    def show(self, palm: str, minor: int = 450, *, order_id: str | None = None) -> Shown:
        reply_key = self.key.public_key().public_bytes_raw()

        def with_key(order: ChargeOrder) -> ChargeOrder:
            return msgspec.structs.replace(order, reply_key=reply_key, order_id=order_id or order.order_id)

        return self.scene.show(palm, minor, alter=with_key)

    def reserve(self, palm: str, minor: int = 450) -> Shown:
        return self.scene.show_to_reserve(palm, minor, reply_key=self.key.public_key().public_bytes_raw())

    def read(self, outcome: object) -> ChargeReply:
        assert isinstance(outcome, Approved | Reserved)
        assert outcome.reply is not None
        keys = PartyKeys(self.key, Ed25519PrivateKey.generate())
        return open_envelope(outcome.reply, ChargeReply, keys=keys, purpose=CHARGE_REPLY)

    def line(self, charge_id: str, *, tag: bytes = bytes(16), said: str = "") -> bytes:
        line = StatementLine(charge_id, tag, said.encode().ljust(DESCRIPTION_BYTES, b"\0"))
        return seal(line, to=self.scene.issuer.keys.public(), purpose=STATEMENT_LINE)


def public_keys(count: int) -> tuple[bytes, ...]:
    return tuple(X25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(count))


def sealed_of(lines: tuple[ReceiptLine, ...]) -> list[bytes | None]:
    return [line.receipt.sealed if line.receipt else None for line in lines]


def test_each_charge_gets_the_next_key_and_the_receipt_comes_to_the_wallet(scene: Scene) -> None:
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    keys = public_keys(2)
    deposit_receipt_keys(scene.issuer, wallet, keys, first=0)
    charges = [till.show("ada"), till.show("ada", 200)]

    replies = [till.read(scene.charge(shown)) for shown in charges]
    for shown, reply in zip(charges, replies, strict=True):
        line = till.line(shown.charge_id)
        take_receipt(scene.issuer, receipt_id_of(reply.receipt_key), sealed=SEALED, line=line)

    assert [reply.receipt_key for reply in replies] == list(keys)
    lines = show_receipts(scene.issuer, wallet)
    assert {(line.amount_minor, line.receipt.number, line.receipt.key) for line in lines if line.receipt} == {
        (450, 0, keys[0]),
        (200, 1, keys[1]),
    }
    assert sealed_of(lines) == [SEALED, SEALED]
    assert {(line.shop, line.description) for line in lines} == {("", "")}
    assert keys_wanted(scene.issuer, wallet) == KeysWanted(first=2, count=DEPOSIT_MAX)


def test_a_wallet_without_keys_looks_like_any_other(scene: Scene) -> None:
    """
    The till gets a key, of the same length, that is a public key, and may bring a receipt; nobody keeps it.
    """
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    shown, other = till.show("ada"), till.show("ada")

    replies = [till.read(scene.charge(each)) for each in (shown, other)]
    key = replies[0].receipt_key
    take_receipt(scene.issuer, receipt_id_of(key), sealed=SEALED, line=till.line(shown.charge_id))

    assert len({reply.receipt_key for reply in replies}) == 2
    assert [len(tag) for tag in replies[0].naming_tags] == [16] * NAMING_TAGS
    assert X25519PrivateKey.generate().exchange(X25519PrivateKey.from_private_bytes(b"k" * 32).public_key())
    assert sealed_of(show_receipts(scene.issuer, wallet)) == [None, None]
    with pytest.raises(IdReused):
        take_receipt(scene.issuer, receipt_id_of(key), sealed=b"t" * SEALED_BYTES[0], line=till.line(shown.charge_id))


def test_the_same_charge_has_the_same_reply_and_uses_one_key(scene: Scene) -> None:
    """
    Also after a crash between the two commits, and when the acquirer asks by voiding.
    """
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(3), first=0)
    shown = till.show("ada")
    crash(scene, lambda issuer: Scene.charge(_on(scene, issuer), shown), at=1, is_committed=False)

    first = scene.charge(shown)

    assert scene.charge(shown) == first == void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER)
    assert keys_wanted(scene.issuer, wallet) == KeysWanted(first=3, count=DEPOSIT_MAX - 2)


def _on(scene: Scene, issuer: object) -> Scene:
    made = object.__new__(Scene)
    made.__dict__ = {**scene.__dict__, "issuer": issuer}
    return made


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_reservation_is_told_one_key_whatever_is_lost_and_its_receipt_comes_when_it_is_captured(
    scene: Scene, is_committed: bool
) -> None:
    """
    The key is the same in every answer, before the capture and after it, and takes nothing until then.
    """
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    keys = public_keys(2)
    deposit_receipt_keys(scene.issuer, wallet, keys, first=0)
    shown = till.reserve("ada")
    crash(scene, lambda issuer: Scene.charge(_on(scene, issuer), shown), at=0, is_committed=is_committed)
    reserved = scene.charge(shown)
    receipt_id, line = receipt_id_of(till.read(reserved).receipt_key), till.line(shown.charge_id)
    with pytest.raises(NotFound):
        take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=line)
    wanted, _kept = scene.to_capture(shown, 3_00)

    crash(
        scene,
        lambda issuer: capture_charge(issuer, wanted, acquirer=ACQUIRER),
        at=0,
        is_committed=is_committed,
    )
    capture_charge(scene.issuer, wanted, acquirer=ACQUIRER)
    take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=line)

    assert scene.charge(shown) == void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == reserved
    assert till.read(reserved).receipt_key == keys[0]
    lines = show_receipts(scene.issuer, wallet)
    assert ([line.amount_minor for line in lines], sealed_of(lines)) == ([3_00], [SEALED])
    assert keys_wanted(scene.issuer, wallet) == KeysWanted(first=2, count=DEPOSIT_MAX - 1)


def test_a_reservation_with_a_pin_is_told_its_key_as_well(scene: Scene) -> None:
    wallet, till = scene.payer("ada", 200_00), Sealer.at(scene)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(2), first=0)
    set_pin(scene.issuer, wallet, typed="402917")
    reply_key = till.key.public_key().public_bytes_raw()

    def with_pin(order: ChargeOrder) -> ChargeOrder:
        return msgspec.structs.replace(order, notes=(), hold_s=HOLDS_S[0], pin=pad_pin("402917"), reply_key=reply_key)

    shown = scene.show("ada", 60_00, alter=with_pin)

    reserved = scene.charge(shown)

    assert till.read(reserved) == till.read(scene.charge(shown))
    assert keys_wanted(scene.issuer, wallet).count == DEPOSIT_MAX - 1


@pytest.mark.parametrize("way", ["given back", "expired"])
def test_the_key_of_what_was_given_back_takes_nothing_and_no_other_charge_gets_it(scene: Scene, way: str) -> None:
    """
    A till knows it: with the same key for another charge, two tills would know that one wallet paid at both.
    """
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(2), first=0)
    shown = till.reserve("ada")
    key = till.read(scene.charge(shown)).receipt_key
    if way == "expired":
        scene.now_ms += 86_400_000
        assert expire_charges(scene.issuer) == 1
    else:
        assert give_back(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()

    with pytest.raises(NotFound):
        take_receipt(scene.issuer, receipt_id_of(key), sealed=SEALED, line=till.line(shown.charge_id))
    assert till.read(scene.charge(till.show("ada"))).receipt_key != key
    with scene.issuer.database.unit_of_work() as uow:
        assert uow.rows("SELECT reply FROM charges WHERE id = ?", shown.charge_id) == [(None,)]
    erase_person(scene.issuer, wallet)


def test_a_till_that_seals_no_receipts_uses_no_key(scene: Scene) -> None:
    wallet = scene.payer("ada")
    deposit_receipt_keys(scene.issuer, wallet, public_keys(1), first=0)

    outcome = scene.charge(scene.show("ada", 450))

    assert isinstance(outcome, Approved)
    assert outcome.reply is None
    assert keys_wanted(scene.issuer, wallet).count == DEPOSIT_MAX - 1


def test_a_reply_key_to_which_nothing_can_be_sealed_changes_nothing(scene: Scene) -> None:
    wallet = scene.payer("ada")
    shown = scene.show("ada", 450, alter=lambda order: msgspec.structs.replace(order, reply_key=bytes(32)))

    with pytest.raises(BodyInvalid):
        scene.charge(shown)
    assert scene.balance(wallet) == 100_00


def test_a_receipt_comes_once_and_the_same_may_come_again(scene: Scene) -> None:
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(1), first=0)
    shown = till.show("ada")
    receipt_id = receipt_id_of(till.read(scene.charge(shown)).receipt_key)
    for _ in range(2):
        take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=till.line(shown.charge_id))

    with pytest.raises(IdReused):
        take_receipt(scene.issuer, receipt_id, sealed=b"t" * SEALED_BYTES[0], line=till.line(shown.charge_id))
    assert sealed_of(show_receipts(scene.issuer, wallet)) == [SEALED]

    delete_receipt(scene.issuer, wallet, receipt_id)
    delete_receipt(scene.issuer, wallet, receipt_id)
    assert sealed_of(show_receipts(scene.issuer, wallet)) == [None]
    take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=till.line(shown.charge_id))
    assert sealed_of(show_receipts(scene.issuer, wallet)) == [None]


def test_what_is_no_receipt_of_a_charge_is_refused(scene: Scene) -> None:
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    used, unused = public_keys(2)
    deposit_receipt_keys(scene.issuer, wallet, (used, unused), first=0)
    shown = till.show("ada")
    scene.charge(shown)
    own, line = receipt_id_of(used), till.line(shown.charge_id)

    for receipt_id in (receipt_id_of(unused), new_id()):  # Not given to any charge, and never heard of.
        with pytest.raises(NotFound):
            take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=line)
    with pytest.raises(BodyInvalid):
        take_receipt(scene.issuer, own, sealed=SEALED + b"s", line=line)
    for wrong in (till.line(new_id()), line[:-1], b""):
        with pytest.raises(EnvelopeInvalid):
            take_receipt(scene.issuer, own, sealed=SEALED, line=wrong)
    short = seal(
        StatementLine(shown.charge_id, bytes(16), b"Coffee"), to=scene.issuer.keys.public(), purpose=STATEMENT_LINE
    )
    for ill_formed in (short, till.line(shown.charge_id, said="Cof\nfee")):
        with pytest.raises(BodyInvalid):
            take_receipt(scene.issuer, own, sealed=SEALED, line=ill_formed)
    assert sealed_of(show_receipts(scene.issuer, wallet)) == [None]


def test_somebody_elses_receipt_is_neither_shown_nor_deleted(scene: Scene) -> None:
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(1), first=0)
    shown = till.show("ada")
    receipt_id = receipt_id_of(till.read(scene.charge(shown)).receipt_key)
    take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=till.line(shown.charge_id))
    other = scene.wallet()

    assert show_receipts(scene.issuer, other) == ()
    with pytest.raises(NotFound):
        delete_receipt(scene.issuer, other, receipt_id)
    assert sealed_of(show_receipts(scene.issuer, wallet)) == [SEALED]


def test_keys_are_deposited_within_bounds_and_again(scene: Scene) -> None:
    wallet, closed = scene.wallet(), scene.wallet()
    close_wallet(scene.issuer, closed)
    keys = public_keys(DEPOSIT_MAX)
    assert keys_wanted(scene.issuer, wallet) == KeysWanted(0, DEPOSIT_MAX)

    for _ in range(2):
        assert deposit_receipt_keys(scene.issuer, wallet, keys, first=0) == KeysWanted(DEPOSIT_MAX, 0)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(DEPOSIT_MAX), first=0)  # Another browser, at once.

    refused: list[tuple[str, tuple[bytes, ...], int]] = [
        (wallet, public_keys(1), 2 * DEPOSIT_MAX),
        (wallet, (), 0),
        (wallet, public_keys(DEPOSIT_MAX + 1), 0),
        (wallet, (keys[0], keys[0]), 0),
        (wallet, (bytes(32),), 0),
        (wallet, public_keys(1), -1),
        (wallet, public_keys(1), KEY_NUMBER_MAX),
        (closed, public_keys(1), 0),
    ]
    for who, offered, first in refused:
        with pytest.raises(BodyInvalid):
            deposit_receipt_keys(scene.issuer, who, offered, first=first)
    assert keys_wanted(scene.issuer, closed).count == 0
    for ask in (keys_wanted, lambda issuer, who: deposit_receipt_keys(issuer, who, keys, first=0)):
        with pytest.raises(NotFound):
            ask(scene.issuer, new_id())


def test_payments_come_page_by_page_and_the_export_has_every_receipt(scene: Scene) -> None:
    """
    Also those of one moment: the clock here stands still.
    """
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(RECEIPTS_PAGE + 1), first=0)
    for _ in range(RECEIPTS_PAGE + 1):
        shown = till.show("ada", 1)
        receipt_id = receipt_id_of(till.read(scene.charge(shown)).receipt_key)
        take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=till.line(shown.charge_id))

    pages = [show_receipts(scene.issuer, wallet, page=number) for number in (0, 1, 2)]

    assert [len(page) for page in pages] == [RECEIPTS_PAGE, 1, 0]
    assert len({line.charge_id for page in pages for line in page}) == RECEIPTS_PAGE + 1
    assert export_wallet(scene.issuer, wallet).receipts == pages[0] + pages[1]


def test_an_erased_wallet_leaves_no_receipt_and_no_unused_key(scene: Scene) -> None:
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(2), first=0)
    shown = till.show("ada")
    receipt_id = receipt_id_of(till.read(scene.charge(shown)).receipt_key)
    take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=till.line(shown.charge_id))

    close_wallet(scene.issuer, wallet)
    assert sealed_of(show_receipts(scene.issuer, wallet)) == [SEALED]
    erase_person(scene.issuer, wallet)

    with scene.issuer.database.unit_of_work() as uow:
        rows = uow.rows("SELECT charge_id, receipt FROM receipt_keys WHERE wallet_id = ?", wallet)
    assert rows == [(shown.charge_id, None)]


def test_a_receipt_that_comes_after_its_wallet_was_erased_is_not_kept(scene: Scene) -> None:
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    deposit_receipt_keys(scene.issuer, wallet, public_keys(1), first=0)
    shown = till.show("ada")
    receipt_id = receipt_id_of(till.read(scene.charge(shown)).receipt_key)
    with pytest.raises(NotFound):
        delete_receipt(scene.issuer, wallet, receipt_id)  # It has not come yet.
    erase_person(scene.issuer, wallet)

    take_receipt(scene.issuer, receipt_id, sealed=SEALED, line=till.line(shown.charge_id))

    assert sealed_of(show_receipts(scene.issuer, wallet)) == [None]
