"""
Refund a charge: redeem the notes that a merchant gives back into the wallet that was debited for it.

No palm is shown, so that it reaches who has lost the card, or paused or erased the palm. The acquirer has seen that the
receipt is there; whoever asks brings money, and it goes to nobody but who paid. The issuer learns which of its payments
is paid back, and not where.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid
from handsel.flows.issuing.approved import Credited
from handsel.flows.issuing.check_notes import genuine_key
from handsel.flows.issuing.issuer import Issuer, digest_of
from handsel.flows.issuing.limit_asking import count_unmatched
from handsel.flows.issuing.refund import credit, refuse_notes, repeat_refund
from handsel.ids import require_id
from handsel.notes.denomination import NOTES_MAX
from handsel.notes.note import Note
from handsel.order import RefundOrder
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money, require_positive
from handsel.store import issuer as wallets
from handsel.store import issuer_note
from handsel.store.database import UnitOfWork
from handsel.store.issuer import WalletRow
from handsel.store.issuer_note import RefundRow


@dataclass(frozen=True, repr=False)
class ChargeRefund:
    """
    Say what is paid back of which charge, and with which notes. The id is made by the acquirer.
    """

    id: str
    charge_id: str
    amount: Money
    notes: tuple[Note, ...]

    def __post_init__(self) -> None:
        """
        Refuse ill-formed ids, an amount of zero, and too many notes or none. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_id(self.charge_id)
        require_positive(self.amount)
        if not 0 < len(self.notes) <= NOTES_MAX:
            raise BodyInvalid(f"a refund has 1 to {NOTES_MAX} notes")


def refund_charge(issuer: Issuer, wanted: ChargeRefund, *, acquirer: str) -> Credited | Declined:
    """
    Credit the wallet that paid a charge with the notes, all of them or none. `acquirer` is who asks.

    1. An id that came before has the same outcome; with another charge, sum or other notes it raises `IdReused`.
    2. The acquirer has not asked too often.
    3. The notes are genuine, add up to the sum, and none was redeemed before.
    4. The charge was approved, and its wallet is open.
    5. With this, no more is paid back of the charge than was charged, however many refunds come at once. What was paid
       back to a palm is not counted here: the issuer does not know of which charge it was.
    6. The notes are redeemed: notes in circulation → wallet. The outcome is kept.

    Where 2 to 5 does not hold, the refund is declined for good and the notes are as good as before.
    """
    now_ms = issuer.clock()
    presented = tuple((note, genuine_key(issuer, note, now_ms=now_ms)) for note in wanted.notes)
    order = RefundOrder(wanted.id, wanted.amount.amount_minor, wanted.amount.currency, till_digest=b"")
    digest = digest_of(order, wanted.charge_id, *wanted.notes)
    with issuer.database.unit_of_work() as uow:
        earlier = issuer_note.find_refund(uow, wanted.id)  # 1
        if earlier is not None:
            return repeat_refund(earlier, digest)
        refused = count_unmatched(issuer, uow, acquirer, now_ms=now_ms)  # 2
        amiss = refused or refuse_notes(issuer, uow, order, presented)  # 3
        wallet = amiss or _payer(uow, wanted)  # 4, 5
        if not isinstance(wallet, Declined):
            credit(issuer, uow, order, wallet, presented, now_ms=now_ms)  # 6
        reason = wallet.reason if isinstance(wallet, Declined) else None
        row = RefundRow(digest, None if reason is None else reason.value)
        issuer_note.add_refund(uow, wanted.id, row, now_ms=now_ms)
        uow.commit()
    return Credited() if reason is None else Declined(reason)


def _payer(uow: UnitOfWork, wanted: ChargeRefund) -> WalletRow | Declined:
    charge = issuer_note.find_charge(uow, wanted.charge_id)
    wallet = wallets.find_wallet(uow, charge.wallet_id) if charge and charge.wallet_id else None
    if charge is None or charge.state != "approved" or wallet is None:
        return Declined(DeclineReason.NOT_CHARGED)
    if wallet.is_closed:
        return Declined(DeclineReason.WALLET_CLOSED)
    is_left = issuer_note.count_refunded(uow, charge.id, wanted.amount.amount_minor)
    return wallet if is_left else Declined(DeclineReason.MORE_THAN_CHARGED)
