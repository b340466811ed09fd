"""
Sell notes to an acquirer, against what it is owed: so a merchant gets the notes that it gives back as a refund.
"""

from __future__ import annotations

from handsel.errors import BodyInvalid, IdReused, InvariantBroken
from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.check_notes import worth_of_requests
from handsel.flows.issuing.issuer import Issuer, decline_of, digest_of
from handsel.ids import require_id
from handsel.notes.denomination import NOTES_MAX
from handsel.order import NoteRequest
from handsel.pay.account import notes_in_circulation, settlement_account
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import Refused, Transfer, derive_id
from handsel.pay.money import Money
from handsel.store import issuer_note, ledger
from handsel.store.issuer_note import PurchaseRow


def buy_notes(
    issuer: Issuer, purchase_id: str, *, requests: tuple[NoteRequest, ...], acquirer: str
) -> Approved | Declined:
    """
    Debit what an acquirer is owed, and sign the notes that it asks for.

    The same request has the same outcome, with the same signatures; the same id with other notes raises `IdReused`.
    Raises `BodyInvalid`.
    """
    require_id(purchase_id)
    if not 0 < len(requests) <= NOTES_MAX:
        raise BodyInvalid(f"a purchase asks for 1 to {NOTES_MAX} notes")
    digest = digest_of(acquirer, *requests)
    with issuer.database.unit_of_work() as uow:
        earlier = issuer_note.find_purchase(uow, purchase_id)
    if earlier is not None:
        return _repeat(earlier, digest)
    now_ms = issuer.clock()
    total = worth_of_requests(issuer, requests, currency=issuer.currency, now_ms=now_ms)
    if isinstance(total, DeclineReason):
        return Declined(total)
    # Signed before it is known whether it will be paid: signing is slow, and a signature that is not kept never leaves.
    signatures = tuple(issuer.note_keys.sign(request) for request in requests)
    amount = Money(total, issuer.currency)
    with issuer.database.unit_of_work() as uow:
        earlier = issuer_note.find_purchase(uow, purchase_id)
        if earlier is not None:
            return _repeat(earlier, digest)
        account = settlement_account(acquirer, currency=issuer.currency)
        ledger.open_account(uow, account, now_ms=now_ms)
        circulation = notes_in_circulation(issuer.currency)
        transfer = Transfer(derive_id("purchase", purchase_id), account.id, circulation.id, amount, "note_purchase")
        posted = ledger.post(uow, transfer, now_ms=now_ms)
        outcome = decline_of(posted) if isinstance(posted, Refused) else Approved(signatures)
        if isinstance(outcome, Approved):
            keys = issuer.note_keys.public()
            for request in requests:
                issuer_note.count_signed(uow, keys.require(request.key_id))
        issuer_note.add_purchase(uow, purchase_id, _row(digest, outcome), now_ms=now_ms)
        uow.commit()
    return outcome


def _row(digest: bytes, outcome: Approved | Declined) -> PurchaseRow:
    if isinstance(outcome, Approved):
        return PurchaseRow(digest, None, outcome.signatures)
    return PurchaseRow(digest, outcome.reason.value, None)


def _repeat(earlier: PurchaseRow, digest: bytes) -> Approved | Declined:
    if earlier.digest != digest:
        raise IdReused("that id was used for another purchase: make a new one")
    if earlier.signatures is not None:
        return Approved(earlier.signatures)
    if earlier.reason is None:
        raise InvariantBroken("a purchase is approved or declined")
    return Declined(DeclineReason(earlier.reason))
