"""
Promise that whoever asks what is held about them is told all of it: no table that leads to a wallet is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder
from handsel.bank.statement import Party
from handsel.flows.issuing.bank_reference import bank_reference
from handsel.flows.issuing.collect import collect
from handsel.flows.issuing.consent import give_consent
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.deposit_receipt_keys import deposit_receipt_keys
from handsel.flows.issuing.enrolment_code import give_enrolment_code
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.export_wallet import BankExport, WalletExport, export_wallet, prove_wallet
from handsel.flows.issuing.mandate import MANDATE_VERSION, ask_collection, give_mandate
from handsel.flows.issuing.name_shop import name_shop
from handsel.flows.issuing.resolve_suspense import assign_suspense
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.order import Way
from handsel.pay.asking import Asking
from handsel.pay.limit import DAY_MS
from handsel.pay.money import Money
from handsel.proof.statement import verify_statement
from handsel.receipt import receipt_id_of
from handsel.store.database import UnitOfWork
from handsel.store.issuer_bank import parties_of_wallet
from handsel.store.issuer_card import CardRow, put_card
from handsel.store.issuer_export import EXPORTED, NOT_EXPORTED
from handsel.store.issuer_identity import Basis
from handsel.store.issuer_passkey import ApprovalRow, add_approval
from handsel.store.issuer_pin import PinRow, put_pin
from handsel.store.issuer_receipt import put_receipt, take_key
from tests.bank.camt import THEIRS
from tests.flows.issuing.at_bank import AtBank
from tests.flows.issuing.scene import Scene


@pytest.fixture
def bank(scene: Scene) -> AtBank:
    return AtBank(scene)


def lived(bank: AtBank, name: str) -> str:
    """
    Let somebody do everything that leaves a row: enrol, pay, be declined and paid back, hold a card, be known by name.
    """
    scene = bank.scene
    wallet = scene.payer(name, 20_00)
    fill_from_bank(bank, wallet, Party(name.title(), Iban(THEIRS)))
    notes = scene.buy(name, 4_50)
    scene.refund(name, scene.refund_order(4_50), notes)
    scene.charge(scene.show(name, 49_00))
    give_consent(scene.issuer, wallet, version="card-1", way=Way.HELD_KEY)
    give_enrolment_code(scene.issuer, wallet)
    receive(scene, wallet)
    with scene.issuer.database.unit_of_work() as uow:
        put_card(uow, CardRow(bytes.fromhex(new_id()), wallet, bytes(32), b"sealed", "active", scene.now_ms, Asking()))
        put_pin(uow, wallet, PinRow("hash", scene.now_ms))
        approval = ApprovalRow(new_id(), wallet, Money(60_00, "EUR"), bytes(16), scene.now_ms)
        add_approval(uow, approval)
        scene.issuer.identities.put(
            uow, wallet, kind="name", content=name.title(), basis=Basis.LAW, now_ms=scene.now_ms
        )
        uow.commit()
    erase_palm(scene.issuer, wallet, palm_id=show_wallet(scene.issuer, wallet).palms[0].palm_id)
    deliver_orders(scene.issuer, scene.matchers)
    return wallet


def receive(scene: Scene, wallet: str) -> None:
    """
    Let a receipt come for what was paid, at a shop that is named.
    """
    key = X25519PrivateKey.generate().public_key().public_bytes_raw()
    deposit_receipt_keys(scene.issuer, wallet, (key,), first=0)
    name_shop(scene.issuer, wallet, shop="Corner Café", naming_key=key)
    with scene.issuer.database.unit_of_work() as uow:
        [(charge_id,)] = uow.rows("SELECT id FROM charges WHERE wallet_id = ? AND state = 'approved'", wallet)
        assert take_key(uow, wallet, charge_id=charge_id) == key
        put_receipt(uow, receipt_id_of(key), b"sealed", digest=b"digest")
        uow.commit()


def fill_from_bank(bank: AtBank, wallet: str, party: Party) -> None:
    """
    Let money come by a reference, by one that was named late, and by a debit that comes back.
    """
    bank.scene.now_ms += DAY_MS  # There is one file of debits for a day.
    issuer = bank.scene.issuer
    reference, collection_id = bank_reference(issuer, wallet), new_id()
    bank.say(bank.comes(5_00, reference, party=party), bank.comes(1_00, party=party))
    assign_suspense(issuer, bank.waiting()[0], reference=reference)
    holder = Holder(party.name, Iban(THEIRS))
    give_mandate(issuer, wallet, holder, mandate_id=new_id(), version=MANDATE_VERSION)
    ask_collection(issuer, wallet, collection_id=collection_id, amount=Money(3_00, "EUR"))
    collect(issuer, due_on=bank.due())
    bank.say(bank.comes(3_00, end_to_end_id=collection_id))
    bank.say(bank.leaves(3_00, end_to_end_id=collection_id, return_code="MS03"))


def tables_that_lead_to(uow: UnitOfWork, wallet_id: str) -> set[str]:
    """
    Return the tables with a row that names the wallet, its account, who has filled it, or a row of another such table.
    """
    tables = [name for (name,) in uow.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    own = (wallet_id, f"wallet:{wallet_id}", *parties_of_wallet(uow, wallet_id))
    found = {table for table in tables if names(uow, table, own)}
    found |= {table for table in tables if "wallet_id" in columns(uow, table)}
    account = uow.row("SELECT number FROM accounts WHERE id = ?", f"wallet:{wallet_id}")
    booked = {id_ for (id_,) in uow.rows("SELECT id FROM transfers WHERE ? IN (debit, credit)", *(account or (0,)))}
    found |= {"transfers", "milestones"} | {table for table in ("pending",) if names(uow, table, booked)}
    while True:
        more = {table for table in tables if set(referred(uow, table)) & found} | found
        if more == found:
            return found
        found = more


def columns(uow: UnitOfWork, table: str) -> set[str]:
    return {row[1] for row in uow.rows(f"PRAGMA table_info({table})")}


def referred(uow: UnitOfWork, table: str) -> list[str]:
    return [row[2] for row in uow.rows(f"PRAGMA foreign_key_list({table})")]


def names(uow: UnitOfWork, table: str, values: Iterable[str | bytes]) -> bool:
    wanted = set(values)
    rows = uow.rows(f"SELECT * FROM {table}")  # noqa: S608
    return any(cell in wanted for row in rows for cell in row)


@pytest.mark.sqlite
def test_every_table_that_leads_to_a_wallet_is_exported_or_named_with_a_reason(scene: Scene, bank: AtBank) -> None:
    wallet = lived(bank, "ada")
    with scene.issuer.database.unit_of_work() as uow:
        leading = tables_that_lead_to(uow, wallet)

    assert leading == set(EXPORTED) | set(NOT_EXPORTED)
    assert set(EXPORTED) & set(NOT_EXPORTED) == set()
    assert all(NOT_EXPORTED.values())
    assert set(EXPORTED.values()) <= set(WalletExport.__struct_fields__)


@pytest.mark.sqlite
def test_a_new_table_that_leads_to_a_wallet_is_noticed(scene: Scene, bank: AtBank) -> None:
    wallet = lived(bank, "ada")
    with scene.issuer.database.unit_of_work() as uow:
        uow.execute("CREATE TABLE visits (palm TEXT REFERENCES palms (id))")
        uow.execute("CREATE TABLE notes_of (owner TEXT)")
        uow.execute("INSERT INTO notes_of VALUES (?)", wallet)
        assert tables_that_lead_to(uow, wallet) - set(EXPORTED) - set(NOT_EXPORTED) == {"visits", "notes_of"}


def test_nothing_of_it_is_empty_and_nothing_is_somebody_elses(scene: Scene, bank: AtBank) -> None:
    other, mine = lived(bank, "bartholomew"), lived(bank, "ada")

    held = export_wallet(scene.issuer, mine)
    told = msgspec.json.encode(held)

    empty = [name for name in WalletExport.__struct_fields__ if not getattr(held, name)]
    empty += [name for name in BankExport.__struct_fields__ if not getattr(held.bank, name)]
    assert empty == []
    assert [(line.kind, line.content) for line in held.identities] == [
        ("bank_account", f"{THEIRS} Ada"),
        ("name", "Ada"),
    ]
    assert sorted(charge.state for charge in held.charges) == ["approved", "declined"]
    assert [line.kind for line in held.history] == [
        *("refund", "payment", "returned_debit", "direct_debit", "assigned_top_up", "bank_top_up", "top_up")
    ]
    assert [(line.outcome, line.difference) for line in held.bank.movements] == [
        ("top_up", None),
        ("suspense", "no_reference"),
        ("collected", None),
        ("collection_returned", None),
    ]
    assert {(order.kind, order.matcher) for order in held.orders if order.confirmation is not None} == {
        (kind, matcher) for kind in ("commit", "erase") for matcher in "abc"
    }
    assert held.limits.spent_in_day_minor == 4_50
    assert held.card is not None
    assert held.card.sealed_template == b"sealed"
    assert mine.encode() in told
    assert other.encode() not in told
    assert b"Bartholomew" not in told


@pytest.mark.sqlite
def test_a_wallet_proves_its_own_history(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    scene.buy("ada", 4_50)

    proved = verify_statement(prove_wallet(scene.issuer, wallet), key=scene.issuer.tree.public)

    assert (proved.first, proved.last, proved.closing_minor) == (1, 2, 5_50)
    assert proved.by_code == {"top_up": 10_00, "payment": -4_50}
