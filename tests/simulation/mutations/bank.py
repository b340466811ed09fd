"""
Plant bugs in what is booked of a bank's statements, and in what a bank is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from handsel.bank.booking import OrderState
from handsel.flows.acquiring import book_statement as acquirers
from handsel.flows.acquiring import pay_out
from handsel.flows.banking import accounts, book_statement, explain_payment
from handsel.flows.banking.order_payments import batch_id_of
from handsel.flows.banking.transfer_file import TransferFile, transfer_file
from handsel.flows.issuing import settle_acquirers
from handsel.store import issuer_bank
from handsel.store.bank import BankTables
from handsel.store.database import UnitOfWork
from tests.simulation import operators
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches


def _gives_strays_to_anybody(patches: Patches) -> None:
    right = issuer_bank.wallet_of_reference

    def wrong(uow: UnitOfWork, reference: str) -> str | None:
        row = uow.row("SELECT id FROM wallets ORDER BY id LIMIT 1")
        return right(uow, reference) or (row[0] if row else None)

    patches.put(issuer_bank, "wallet_of_reference", wrong)


def _fills_the_newest_wallet(patches: Patches) -> None:
    patches.put(
        issuer_bank,
        "wallet_of_reference",
        lambda uow, reference: uow.row("SELECT wallet_id FROM bank_references ORDER BY number DESC LIMIT 1")[0],
    )


def _keeps_what_was_refused(patches: Patches) -> None:
    def wrong(books: BankTables, order: Any, *, reason: str, ended: Any, now_ms: int) -> None:
        explain_payment._end(books, order, OrderState.REFUSED, reason, ended=ended, now_ms=now_ms)

    patches.put(operators, "refuse_order", wrong)


def _makes_another_file(patches: Patches) -> None:
    made = count()

    def wrong(kind: Any, **rest: Any) -> str:
        return batch_id_of(kind, **rest)[:-8] + f"{next(made):08x}"

    patches.put(pay_out, "batch_id_of", wrong)


def _settles_again_each_time(patches: Patches) -> None:
    made = count()

    def wrong(kind: Any, **rest: Any) -> str:
        return batch_id_of(kind, **rest)[:-8] + f"{next(made):08x}"

    patches.put(settle_acquirers, "batch_id_of", wrong)


def _does_not_know_the_issuer(patches: Patches) -> None:
    right = acquirers.book_statements
    patches.put(
        acquirers,
        "book_statements",
        lambda *values, **rest: right(*values, **{**rest, "settlement_reference": "RF00"}),
    )


def _bears_fees_unseen(patches: Patches) -> None:
    patches.put(book_statement, "unexplained", accounts.costs)


def _sends_strays_back_again(patches: Patches) -> None:
    patches.put(BankTables, "move_suspended", lambda *_, **__: None)


def _pays_the_next_merchant(patches: Patches) -> None:
    def wrong(books: Any, batch: Any, *, by: Any) -> TransferFile:
        file = transfer_file(books, batch, by=by)
        payees = [order.to for order in file.orders]
        orders = [replace(order, to=to) for order, to in zip(file.orders, (*payees[1:], *payees[:1]), strict=True)]
        return replace(file, orders=orders)

    patches.put(pay_out, "transfer_file", wrong)


def _loses_what_came_back(patches: Patches) -> None:
    patches.put(explain_payment, "_came_back", lambda books, order, movement, **_: None)


def _refuses_what_was_left_out(patches: Patches) -> None:
    patches.put(book_statement, "_was_left_out", lambda books, statement, last: False)


MUTATIONS = (
    Mutation("strays-to-anybody", "money with an unknown reference fills some wallet", _gives_strays_to_anybody),
    Mutation("newest-reference", "whatever comes fills the wallet of the newest reference", _fills_the_newest_wallet),
    Mutation("refused-and-kept", "what was reserved for a refused pay-out stays so", _keeps_what_was_refused),
    Mutation("another-file", "a file of pay-outs that is made again is another", _makes_another_file),
    Mutation("settled-each-time", "acquirers are paid by each file that is made", _settles_again_each_time),
    Mutation("issuer-unknown", "an acquirer does not know what the issuer pays for", _does_not_know_the_issuer),
    Mutation("fee-unseen", "what left unexplained is a cost at once", _bears_fees_unseen),
    Mutation("stray-back-again", "money for nobody is sent back by each file", _sends_strays_back_again),
    Mutation("next-merchant", "a pay-out names the account of the next merchant", _pays_the_next_merchant),
    Mutation("left-out", "a statement that was left out is never booked", _refuses_what_was_left_out),
    Mutation("lost-return", "a pay-out that comes back is not the one that was made", _loses_what_came_back),
)
