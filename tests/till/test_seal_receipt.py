"""
Promise that a till seals the receipt of its own payment, brings it beside everything else, and keeps it until then.
"""

from __future__ import annotations

import json
import secrets

import msgspec
import pytest

from handsel.envelope import open_envelope, seal_reply
from handsel.errors import NotFound, StoreCorrupt
from handsel.log import Log
from handsel.naming import naming_key_of
from handsel.notes.note import Note
from handsel.order import CHARGE_REPLY, DESCRIPTION_BYTES, STATEMENT_LINE, ChargeReply, StatementLine
from handsel.receipt import SignedStatement, open_receipt, read_statement, sign_statement
from handsel.return_code import order_id_of, return_digest_of
from handsel.till.acquirer import PaidAnswer, PapersAnswer, ReceiptBrought
from handsel.till.action import ChargeAction, TipChoice
from handsel.till.bring_receipts import GIVEN_UP_MS, PAUSE_MS_MAX, ReceiptCourier
from handsel.till.journal import RECEIPTS_MAX, ChargeEntry, Journal, ReceiptEntry
from handsel.till.seal_receipt import reply_key_of, seal_for_wallet
from tests.till.conftest import Till
from tests.till.fakes import COFFEE, PowerCut, full_disk, lost

ANN = 1


def courier_of(till: Till) -> ReceiptCourier:
    return ReceiptCourier(till.journal, till.acquirer, till.clock, Log("till", till.log))


def pay(till: Till) -> None:
    till.acquirer.told = COFFEE
    till.agent.poll()
    assert till.hold_out(ANN).screen == "paid"


def line_of(till: Till, brought: ReceiptBrought) -> StatementLine:
    return open_envelope(brought.line, StatementLine, keys=till.keyring.issuer, purpose=STATEMENT_LINE)


def test_a_payment_is_sealed_for_its_payer_and_brought(till: Till) -> None:
    pay(till)
    courier = courier_of(till)

    assert [courier.bring_next(), courier.bring_next()] == [True, False]

    ((charge_id, brought),) = till.acquirer.brought
    receipt = open_receipt(brought.sealed, key=till.acquirer.wallet_key)
    statement = read_statement(receipt.signed)
    assert (statement.charge_id, statement.shop, statement.amount_minor) == (charge_id, "Corner Café", 450)
    assert receipt.return_code == till.agent.state().return_code
    assert (till.journal.receipts(), till.journal.entries()) == ((), ())


def test_a_tip_stands_apart_in_the_receipt_that_it_was_paid_with(till: Till) -> None:
    lunch = ChargeAction("f1" * 16, 384, "EUR", "Corner Café", "Lunch", tips=(TipChoice(64),), tip_minor_max=384)
    till.acquirer.told = lunch
    till.agent.choose_tip(64, session=till.agent.poll().session)
    assert till.hold_out(ANN).screen == "paid"

    assert courier_of(till).bring_next()

    ((_, brought),) = till.acquirer.brought
    statement = read_statement(open_receipt(brought.sealed, key=till.acquirer.wallet_key).signed)
    assert (statement.amount_minor, statement.tip_minor) == (448, 64)


def test_the_page_shows_the_return_code_and_keeps_it_out_of_requests(till: Till) -> None:
    pay(till)

    state = till.agent.state()

    (request,) = till.acquirer.charge_requests
    assert order_id_of(state.return_code, charge_id=request.charge_id) == request.order_id
    assert request.return_digest == return_digest_of(state.return_code, charge_id=request.charge_id)
    assert state.return_code.encode() not in msgspec.json.encode(request)
    assert state.receipt_url.split("#") == [
        f"https://acquirer.example/receipts/{till.acquirer.receipt_code}",
        state.return_code,
    ]


def test_the_shop_is_named_only_where_the_payer_wants_it(till: Till) -> None:
    pay(till)
    till.agent.cancel(session=till.agent.state().session)
    till.acquirer.is_named = True
    till.acquirer.told = msgspec.structs.replace(COFFEE, id="c1" * 16)
    till.agent.poll()
    assert till.hold_out(ANN).screen == "paid"
    courier = courier_of(till)
    while courier.bring_next():
        pass

    (first_id, plain), (second_id, named) = till.acquirer.brought
    unnamed, said = line_of(till, plain), line_of(till, named)
    assert (said.naming_tag, said.description.rstrip(b"\0")) == (
        till.acquirer.naming_tag(second_id),
        b"Coffee and cake",
    )
    assert unnamed.naming_tag != till.acquirer.naming_tag(first_id)
    assert unnamed.description == bytes(DESCRIPTION_BYTES)
    assert [len(plain.line), len(plain.sealed)] == [len(named.line), len(named.sealed)]


def test_a_receipt_survives_a_power_cut_and_a_network_that_is_away(till: Till) -> None:
    pay(till)
    till.start()
    courier = courier_of(till)
    till.acquirer.breaks = {"receipt.sent": [lost(), lost()], "receipt.answered": [lost()]}
    tries = 0
    while till.journal.receipts():
        tries += courier.bring_next()
        till.clock.pass_ms(1_000)

    assert tries == 4
    assert len({brought.receipt_id for _, brought in till.acquirer.brought}) == 1
    assert len(till.acquirer.brought) == 2  # The second answer came back; both were the same.
    assert till.acquirer.brought[0] == till.acquirer.brought[1]


def test_a_receipt_that_was_paid_for_before_a_power_cut_is_sealed_after_it(till: Till) -> None:
    till.acquirer.breaks = {"notes.answered": [PowerCut()]}
    till.acquirer.told = COFFEE
    till.agent.poll()
    with pytest.raises(PowerCut):
        till.hold_out(ANN)
    till.start()
    till.agent.poll()

    assert courier_of(till).bring_next()
    assert len(till.acquirer.brought) == 1


def test_between_tries_there_is_a_pause_that_grows_to_a_bound(till: Till) -> None:
    pay(till)
    courier = courier_of(till)
    till.acquirer.breaks = {"receipt.sent": [lost() for _ in range(100)]}
    assert courier.bring_next()
    assert not courier.bring_next()

    for _ in range(12):
        till.clock.pass_ms(PAUSE_MS_MAX)
        assert courier.bring_next()
    till.clock.pass_ms(PAUSE_MS_MAX - 1)
    assert not courier.bring_next()


@pytest.mark.parametrize("is_old", [False, True])
def test_a_receipt_that_is_refused_or_too_old_is_given_up(till: Till, is_old: bool) -> None:
    pay(till)
    if is_old:
        till.clock.pass_ms(GIVEN_UP_MS)
    till.acquirer.breaks = {"receipt.sent": [lost() if is_old else NotFound("no such charge")]}

    assert courier_of(till).bring_next()

    assert till.journal.receipts() == ()
    assert till.acquirer.brought == []


def test_a_full_disk_brings_it_twice_and_loses_nothing(till: Till) -> None:
    pay(till)
    courier = courier_of(till)
    with full_disk():
        assert courier.bring_next()
    assert len(till.journal.receipts()) == 1
    till.clock.pass_ms(PAUSE_MS_MAX)

    assert courier.bring_next()
    assert till.journal.receipts() == ()
    assert till.acquirer.brought[0] == till.acquirer.brought[1]


def alter(till: Till, papers: PapersAnswer, **change: object) -> PapersAnswer:
    statement = msgspec.structs.replace(read_statement(papers.signed), **change)
    return msgspec.structs.replace(papers, signed=sign_statement(statement, keys=till.acquirer.keys))


def test_a_charge_of_before_has_its_receipt_without_a_code(till: Till) -> None:
    """
    It was in the journal when this version came: the acquirer states no digest, and the issuer knows it by the same id.
    """
    pay(till)
    (request,) = till.acquirer.charge_requests
    entry = ChargeEntry(request.charge_id, COFFEE, 5, request.secrets, b"r" * 32)
    notes = tuple(Note(secret.key_id, secret.serial, bytes(256)) for secret in request.secrets)
    papers = alter(till, till.acquirer.papers(request.charge_id, notes), return_digest=None)
    reply = ChargeReply(till.acquirer.wallet_key.public_key().public_bytes_raw(), naming_key_of(b"i" * 32), ())
    sealed = seal_reply(reply, reply_key=reply_key_of(entry.reply_secret), purpose=CHARGE_REPLY)
    papers = msgspec.structs.replace(papers, reply=sealed)

    made = seal_for_wallet(
        entry, papers, issuer=till.keyring.issuer.public(), random_bytes=secrets.token_bytes, now_ms=5
    )

    assert open_receipt(made.brought.sealed, key=till.acquirer.wallet_key).return_code == ""
    assert line_of(till, made.brought).order_id == entry.charge_id


@pytest.mark.parametrize(
    "change",
    [
        *("charge_id", "shop", "description", "currency", "amount_minor", "tip_minor", "notes", "return_digest"),
        *("reply", "statement"),
    ],
)
def test_nothing_is_sealed_that_states_another_payment_and_the_till_is_paid_all_the_same(
    till: Till, change: str
) -> None:
    papers_of = till.acquirer.papers

    def altered(charge_id: str, notes: tuple[Note, ...]) -> PapersAnswer:
        papers = papers_of(charge_id, notes)
        if change == "reply":
            return msgspec.structs.replace(papers, reply=papers.reply[:-1])
        if change == "statement":
            return msgspec.structs.replace(papers, signed=SignedStatement("{}", bytes(64)))
        values: dict[str, object] = {
            **{"charge_id": "c9" * 16, "shop": "Bakery", "description": "Bread", "currency": "CHF"},
            **{"amount_minor": 451, "tip_minor": 1, "notes": (), "return_digest": bytes(32)},
        }
        return alter(till, papers, **{change: values[change]})

    setattr(till.acquirer, "papers", altered)  # noqa: B010 – a method of one fake, for one test
    pay(till)

    assert (till.journal.receipts(), till.journal.entries()) == ((), ())
    assert "receipt.not_sealed" in till.log.getvalue()


def test_an_acquirer_that_has_no_papers_left_is_no_trouble(till: Till) -> None:
    setattr(till.acquirer, "papers", lambda _, __: None)  # noqa: B010 – a method of one fake, for one test
    pay(till)

    assert till.journal.receipts() == ()


def test_the_journal_holds_so_many_receipts_and_reads_the_version_before(till: Till) -> None:
    receipts = [
        ReceiptEntry(f"{number:032x}", ReceiptBrought("a" * 32, b"s", b"l"), 5) for number in range(RECEIPTS_MAX + 1)
    ]
    for each in receipts:
        till.journal.close("none", each)
    assert till.journal.receipts() == tuple(receipts[1:])

    path = till.directory / "journal.json"
    held = json.loads(path.read_bytes())
    before = {"version": 2, "entries": []}
    path.write_text(json.dumps(before))
    assert Journal.open(path).receipts() == ()
    entry = {"charge_id": "c0" * 16, "action": msgspec.to_builtins(COFFEE), "begun_ms": 5, "secrets": []}
    path.write_text(json.dumps({"version": 3, "entries": [entry], "receipts": []}))
    (of_before,) = Journal.open(path).entries()
    assert (of_before.order_id, of_before.return_code) == (of_before.charge_id, "")
    path.write_text(json.dumps({**held, "version": 1}))
    with pytest.raises(StoreCorrupt):
        Journal.open(path)


def test_nothing_of_a_receipt_is_in_a_repr_or_a_log(till: Till) -> None:
    pay(till)
    courier_of(till).bring_next()

    for each in (PaidAnswer("code"), till.acquirer.brought[0][1]):
        assert "code" not in repr(each)
    request, code = till.acquirer.charge_requests[0], till.agent.state().return_code
    for secret in (code, request.charge_id, request.order_id):
        assert secret not in till.log.getvalue()
    assert till.acquirer.receipt_code not in till.log.getvalue()
