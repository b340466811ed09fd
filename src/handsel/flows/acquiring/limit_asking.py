"""
Bound how often each till asks with palms, within the unit of work of a charge, a refund or an enrolment.

An ask is one palm that is sent to the matchers. It is wrong where nobody was found for it, where it was no palm, and
where the code typed with it was wrong: a till that guesses is stopped before it stops the issuer. Only money that moved
shows that a palm was recognised, so that whoever undoes a lock leaves a trace in the wallet of that palm.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.ports import Credited, Enrolled, Reserved, Signed, Voided
from handsel.pay.decline import Declined, DeclineReason
from handsel.store.acquirer import AcquirerBooks

WRONG_REASONS = frozenset({DeclineReason.NOT_RECOGNISED, DeclineReason.AMBIGUOUS, DeclineReason.WRONG_CODE})


@dataclass(frozen=True)
class NoPalm:
    """
    Say that the matchers refused what a till sent as a palm: nobody was asked whose it is, and nothing was done.
    """


def begin_asking(acquirer: Acquirer, books: AcquirerBooks, till_id: str, *, now_ms: int) -> Declined | None:
    """
    Count one more ask of a till, or return why it may not ask now. The caller commits, and only then asks.
    """
    begun = books.asking_of(till_id).begin(acquirer.asking, now_ms=now_ms)
    if begun is None:
        return Declined(DeclineReason.ASKED_TOO_OFTEN)
    books.save_asking(till_id, begun)
    return None


def end_asking(
    acquirer: Acquirer,
    books: AcquirerBooks,
    till_id: str,
    answer: Signed | Reserved | Credited | Enrolled | Declined | Voided | NoPalm,
    *,
    asked_ms: int,
) -> None:
    """
    Count what came of an ask that began at `asked_ms`. A wrong one was counted as such when it began.
    """
    if isinstance(answer, NoPalm) or (isinstance(answer, Declined) and answer.reason in WRONG_REASONS):
        return
    asking, limits = books.asking_of(till_id), acquirer.asking
    is_recognised = isinstance(answer, Signed | Reserved | Credited)
    ended = asking.recognised if is_recognised else asking.taken_back
    books.save_asking(till_id, ended(limits, asked_ms=asked_ms))
