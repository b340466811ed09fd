"""
Promise that a wallet shows what happened in it, and never where.
"""

from __future__ import annotations

import msgspec
import pytest

from handsel.errors import InvariantBroken, NotFound
from handsel.flows.issuing.export_wallet import export_wallet
from handsel.flows.issuing.show_wallet import HISTORY_PAGE, HistoryLine, show_wallet, wallet_history
from handsel.flows.issuing.top_up import top_up
from handsel.ids import new_id
from handsel.pay.money import Money
from tests.flows.issuing.scene import Scene, crash, send


def test_the_history_has_each_movement_newest_first(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    notes = scene.buy("ada", 4_50)
    scene.refund("ada", scene.refund_order(4_50), notes)

    lines = wallet_history(scene.issuer, wallet)

    assert [(line.kind, line.amount_minor, line.balance_after_minor) for line in lines] == [
        ("refund", 4_50, 10_00),
        ("payment", -4_50, 5_50),
        ("top_up", 10_00, 10_00),
    ]
    assert {(line.currency, line.at_ms) for line in lines} == {("EUR", scene.now_ms)}


def test_a_line_of_the_history_has_no_field_for_a_merchant() -> None:
    assert {field.name for field in msgspec.structs.fields(HistoryLine)} == {
        "number",
        "kind",
        "amount_minor",
        "currency",
        "balance_after_minor",
        "at_ms",
    }


# The one exception, because the owner of a wallet asks for it shop by shop; what comes into these, and what never does,
# is promised in test_named_shops.py.
ONLY_ON_WISH = ("named_shops", "named_payments")


@pytest.mark.sqlite
def test_no_table_of_the_issuer_has_a_column_for_a_merchant_a_shop_a_till_or_a_place(scene: Scene) -> None:
    with scene.issuer.database.unit_of_work() as uow:
        tables = [name for (name,) in uow.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        assert set(ONLY_ON_WISH) <= set(tables)
        tables = [name for name in tables if name not in ONLY_ON_WISH]
        columns = {row[1] for table in tables for row in uow.rows(f"PRAGMA table_info({table})")}

    assert "amount_minor" in columns
    for word in ("merchant", "shop", "till", "place", "location", "score", "name_of", "description"):
        assert [column for column in columns if word in column] == []


def test_what_is_reserved_is_not_available(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    crash(scene, lambda issuer: send(issuer, shown), at=0, is_committed=True)

    view = show_wallet(scene.issuer, wallet)

    assert (view.balance_minor, view.available_minor) == (10_00, 5_50)


def test_the_history_comes_page_by_page_and_the_export_has_all_of_it(scene: Scene) -> None:
    wallet = scene.wallet()
    for minor in range(1, HISTORY_PAGE + 2):
        top_up(scene.issuer, wallet, top_up_id=new_id(), amount=Money(minor, "EUR"))

    first = wallet_history(scene.issuer, wallet)
    second = wallet_history(scene.issuer, wallet, before_number=first[-1].number)

    assert [len(first), len(second)] == [HISTORY_PAGE, 1]
    export = export_wallet(scene.issuer, wallet)
    assert export.history == first + second
    assert export.wallet == show_wallet(scene.issuer, wallet)
    assert [consent.version for consent in export.consents] == ["1"]


@pytest.mark.parametrize("limit", [0, HISTORY_PAGE + 1])
def test_a_page_has_a_bound(scene: Scene, limit: int) -> None:
    with pytest.raises(InvariantBroken):
        wallet_history(scene.issuer, scene.wallet(), limit=limit)


def test_a_wallet_that_never_was_is_not_shown(scene: Scene) -> None:
    for show in (show_wallet, wallet_history, export_wallet):
        with pytest.raises(NotFound):
            show(scene.issuer, new_id())
