"""
Promise that what was reserved has its receipt sealed once it is captured, whenever that is, and is forgotten otherwise.
"""

from __future__ import annotations

import base64

import pytest

from handsel.envelope import open_envelope
from handsel.errors import AccessDenied, NotFound
from handsel.log import Log
from handsel.order import STATEMENT_LINE, StatementLine
from handsel.receipt import open_receipt, read_statement
from handsel.till.action import ChargeAction, TipChoice
from handsel.till.bring_receipts import ReceiptCourier
from handsel.till.close_charge import ChargeCloser
from handsel.till.follow_reserved import GRACE_MS, PAUSE_MS_MAX, PAUSE_MS_MIN, ReservedFollower
from tests.till.conftest import Till
from tests.till.fakes import AMOUNT_MINOR, DEPOSIT, PowerCut, full_disk, lost

ANN = 1
OVER_MS = DEPOSIT.hold_s * 1000 + GRACE_MS


def follower_of(till: Till) -> ReservedFollower:
    log = Log("till", till.log)
    closer = ChargeCloser(till.journal, till.keyring.issuer.public(), till.random, log)
    return ReservedFollower(till.journal, till.acquirer, closer, till.clock, log)


def reserve(till: Till, action: ChargeAction = DEPOSIT, *, tip_minor: int = 0) -> str:
    """
    Let ann reserve, and return the id of the charge.
    """
    till.acquirer.told = action
    till.agent.choose_tip(tip_minor, session=till.agent.poll().session)
    assert till.hold_out(ANN).screen == "reserved"
    return till.journal.reserved()[-1].charge_id


def brought(till: Till) -> list[tuple[str, int, int]]:
    """
    Bring what is sealed; return the charge, the amount and the tip of each receipt, as ann's wallet opens it.
    """
    courier = ReceiptCourier(till.journal, till.acquirer, till.clock, Log("till", till.log))
    while courier.bring_next():
        pass
    found = []
    for charge_id, receipt in till.acquirer.brought:
        stated = read_statement(open_receipt(receipt.sealed, key=till.acquirer.wallet_key).signed)
        assert stated.charge_id == charge_id
        found.append((charge_id, stated.amount_minor, stated.tip_minor))
    return found


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_is_captured_later_has_a_receipt_of_what_was_captured(till: Till, is_restarted: bool) -> None:
    charge_id = reserve(till)
    follower = follower_of(till)
    assert [follower.ask_next(), follower.ask_next()] == [True, False]
    assert brought(till) == []
    till.acquirer.capture(charge_id, 300)
    if is_restarted:
        till.start()
        follower = follower_of(till)
    else:
        till.clock.pass_ms(PAUSE_MS_MIN)

    assert [follower.ask_next(), follower.ask_next()] == [True, False]

    assert (till.journal.reserved(), len(till.journal.receipts())) == ((), 1)
    assert brought(till) == [(charge_id, 300, 0)]


def test_a_tip_that_was_captured_stands_apart(till: Till) -> None:
    action = ChargeAction(
        "d1" * 16, AMOUNT_MINOR, "EUR", "Corner Café", "Room 12", 3_600, (TipChoice(50),), AMOUNT_MINOR
    )
    charge_id = reserve(till, action, tip_minor=50)
    till.acquirer.capture(charge_id, 350, tip_minor=50)

    assert follower_of(till).ask_next()

    assert brought(till) == [(charge_id, 350, 50)]


def test_the_shop_is_named_where_the_payer_wants_it(till: Till) -> None:
    charge_id = reserve(till)
    till.acquirer.is_named = True
    till.acquirer.capture(charge_id, 300)
    follower_of(till).ask_next()
    brought(till)

    line = till.acquirer.brought[0][1].line
    said = open_envelope(line, StatementLine, keys=till.keyring.issuer, purpose=STATEMENT_LINE)

    assert (said.naming_tag, said.description.rstrip(b"\0")) == (till.acquirer.naming_tag(charge_id), b"Bicycle")


@pytest.mark.parametrize("end", ["given back", "not known", "no papers"])
def test_what_has_no_receipt_is_forgotten(till: Till, end: str) -> None:
    charge_id = reserve(till)
    secret = till.journal.reserved()[0].reply_secret
    if end == "given back":
        till.acquirer.give_back(charge_id)
    elif end == "not known":
        till.acquirer.breaks = {"charge_state": [NotFound("no such charge")]}
    else:
        setattr(till.acquirer, "_papers", lambda _, __, **___: None)  # noqa: B010 – a method of one fake, for one test
        till.acquirer.capture(charge_id, 300)

    assert follower_of(till).ask_next()

    assert (till.journal.reserved(), till.journal.receipts()) == ((), ())
    assert len(secret) == 32
    assert len((till.directory / "journal.json").read_bytes()) < 100
    assert "reservation.ended" in till.log.getvalue()


@pytest.mark.parametrize("amount_minor", [0, AMOUNT_MINOR + 1])
def test_a_statement_of_more_than_was_shown_is_not_sealed(till: Till, amount_minor: int) -> None:
    till.acquirer.capture(reserve(till), amount_minor)

    assert follower_of(till).ask_next()

    assert (till.journal.reserved(), till.journal.receipts()) == ((), ())
    assert "receipt.not_sealed" in till.log.getvalue()


@pytest.mark.parametrize("error", [lost(), AccessDenied("the token is another")], ids=["away", "refused"])
def test_an_acquirer_that_does_not_say_is_asked_later_and_less_often(till: Till, error: Exception) -> None:
    charge_id = reserve(till)
    follower = follower_of(till)
    till.acquirer.breaks = {"charge_state": [error] * 20}
    waited_ms = []
    for _ in range(20):
        before_ms = till.clock()
        while not follower.ask_next():
            till.clock.pass_ms(1_000)
        waited_ms.append(till.clock() - before_ms)
    assert waited_ms[:4] == [0, PAUSE_MS_MIN, 2 * PAUSE_MS_MIN, 4 * PAUSE_MS_MIN]
    assert waited_ms[-1] == PAUSE_MS_MAX
    till.acquirer.capture(charge_id, 300)
    till.clock.pass_ms(PAUSE_MS_MAX)

    assert follower.ask_next()
    assert brought(till) == [(charge_id, 300, 0)]


@pytest.mark.parametrize("answers", [[], [lost()]], ids=["still reserved", "away"])
def test_a_day_after_its_time_it_is_asked_for_once_more_and_forgotten(till: Till, answers: list[BaseException]) -> None:
    reserve(till)
    follower = follower_of(till)
    till.clock.pass_ms(OVER_MS - 1)
    assert follower.ask_next()
    assert len(till.journal.reserved()) == 1
    till.clock.pass_ms(PAUSE_MS_MAX)
    till.acquirer.breaks = {"charge_state": answers}

    assert follower.ask_next()

    assert (till.journal.reserved(), till.journal.receipts()) == ((), ())


def test_what_was_captured_while_the_till_was_off_for_long_is_sealed_all_the_same(till: Till) -> None:
    charge_id = reserve(till)
    till.acquirer.capture(charge_id, AMOUNT_MINOR)
    till.clock.pass_ms(10 * OVER_MS)
    till.start()

    assert follower_of(till).ask_next()

    assert brought(till) == [(charge_id, AMOUNT_MINOR, 0)]


def test_each_is_asked_for_and_none_holds_up_another(till: Till) -> None:
    first, second = reserve(till), _next(till)
    follower = follower_of(till)
    till.acquirer.capture(second, 200)

    assert [follower.ask_next(), follower.ask_next(), follower.ask_next()] == [True, True, False]

    assert [entry.charge_id for entry in till.journal.reserved()] == [first]
    assert brought(till) == [(second, 200, 0)]


def _next(till: Till) -> str:
    till.cancel()
    return reserve(till, ChargeAction("d2" * 16, AMOUNT_MINOR, "EUR", "Corner Café", "Bicycle", 3_600))


def test_a_full_disk_seals_it_again_later(till: Till) -> None:
    charge_id = reserve(till)
    follower = follower_of(till)
    till.acquirer.capture(charge_id, 300)
    with full_disk():
        assert follower.ask_next()
        assert not follower.ask_next()
    assert (len(till.journal.reserved()), till.journal.receipts()) == (1, ())
    till.clock.pass_ms(PAUSE_MS_MIN)

    assert follower.ask_next()
    assert brought(till) == [(charge_id, 300, 0)]


def test_a_power_cut_while_asking_loses_nothing(till: Till) -> None:
    charge_id = reserve(till)
    till.acquirer.capture(charge_id, 300)
    till.acquirer.breaks = {"charge_state": [PowerCut()]}
    with pytest.raises(PowerCut):
        follower_of(till).ask_next()
    till.start()

    assert follower_of(till).ask_next()
    assert brought(till) == [(charge_id, 300, 0)]


def test_a_reservation_that_was_begun_without_a_reply_key_is_not_followed(till: Till) -> None:
    """
    As one that was under way when this version of the journal came.
    """
    till.acquirer.told = DEPOSIT
    till.agent.poll()
    till.acquirer.breaks["charge.answered"] = [lost()]
    till.hold_out(ANN)
    path = till.directory / "journal.json"
    secret = till.journal.entries()[0].reply_secret
    path.write_bytes(
        path.read_bytes().replace(_as_json(secret), b'"reply_secret":""').replace(b'"version":4', b'"version":3')
    )
    till.start()

    till.poll_until("idle")

    assert (till.journal.entries(), till.journal.reserved()) == ((), ())


def _as_json(secret: bytes) -> bytes:
    return b'"reply_secret":"' + base64.b64encode(secret) + b'"'


def test_the_log_says_how_it_ended_and_nothing_else(till: Till) -> None:
    charge_id = reserve(till)
    (entry,) = till.journal.reserved()
    till.acquirer.capture(charge_id, 300)
    follower_of(till).ask_next()

    ended = next(line for line in till.log.getvalue().splitlines() if "reservation.ended" in line)

    assert '"outcome": "paid"' in ended
    for word in (charge_id, entry.order_id, till.acquirer.receipt_code, entry.return_code, "300"):
        assert word not in ended
