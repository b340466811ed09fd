"""
Plant bugs in what is paid back by receipt, and in disputes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handsel.flows.acquiring import open_dispute, refund_by_receipt, request_refund, send_notes, settle_refund
from handsel.flows.acquiring.answer_dispute import answer_by_refund
from handsel.flows.acquiring.ports import Unanswered, Voided
from handsel.flows.issuing import refund_charge
from handsel.pay.decline import Declined
from handsel.pay.dispute import DisputeStatus
from handsel.pay.refund import RefundStatus
from handsel.return_code import order_id_of
from handsel.store import issuer as wallets
from handsel.store import issuer_note
from tests.simulation.actors import disputes
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches


def _takes_any_code(patches: Patches) -> None:
    def wrong(return_code: str, *, charge_id: str, digest: bytes | None) -> str:
        return order_id_of(return_code, charge_id=charge_id)

    patches.put(refund_by_receipt, "find_order", wrong)


def _takes_anothers_dispute(patches: Patches) -> None:
    right = refund_by_receipt._order_of

    def wrong(books: Any, payment: Any, typed: str) -> str:
        sql = "SELECT order_id FROM disputes WHERE order_id IS NOT NULL ORDER BY number DESC LIMIT 1"
        row = None if typed.strip() else books.bank.uow.row(sql)
        return right(books, payment, typed) if row is None else str(row[0])

    patches.put(refund_by_receipt, "_order_of", wrong)


def _pays_the_next_wallet(patches: Patches) -> None:
    right = refund_charge._payer

    def wrong(uow: Any, wanted: Any) -> Any:
        wallet = right(uow, wanted)
        if isinstance(wallet, Declined):
            return wallet
        row = uow.row("SELECT id FROM wallets WHERE id <> ? ORDER BY id LIMIT 1", wallet.id)
        return wallets.find_wallet(uow, row[0])

    patches.put(refund_charge, "_payer", wrong)


def _counts_only_what_has_succeeded(patches: Patches) -> None:
    def wrong(books: Any, payment: Any) -> int:
        back = (each for each in books.refunds.of_payment(payment.id) if each.status is RefundStatus.SUCCEEDED)
        return int(payment.received.amount_minor - sum(each.amount.amount_minor for each in back))

    patches.put(request_refund, "refundable_minor", wrong)
    patches.put(issuer_note, "count_refunded", lambda uow, charge_id, amount_minor: True)


def _lost_refund_is_void(patches: Patches) -> None:
    right = send_notes.send_notes

    def wrong(acquirer: Any, attempt_id: str, send: Any, *, now_ms: int) -> Any:
        def hear(notes: Any) -> Any:
            answer = send(notes)
            return Voided() if isinstance(answer, Unanswered) else answer

        return right(acquirer, attempt_id, hear, now_ms=now_ms)

    patches.put(refund_by_receipt, "send_notes", wrong)


def _answers_when_promised(patches: Patches) -> None:
    right = request_refund.promise

    def wrong(books: Any, merchant: Any, payment: Any, request: Any, *, now_ms: int, **rest: Any) -> Any:
        answer_by_refund(books, payment.id, now_ms=now_ms)
        return right(books, merchant, payment, request, now_ms=now_ms, **rest)

    patches.put(refund_by_receipt, "promise", wrong)


def _answers_by_any_end(patches: Patches) -> None:
    right = settle_refund._conclude

    def wrong(acquirer: Any, books: Any, attempt_id: str, answer: Any, *, now_ms: int) -> Any:
        attempt = books.refunds.find_attempt(attempt_id)
        refund = books.refunds.find(attempt.refund_id)
        answer_by_refund(books, refund.payment_id, now_ms=now_ms)
        return right(acquirer, books, attempt_id, answer, now_ms=now_ms)

    patches.put(settle_refund, "_conclude", wrong)


def _ends_a_dispute_again(patches: Patches) -> None:
    def wrong(acquirer: Any, merchant: Any, dispute_id: str, *, now_ms: int) -> Any:
        with acquirer.store.unit_of_work() as books:
            found = books.disputes.find(dispute_id)
            books.bank.uow.execute(
                "UPDATE disputes SET status = 'refused', ended_ms = ? WHERE id = ?", now_ms, dispute_id
            )
            books.commit()
            return replace(found, status=DisputeStatus.REFUSED, ended_ms=now_ms)

    patches.put(disputes, "refuse_dispute", wrong)


def _believes_any_signature(patches: Patches) -> None:
    patches.put(open_dispute, "is_signed_by", lambda signer, signed: True)


MUTATIONS = (
    Mutation("any-code", "any return code pays back", _takes_any_code),
    Mutation("anothers-dispute", "a case about another payment stands in for the code", _takes_anothers_dispute),
    Mutation("next-wallet", "by receipt another wallet is credited than paid", _pays_the_next_wallet),
    Mutation("open-uncounted", "refunds that are under way are not counted", _counts_only_what_has_succeeded),
    Mutation("lost-return-void", "a refund by receipt whose answer was lost counts as not done", _lost_refund_is_void),
    Mutation("answered-by-promise", "a case ends when a refund is promised", _answers_when_promised),
    Mutation("answered-by-nothing", "a case ends when a refund has come to nothing", _answers_by_any_end),
    Mutation("dispute-ends-again", "a case that has ended is refused", _ends_a_dispute_again),
    Mutation("any-signature", "a receipt that was changed counts as signed", _believes_any_signature),
)
