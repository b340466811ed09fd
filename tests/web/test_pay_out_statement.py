"""
A shop downloads, for one pay-out, what proves offline that every payment since the last is in it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from handsel.cli.main import main
from handsel.flows.acquiring.sign_in import register_merchant
from handsel.pay.merchant import Merchant
from handsel.pay.payment import PaymentIntent
from handsel.proof.statement import Statement
from handsel.web.merchant_pages import merchant_error_page
from handsel.web.tree import tree_routes
from tests.flows.acquiring.street import SHOP_KEY, Street
from tests.flows.acquiring.test_pay_out import AtBank, refund
from tests.web.api import Api, code_of
from tests.web.browser import Browser
from tests.web.test_tree import everything, keep


class Checked:
    """
    Hold a shop that checks its pay-outs by itself, with files alone.
    """

    def __init__(self, street: Street, folder: Path) -> None:
        self.street, self.folder, self.bank = street, folder, AtBank(street)
        self.bank.balance_minor = 100_00
        self.shop = Api([*everything(street), *tree_routes(street.acquirer.tree)], SHOP_KEY)
        self.key = ["--key", keep(folder / "tree.pub", self.shop.get("/v1/tree_key").content)]

    def order(self, days: int) -> str:
        (order,) = self.bank.paid_out(days).orders
        return order.id

    def paid(self, order_id: str, minor: int) -> None:
        assert self.bank.say(self.bank.moves(-minor, order_id)).differences == ()

    def statement(self, order_id: str) -> str:
        content = self.shop.get(f"/v1/statement?payout={order_id}").content
        return keep(self.folder / f"{order_id}.json", content)

    def verify(self, statement: str, *words: str, mine: tuple[PaymentIntent, ...] = ()) -> int:
        if mine:
            rows = "".join(f"{each.id},{each.amount.amount_minor}\n" for each in mine)
            words = (*words, "--payments", keep(self.folder / "mine.csv", rows.encode()))
        return main(["verify-statement", statement, *self.key, *words])


@pytest.fixture
def checked(street: Street, tmp_path: Path) -> Checked:
    return Checked(street, tmp_path)


def test_every_payment_since_the_last_is_in_it_and_anybody_can_check(
    street: Street, checked: Checked, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = street.pay(minor=4_50), street.pay(minor=3_00)
    refund(street, first.id, 1_00)
    order = checked.order(1)
    late = street.pay(minor=2_00)
    assert code_of(checked.shop.get(f"/v1/statement?payout={order}")) == (404, "not_found")
    checked.paid(order, 6_50)

    one = checked.statement(order)

    assert checked.verify(one, "--pay-out", order, mine=(first, second)) == 0
    said = capsys.readouterr().out
    assert "The last entry is the pay-out of 6.50 EUR: it is what 3 entries until 3 come to." in said
    assert "Every payment and refund from entry 1 until there is in it." in said
    assert "All 2 payments of your list, 7.50 EUR together" in said
    assert "0 of them came after" in said
    assert checked.verify(one, mine=(first, second, late)) == 0
    assert "1 of them came after the pay-out was ordered" in capsys.readouterr().out
    later = checked.order(2)
    checked.paid(later, 2_00)
    two = checked.statement(later)
    assert checked.verify(two, "--previous", one, mine=(late,)) == 0
    assert "Every payment and refund from entry 4 until there is in it." in capsys.readouterr().out
    assert checked.verify(one, "--previous", two) == 76
    assert checked.verify(one, "--pay-out", later) == 76
    account = keep(checked.folder / "account.json", checked.shop.get("/v1/statement?currency=eur").content)
    assert checked.verify(account, "--pay-out", order) == 76


def test_what_waited_for_a_refund_is_named_and_is_in_the_next(
    street: Street, checked: Checked, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = street.pay(minor=4_50)
    street.pay(minor=3_00)
    asked = street.ask_refund(kept, 1_00)
    order = checked.order(1)
    checked.paid(order, 3_00)
    one = checked.statement(order)

    assert checked.verify(one) == 1
    assert f"NOT IN IT: payment {kept.id}" in capsys.readouterr().out
    street.submit_refund(street.show_for_refund("ann", asked))
    later = checked.order(2)
    checked.paid(later, 3_50)
    two = checked.statement(later)
    assert checked.verify(two) == 1  # By itself it does not know what the one before contains.
    assert checked.verify(two, "--previous", one) == 0


def test_what_came_back_is_in_the_next_one(street: Street, checked: Checked) -> None:
    paid = street.pay(minor=4_50)
    order = checked.order(1)
    checked.paid(order, 4_50)
    checked.bank.say(checked.bank.moves(4_50, order, return_code="AC04"))
    one = checked.statement(order)
    assert checked.verify(one, mine=(paid,)) == 0  # It was paid out, and came back.

    again = checked.order(2)
    checked.paid(again, 4_50)

    assert checked.verify(checked.statement(again), "--pay-out", again, "--previous", one, mine=(paid,)) == 0


def test_a_payment_that_is_taken_out_of_it_is_missed(street: Street, checked: Checked) -> None:
    street.pay(minor=4_50)
    street.pay(minor=3_00)
    order = checked.order(1)
    checked.paid(order, 7_50)
    one = checked.statement(order)
    whole = msgspec.json.decode(Path(one).read_bytes(), type=Statement)

    less = msgspec.structs.replace(whole, contained=whole.contained[1:])
    cut = msgspec.structs.replace(whole, lines=whole.lines[1:])

    assert checked.verify(one) == 0
    for changed in (less, cut):
        assert checked.verify(keep(checked.folder / "changed.json", msgspec.json.encode(changed))) == 76


def test_the_page_of_a_pay_out_hands_it_out_once_the_bank_has_paid(street: Street, checked: Checked) -> None:
    street.pay(minor=4_50)
    order = checked.order(1)
    browser = Browser(everything(street), merchant_error_page)
    browser.post("/sign-in", key=SHOP_KEY)
    address = f"/pay-outs/{order}/statement.json"
    assert address not in browser.get(f"/pay-outs/{order}").text
    assert browser.get(address).status_code == 404
    checked.paid(order, 4_50)

    assert f'href="{address}"' in browser.get(f"/pay-outs/{order}").text
    assert checked.verify(keep(checked.folder / "page.json", browser.get(address).content)) == 0
    assert Browser(everything(street), merchant_error_page).get(address).headers["location"] == "/"


def test_a_pay_out_is_its_own_shops_and_asked_for_by_its_id_alone(street: Street, checked: Checked) -> None:
    street.pay(minor=4_50)
    order = checked.order(1)
    checked.paid(order, 4_50)
    register_merchant(street.acquirer, Merchant("bar", "Bar"), key="b" * 64)

    assert code_of(Api(everything(street), "b" * 64).get(f"/v1/statement?payout={order}")) == (404, "not_found")
    assert code_of(checked.shop.get(f"/v1/statement?payout={'0' * 32}")) == (404, "not_found")
    for asked in ("payout=", "payout=x", f"payout={order}&after=1", f"payout={order}&currency=eur"):
        assert code_of(checked.shop.get(f"/v1/statement?{asked}")) == (400, "body_invalid")
