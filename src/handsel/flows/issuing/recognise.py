"""
Tell whose palm was shown, from what the three matchers answered.
"""

from __future__ import annotations

from handsel.errors import BindingMismatch
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.open_answers import open_answers
from handsel.matching.message import PerMatcher
from handsel.order import ChargeOrder, RefundOrder, bind
from handsel.pay.decline import Declined, DeclineReason
from handsel.store import issuer as wallets
from handsel.store import issuer_palm as palms
from handsel.store.database import UnitOfWork
from handsel.store.issuer import WalletRow


def recognise_payer(issuer: Issuer, uow: UnitOfWork, order: ChargeOrder, answers: PerMatcher) -> WalletRow | Declined:
    """
    Return the wallet that is to pay `order`: recognised, and not paused. Raises `EnvelopeInvalid`.
    """
    found = _recognise(issuer, uow, order, answers)
    if isinstance(found, Declined):
        return found
    wallet, state = found
    if state == "paused":
        return Declined(DeclineReason.PALM_PAUSED)
    return Declined(DeclineReason.WALLET_CLOSED) if wallet.is_closed else wallet


def recognise_payee(issuer: Issuer, uow: UnitOfWork, order: RefundOrder, answers: PerMatcher) -> WalletRow | Declined:
    """
    Return the wallet that `order` is to credit. Raises `EnvelopeInvalid`.

    A paused palm still receives: pausing guards against paying, and who gives money back must not be sent away.
    """
    found = _recognise(issuer, uow, order, answers)
    if isinstance(found, Declined):
        return found
    wallet, _state = found
    return Declined(DeclineReason.WALLET_CLOSED) if wallet.is_closed else wallet


def _recognise(
    issuer: Issuer, uow: UnitOfWork, order: ChargeOrder | RefundOrder, answers: PerMatcher
) -> tuple[WalletRow, str] | Declined:
    try:
        alias = open_answers(issuer, answers, binding=bind(order))
    except BindingMismatch:
        return Declined(DeclineReason.BOUND_TO_OTHER)
    if alias is None:
        return Declined(DeclineReason.NOT_RECOGNISED)
    palm = palms.palm_of_alias(uow, alias)
    if palm is None:
        # No alias was ever made that reads like this: two rows matched, and what came out is both at once.
        return Declined(DeclineReason.AMBIGUOUS)
    wallet = wallets.find_wallet(uow, palm.wallet_id)
    if wallet is None or palm.state not in ("active", "paused"):
        return Declined(DeclineReason.NOT_RECOGNISED)
    return wallet, palm.state
