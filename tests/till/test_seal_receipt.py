"""
Promise that a till seals the receipt of its own payment, brings it beside everything else, and keeps it until then.
"""

from __future__ import annotations

import json

import msgspec
import pytest

from handsel.envelope import open_envelope
from handsel.errors import NotFound, StoreCorrupt
from handsel.log import Log
from handsel.notes.note import Note
from handsel.order import DESCRIPTION_BYTES, STATEMENT_LINE, StatementLine
from handsel.receipt import SignedStatement, open_receipt, read_statement, sign_statement
from handsel.till.acquirer import PaidAnswer, PapersAnswer, ReceiptBrought
from handsel.till.action import TipChoice
from handsel.till.bring_receipts import GIVEN_UP_MS, PAUSE_MS_MAX, ReceiptCourier
from handsel.till.journal import RECEIPTS_MAX, Journal, ReceiptEntry
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
    statement = read_statement(open_receipt(brought.sealed, key=till.acquirer.wallet_key))
    assert (statement.charge_id, statement.shop, statement.amount_minor) == (charge_id, "Corner Café", 450)
    assert (till.journal.receipts(), till.journal.entries()) == ((), ())


def test_a_tip_is_part_of_the_receipt(till: Till) -> None:
    tips = (TipChoice(64, 17),)
    till.acquirer.told = msgspec.structs.replace(COFFEE, amount_minor=384, tips=tips, tip_minor_max=384)
    till.agent.poll()
    till.agent.choose_tip(64, session=till.agent.state().session)
    assert till.hold_out(ANN).screen == "paid"

    assert courier_of(till).bring_next()

    ((_, brought),) = till.acquirer.brought
    assert read_statement(open_receipt(brought.sealed, key=till.acquirer.wallet_key)).amount_minor == 448


def test_the_page_shows_the_return_code_and_keeps_it_out_of_requests(till: Till) -> None:
    pay(till)

    state = till.agent.state()

    assert state.return_code == till.acquirer.return_code
    assert state.receipt_url.split("#") == [
        f"https://acquirer.example/receipts/{till.acquirer.receipt_code}",
        till.acquirer.return_code,
    ]


@pytest.mark.parametrize("code", ["", "ABCD", "abcdefghij234567/", "javascript:alert"])
def test_what_does_not_look_like_a_return_code_is_not_shown(till: Till, code: str) -> None:
    till.acquirer.return_code = code
    pay(till)

    state = till.agent.state()

    assert (state.return_code, "#" in state.receipt_url) == ("", False)


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


@pytest.mark.parametrize("change", ["charge_id", "amount_minor", "notes", "reply", "statement"])
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
        values: dict[str, object] = {"charge_id": "c9" * 16, "amount_minor": 451, "notes": ()}
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
    path.write_text(json.dumps({**held, "version": 1}))
    with pytest.raises(StoreCorrupt):
        Journal.open(path)


def test_nothing_of_a_receipt_is_in_a_repr_or_a_log(till: Till) -> None:
    pay(till)
    courier_of(till).bring_next()

    for each in (PaidAnswer("code", "abcdefghij234567"), till.acquirer.brought[0][1]):
        assert "code" not in repr(each)
    assert till.acquirer.return_code not in till.log.getvalue()
    assert till.acquirer.receipt_code not in till.log.getvalue()
