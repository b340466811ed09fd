"""
Tell whose palm was shown: from what the three matchers answered, or from what a card signed.
"""

from __future__ import annotations

from handsel.envelope import open_envelope
from handsel.errors import BindingMismatch, SignatureInvalid
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.open_answers import open_answers
from handsel.keys import verify_with
from handsel.matching.message import PerMatcher
from handsel.order import HELD_PROOF, ChargeOrder, HeldProof, RefundOrder, SealedProof, bind, held_message
from handsel.pay.decline import Declined, DeclineReason
from handsel.store import issuer as wallets
from handsel.store import issuer_card as cards
from handsel.store import issuer_palm as palms
from handsel.store.database import UnitOfWork
from handsel.store.issuer import WalletRow


def recognise_payer(
    issuer: Issuer, uow: UnitOfWork, order: ChargeOrder, answers: PerMatcher | SealedProof
) -> WalletRow | Declined:
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


def recognise_payee(
    issuer: Issuer, uow: UnitOfWork, order: RefundOrder, answers: PerMatcher | SealedProof
) -> WalletRow | Declined:
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
    issuer: Issuer, uow: UnitOfWork, order: ChargeOrder | RefundOrder, answers: PerMatcher | SealedProof
) -> tuple[WalletRow, str] | Declined:
    if isinstance(answers, SealedProof):
        return _recognise_card(issuer, uow, order, answers)
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


def _recognise_card(
    issuer: Issuer, uow: UnitOfWork, order: ChargeOrder | RefundOrder, sealed: SealedProof
) -> tuple[WalletRow, str] | Declined:
    """
    Return the wallet of the card that signed `order`. The till has compared the palm; the card vouches for the order.

    An unknown card, a revoked one and a wrong signature are one answer: that of a palm that nobody knows.
    """
    proof = open_envelope(sealed.envelope, HeldProof, keys=issuer.keys, purpose=HELD_PROOF)
    card = cards.find_card(uow, proof.card_id)
    wallet = None if card is None else wallets.find_wallet(uow, card.wallet_id)
    if card is None or wallet is None:
        return Declined(DeclineReason.NOT_RECOGNISED)
    try:
        verify_with(card.public_key, held_message(order), signature=proof.signature)
    except SignatureInvalid:
        return Declined(DeclineReason.NOT_RECOGNISED)
    cards.save_asking(uow, card.id, card.asking.recognised(issuer.showing, asked_ms=card.asking.asked_ms))
    return wallet, card.state
