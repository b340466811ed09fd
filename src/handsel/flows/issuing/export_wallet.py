"""
Hand out all that the issuer holds about a wallet, as of one moment: GDPR Art. 15 and 20.

Shares of palms are in it nowhere: the issuer has none. Whom a payment went to is in it where its owner wants the shop
named: otherwise the issuer does not know. Receipts are those that are sealed or named; they open with the keys in the
owner's browser.
"""

from __future__ import annotations

import msgspec

from handsel.errors import NotFound
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.show_factors import FactorsView, factors_of
from handsel.flows.issuing.show_receipts import RECEIPTS_PAGE, ReceiptLine, receipt_lines
from handsel.flows.issuing.show_wallet import HISTORY_PAGES_MAX, HistoryLine, WalletView, history_in, view_in
from handsel.pay.account import wallet_account
from handsel.pay.asking import Asking
from handsel.pay.limit import DAY_MS
from handsel.proof.statement import Statement
from handsel.store import issuer as wallets
from handsel.store import issuer_card as cards
from handsel.store import issuer_naming as naming
from handsel.store.database import UnitOfWork
from handsel.store.issuer_bank import parties_of_wallet
from handsel.store.issuer_export import (
    ApprovalLine,
    ChargeLine,
    CodeLine,
    EnrolmentLine,
    OrderLine,
    approvals_of,
    charges_of,
    codes_of,
    enrolments_of,
    orders_of,
)
from handsel.store.issuer_export_bank import (
    BankLine,
    CollectionLine,
    MandateLine,
    SuspendedLine,
    collections_of,
    mandates_of,
    movements_of,
    references_of,
    suspended_of,
)
from handsel.store.issuer_limit import spent_of
from handsel.store.issuer_parties import owners_of

FORMAT = "handsel/v1/wallet-export"


class ConsentLine(msgspec.Struct, frozen=True):
    """
    Hand out one consent.
    """

    version: str
    given_at_ms: int
    withdrawn_at_ms: int | None
    way: str


class CardExport(msgspec.Struct, frozen=True):
    """
    Hand out a card. `sealed_template` opens with the card alone; `asking` is how often it was shown, and in vain.
    """

    card_id: bytes
    public_key: bytes
    sealed_template: bytes
    state: str
    enrolled_at_ms: int
    asking: Asking


class LimitsLine(msgspec.Struct, frozen=True):
    """
    Hand out what may be paid at once and in a day, with a second factor and without, and what was paid in the last day.
    """

    alone_per_payment_minor: int
    alone_per_day_minor: int
    per_payment_minor: int
    per_day_minor: int
    spent_in_day_minor: int


class NamedShopLine(msgspec.Struct, frozen=True):
    """
    Show a shop that the owner wants named.
    """

    shop: str
    since_ms: int


class IdentityLine(msgspec.Struct, frozen=True):
    """
    Hand out one kind of personal data: why it is kept, and until when; None while the wallet is open.
    """

    kind: str
    content: str
    basis: str
    written_at_ms: int
    purge_at_ms: int | None

    def __repr__(self) -> str:
        """
        Return nothing of the person.
        """
        return "IdentityLine()"


class BankExport(msgspec.Struct, frozen=True):
    """
    Hand out what passed between the wallet and banks: under which references, by which mandates, and what of it was
    nobody's for a while or is sent back. Whose accounts they are is among the identities.
    """

    references: tuple[str, ...]
    mandates: tuple[MandateLine, ...]
    collections: tuple[CollectionLine, ...]
    movements: tuple[BankLine, ...]
    suspended: tuple[SuspendedLine, ...]


class WalletExport(msgspec.Struct, frozen=True):
    """
    Hand out all of it. `history` is what was booked, newest first; `orders` are those to matchers, with their signed
    confirmations.
    """

    wallet: WalletView
    limits: LimitsLine
    factors: FactorsView
    approvals: tuple[ApprovalLine, ...]
    identities: tuple[IdentityLine, ...]
    consents: tuple[ConsentLine, ...]
    card: CardExport | None
    codes: tuple[CodeLine, ...]
    enrolments: tuple[EnrolmentLine, ...]
    orders: tuple[OrderLine, ...]
    charges: tuple[ChargeLine, ...]
    receipts: tuple[ReceiptLine, ...]
    named_shops: tuple[NamedShopLine, ...]
    bank: BankExport
    history: tuple[HistoryLine, ...]
    format: str = FORMAT

    def __repr__(self) -> str:
        """
        Return nothing of the person.
        """
        return "WalletExport()"


def export_wallet(issuer: Issuer, wallet_id: str) -> WalletExport:
    """
    Return all that is held about a wallet. Raises `NotFound`.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        card = cards.card_of_wallet(uow, wallet_id)
        view = view_in(uow, wallet_id)
        spent = spent_of(uow, wallet_id, currency=view.currency, day_from_ms=now_ms - DAY_MS)
        limits = issuer.limits
        return WalletExport(
            wallet=view,
            limits=LimitsLine(
                limits.alone_per_payment.amount_minor,
                limits.alone_per_day.amount_minor,
                limits.per_payment.amount_minor,
                limits.per_day.amount_minor,
                spent.in_day.amount_minor,
            ),
            factors=factors_of(uow, wallet_id, now_ms=now_ms),
            approvals=approvals_of(uow, wallet_id),
            identities=_identities_in(issuer, uow, wallet_id),
            consents=tuple(
                ConsentLine(row.version, row.given_at_ms, row.withdrawn_at_ms, row.way)
                for row in wallets.consents_of(uow, wallet_id)
            ),
            card=None
            if card is None
            else CardExport(
                card.id, card.public_key, card.sealed_template, card.state, card.enrolled_at_ms, card.asking
            ),
            codes=codes_of(uow, wallet_id),
            enrolments=enrolments_of(uow, wallet_id),
            orders=orders_of(uow, wallet_id),
            charges=charges_of(uow, wallet_id),
            receipts=_receipts_in(uow, view),
            named_shops=tuple(NamedShopLine(row.shop, row.since_ms) for row in naming.named_shops_of(uow, wallet_id)),
            bank=_bank_in(uow, wallet_id),
            history=history_in(uow, wallet_id),
        )


def _identities_in(issuer: Issuer, uow: UnitOfWork, wallet_id: str) -> tuple[IdentityLine, ...]:
    # An account from which money came a hundred times is told once, with the first time.
    found: dict[tuple[str, str, int | None], IdentityLine] = {}
    for owner_id in reversed(owners_of(uow, wallet_id)):
        for row in issuer.identities.get(uow, owner_id):
            line = IdentityLine(row.kind, row.content, row.basis.value, row.written_at_ms, row.purge_at_ms)
            found.setdefault((row.kind, row.content, row.purge_at_ms), line)
    return tuple(sorted(found.values(), key=lambda line: (line.kind, line.written_at_ms)))


def _receipts_in(uow: UnitOfWork, view: WalletView) -> tuple[ReceiptLine, ...]:
    lines: tuple[ReceiptLine, ...] = ()
    for number in range(HISTORY_PAGES_MAX):
        page = receipt_lines(uow, view.wallet_id, currency=view.currency, page=number)
        lines += tuple(line for line in page if line.receipt or line.shop)
        if len(page) < RECEIPTS_PAGE:
            break
    return lines


def _bank_in(uow: UnitOfWork, wallet_id: str) -> BankExport:
    party_ids = parties_of_wallet(uow, wallet_id)
    return BankExport(
        references=references_of(uow, wallet_id),
        mandates=mandates_of(uow, wallet_id),
        collections=collections_of(uow, wallet_id),
        movements=movements_of(uow, wallet_id),
        suspended=suspended_of(uow, party_ids),
    )


def prove_wallet(issuer: Issuer, wallet_id: str, *, after: int = 0) -> Statement:
    """
    Prove the entries of a wallet after the one of that number, to be checked offline. Raises `NotFound`.
    """
    with issuer.database.unit_of_work() as uow:
        wallet = wallets.find_wallet(uow, wallet_id)
    if wallet is None:
        raise NotFound("there is no such wallet")
    return issuer.tree.statement(wallet_account(wallet_id, currency=wallet.currency).id, after=after)
