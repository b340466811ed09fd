"""
Put everybody on one street: a shop with a till, the acquirer, the real issuer, three matchers in plain, and customers.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.envelope import seal
from handsel.flows.acquiring.accept_notes import accept_notes
from handsel.flows.acquiring.accounts import differences, in_hand_minor, notes_ordered, settlement
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.announced_keys import AnnouncedKeys
from handsel.flows.acquiring.buy_notes import resolve_purchases
from handsel.flows.acquiring.carry_charge import ShownForCharge, submit_charge
from handsel.flows.acquiring.carry_enrolment import ShownForEnrolment, submit_enrolment
from handsel.flows.acquiring.carry_refund import ShownForRefund, submit_refund
from handsel.flows.acquiring.ports import Enrolled
from handsel.flows.acquiring.redeem_notes import redeem_notes
from handsel.flows.acquiring.request_payment import PaymentRequest, create_payment_intent, find_payment_intent
from handsel.flows.acquiring.request_refund import RefundRequest, create_refund, find_refund
from handsel.flows.acquiring.settle_capture import expire_reservations, resolve_captures
from handsel.flows.acquiring.settle_charge import resolve_charges
from handsel.flows.acquiring.settle_refund import resolve_refunds
from handsel.flows.acquiring.show_receipt import merchant_balance
from handsel.flows.acquiring.sign_in import register_merchant, register_till
from handsel.flows.issuing.consent import give_consent
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.enrolment_code import EnrolmentCode, give_enrolment_code
from handsel.flows.issuing.issuer import Issuer, MatcherKeys, limits_of_acquirer, limits_of_card, open_issuer_accounts
from handsel.flows.issuing.open_wallet import open_wallet
from handsel.flows.issuing.top_up import ToppedUp, top_up
from handsel.ids import new_id
from handsel.keys import PartyKeys, PublicKeys
from handsel.limits import AcquirerLimits, CardLimits
from handsel.matching.message import MATCHERS, QUERY, TEMPLATE, PerMatcher, Query, Template
from handsel.notes.announce import TrustedNoteKeys
from handsel.notes.issue import NoteKeys
from handsel.notes.mint import NoteSecret, finalize_all
from handsel.notes.note import Note
from handsel.order import (
    CHARGE,
    ENROLMENT,
    HOLDS_S,
    REFUND,
    ChargeOrder,
    EnrolmentOrder,
    NoteRequest,
    RefundOrder,
    SealedProof,
    bind,
    till_digest,
)
from handsel.pay.account import Account, notes_in_circulation, settlement_account, wallet_account
from handsel.pay.held_note import notes_held
from handsel.pay.limit import CONTACTLESS_EUR
from handsel.pay.merchant import Merchant, Till
from handsel.pay.money import Money
from handsel.pay.payment import Approved, ChargeState, Paid, PaymentIntent, Reserved
from handsel.pay.refund import Refund, RefundState
from handsel.return_code import draw_return_code, nonce_of, return_digest_of
from handsel.store import ledger
from handsel.store.acquirer import AcquirerDatabase
from handsel.store.issuer import open_issuer_database
from handsel.store.issuer_identity import Identities
from handsel.store.tree import Tree
from handsel.till.action import ChargeAction
from handsel.till.journal import ChargeEntry
from handsel.till.make_request import prepare_notes
from tests.flows.acquiring.near_issuer import ACQUIRER, NearIssuer
from tests.flows.acquiring.plain_matchers import PlainMatchers
from tests.flows.issuing.scene import second_factors

SHOP = Merchant("corner-cafe", "Corner Café")
TILL = Till("corner-cafe", "till-1")
SHOP_KEY = "k" * 64
TILL_TOKEN = "t" * 64
NOW_MS = 1_800_000_000_000
TREE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))

T = TypeVar("T")


@dataclass(frozen=True)
class ShownAtTill:
    """
    Hold what a till sends for a charge, and what it keeps: what makes notes, and the return code.
    """

    sent: ShownForCharge
    kept: tuple[NoteSecret, ...]
    return_code: str


class Street:
    """
    Hold everybody. `now_ms` is the one clock.
    """

    def __init__(self, directory: Path, note_keys: NoteKeys) -> None:
        self.now_ms = NOW_MS
        self.directory = directory
        self.url = ""
        self.wallets: dict[str, str] = {}
        self.codes: dict[str, str] = {}  # The return code of each payment that a palm was shown for.
        self.matcher_keys = {name: PartyKeys.generate() for name in MATCHERS}
        database = open_issuer_database(directory / "issuer" / "issuer.sqlite")
        issuer = Issuer(
            database=database,
            keys=PartyKeys.generate(),
            note_keys=note_keys,
            matchers=MatcherKeys(*(self.matcher_keys[name].public() for name in MATCHERS)),
            palms_max=1000,
            limits=CONTACTLESS_EUR,
            factors=second_factors(),
            asking=limits_of_acquirer(AcquirerLimits()),
            showing=limits_of_card(CardLimits()),
            currency="EUR",
            clock=lambda: self.now_ms,
            random_bytes=secrets.token_bytes,
            tree=Tree(database, TREE_KEY, party="issuer", clock=lambda: self.now_ms),
            identities=Identities(bytes(32)),
        )
        open_issuer_accounts(issuer)
        self.issuer = NearIssuer(issuer)
        self.matchers = PlainMatchers(self.matcher_keys, issuer.keys.public())
        self.database = self._open()
        self.acquirer = Acquirer(
            self.database,
            self.matchers,
            self.issuer,
            self.announced(),
            identity=PartyKeys.generate(),
            tree=self._tree(),
        )
        self._register()

    def copied_to(self, directory: Path, *, url: str = "") -> Street:
        """
        Return the same street on a copy of its files, which must be closed. To make them takes time.

        With the `url` of an empty place in PostgreSQL the acquirer's books are there, and its shop registered again.
        """
        shutil.copytree(self.directory, directory, dirs_exist_ok=True)
        made = copy(self)
        made.directory, made.url = directory, url
        made.wallets, made.codes = dict(self.wallets), dict(self.codes)
        database = open_issuer_database(directory / "issuer" / "issuer.sqlite")
        tree = Tree(database, TREE_KEY, party="issuer", clock=lambda: made.now_ms)
        made.issuer = NearIssuer(replace(self.issuer.issuer, database=database, clock=lambda: made.now_ms, tree=tree))
        made.matchers = replace(self.matchers, palms=dict(self.matchers.palms), own=dict(self.matchers.own), down=set())
        made.matchers.committed = set(self.matchers.committed)
        made.database = made._open()
        made.acquirer = Acquirer(
            made.database,
            made.matchers,
            made.issuer,
            made.announced(),
            identity=self.acquirer.identity,
            tree=made._tree(),
        )
        if url:
            made._register()
        return made

    def _register(self) -> None:
        register_merchant(self.acquirer, SHOP, key=SHOP_KEY)
        register_till(self.acquirer, TILL, token=TILL_TOKEN)

    def announced(self) -> AnnouncedKeys:
        """
        Return a fresh list of note keys of this acquirer, which remembers how far it had come.
        """
        root, path = self.issuer.issuer.note_keys.root(), self.directory / "acquirer" / "note-keys.json"
        return AnnouncedKeys(self.issuer, TrustedNoteKeys(root, path))

    def _open(self) -> AcquirerDatabase:
        return AcquirerDatabase.open(self.directory / "acquirer" / "acquirer.sqlite", url=self.url)

    def _tree(self) -> Tree:
        return Tree(self.database.database, TREE_KEY, party="acquirer", clock=lambda: self.now_ms)

    def restart(self) -> None:
        """
        Close the acquirer and open it again on the same file; the line works again.
        """
        self.database.close()
        self.database = self._open()
        self.issuer = NearIssuer(self.issuer.issuer)
        self.matchers.down.clear()
        self.matchers.on_query = lambda: None
        keys = self.announced()
        self.acquirer = replace(self.acquirer, store=self.database, issuer=self.issuer, keys=keys, tree=self._tree())

    def close(self) -> None:
        self.database.close()
        self.issuer.issuer.database.close()

    def resolve(self) -> None:
        """
        Let time pass, and do what the acquirer does in the background.
        """
        self.now_ms += self.acquirer.bounds.unresolved_ms_min
        resolve_charges(self.acquirer, now_ms=self.now_ms)
        resolve_refunds(self.acquirer, now_ms=self.now_ms)
        resolve_purchases(self.acquirer, now_ms=self.now_ms)
        resolve_captures(self.acquirer, now_ms=self.now_ms)
        expire_reservations(self.acquirer, now_ms=self.now_ms)

    def redeem(self) -> int:
        return redeem_notes(self.acquirer, now_ms=self.now_ms)

    # Customers.

    def enrol(self, palm: str, *, minor: int = 100_00) -> str:
        """
        Open a wallet with money in it, and join a palm to it at the till.
        """
        wallet_id = self.open_wallet(palm, minor=minor)
        shown = self.show_for_enrolment(palm, self.code(wallet_id))
        assert submit_enrolment(self.acquirer, TILL, shown, now_ms=self.now_ms) == Enrolled()
        self.deliver()
        return wallet_id

    def open_wallet(self, name: str, *, minor: int = 0) -> str:
        wallet_id = open_wallet(self.issuer.issuer).wallet_id
        give_consent(self.issuer.issuer, wallet_id, version="1")
        if minor:
            topped = top_up(self.issuer.issuer, wallet_id, top_up_id=new_id(), amount=Money(minor, "EUR"))
            assert topped == ToppedUp()
        self.wallets[name] = wallet_id
        return wallet_id

    def code(self, wallet_id: str) -> str:
        given = give_enrolment_code(self.issuer.issuer, wallet_id)
        assert isinstance(given, EnrolmentCode)
        return given.code

    def deliver(self) -> None:
        deliver_orders(self.issuer.issuer, self.matchers)

    # The merchant.

    def ask(self, minor: int = 450, *, payment_id: str | None = None, hold_s: int = 0) -> PaymentIntent:
        request = PaymentRequest(payment_id or new_id(), Money(minor, "EUR"), "Coffee", hold_s=hold_s)
        return create_payment_intent(self.acquirer, SHOP, request, now_ms=self.now_ms)

    def payment(self, payment_id: str) -> PaymentIntent:
        return find_payment_intent(self.acquirer, SHOP, payment_id)

    def ask_refund(self, payment: PaymentIntent, minor: int | None = None) -> Refund:
        return create_refund(self.acquirer, SHOP, RefundRequest(new_id(), payment.id, minor), now_ms=self.now_ms)

    def refund(self, refund_id: str) -> Refund:
        return find_refund(self.acquirer, SHOP, refund_id)

    # The till.

    def show(
        self, palm: str, payment: PaymentIntent, *, charge_id: str | None = None, reply_key: bytes | None = None
    ) -> ShownAtTill:
        """
        Show a palm for a payment: seal an order and three queries, and keep what makes notes.
        """
        minor, begun = payment.amount.amount_minor, self.begin(payment, charge_id=charge_id)
        begun, requests = self.prepare(begun)
        order = ChargeOrder(begun.order_id, minor, "EUR", _digest(), requests, reply_key=reply_key)
        queries = self.queries(palm, bind(order))
        return ShownAtTill(self.to_send(begun, order, queries), begun.secrets, begun.return_code)

    def begin(self, payment: PaymentIntent, *, charge_id: str | None = None) -> ChargeEntry:
        """
        Return what a till draws for a charge of a payment.
        """
        action = ChargeAction(payment.id, payment.amount.amount_minor, "EUR", SHOP.name, payment.description)
        code = self.codes[payment.id] = draw_return_code(secrets.token_bytes)
        return ChargeEntry(charge_id or new_id(), action, self.now_ms, (), return_code=code)

    def prepare(self, begun: ChargeEntry) -> tuple[ChargeEntry, tuple[NoteRequest, ...]]:
        """
        Return a charge with what makes its notes, and what is asked for.
        """
        return prepare_notes(begun, keys=self.issuer.issuer.note_keys.public(), random_bytes=secrets.token_bytes)

    def to_send(self, begun: ChargeEntry, order: ChargeOrder, shown: PerMatcher | SealedProof) -> ShownForCharge:
        """
        Return what a till sends for a charge.
        """
        sealed, code = seal(order, to=self._issuer_keys, purpose=CHARGE), begun.return_code
        digest = return_digest_of(code, charge_id=begun.charge_id)
        ids = (begun.charge_id, begun.order_id, begun.action.id)
        return ShownForCharge(*ids, sealed, shown, begun.secrets, digest, nonce_of(code))

    def show_to_reserve(
        self,
        palm: str,
        payment: PaymentIntent,
        *,
        minor: int | None = None,
        tip_minor: int = 0,
        reply_key: bytes | None = None,
    ) -> ShownAtTill:
        """
        Show a palm for a payment that only reserves, with a tip: no notes are asked for.
        """
        total_minor = (payment.amount.amount_minor if minor is None else minor) + tip_minor
        hold_s, begun = payment.hold_s or HOLDS_S[0], self.begin(payment)
        order = ChargeOrder(begun.order_id, total_minor, "EUR", _digest(), (), hold_s=hold_s, reply_key=reply_key)
        queries = self.queries(palm, bind(order))
        begun = begun if payment.hold_s else self.prepare(begun)[0]  # As of a till that was asked for notes.
        sent = replace(self.to_send(begun, order, queries), tip_minor=tip_minor)
        return ShownAtTill(sent, (), begun.return_code)

    def reserve(self, palm: str = "ann", minor: int = 450, *, hold_s: int = HOLDS_S[0]) -> PaymentIntent:
        """
        Do the whole of a payment that is reserved.
        """
        payment = self.ask(minor, hold_s=hold_s)
        state = self.submit(self.show_to_reserve(palm, payment))
        assert state == Reserved()
        return self.payment(payment.id)

    def submit(self, shown: ShownAtTill) -> ChargeState:
        return submit_charge(self.acquirer, TILL, shown.sent, now_ms=self.now_ms)

    def notes(self, shown: ShownAtTill, state: ChargeState) -> tuple[Note, ...]:
        """
        Finish the notes of an approved charge.
        """
        assert isinstance(state, Approved)
        return finalize_all(shown.kept, state.signatures, keys=self.issuer.issuer.note_keys.public())

    def hand_over(self, shown: ShownAtTill, notes: tuple[Note, ...]) -> Paid:
        return accept_notes(self.acquirer, TILL, shown.sent.charge_id, notes, now_ms=self.now_ms)

    def pay(self, palm: str = "ann", minor: int = 450) -> PaymentIntent:
        """
        Do the whole of a payment that succeeds.
        """
        payment = self.ask(minor)
        shown = self.show(palm, payment)
        self.hand_over(shown, self.notes(shown, self.submit(shown)))
        return self.payment(payment.id)

    def show_for_refund(self, palm: str, refund: Refund) -> ShownForRefund:
        order = RefundOrder(new_id(), refund.amount.amount_minor, "EUR", _digest())
        sealed = seal(order, to=self._issuer_keys, purpose=REFUND)
        return ShownForRefund(new_id(), refund.id, order.order_id, sealed, self.queries(palm, bind(order)))

    def submit_refund(self, shown: ShownForRefund) -> RefundState:
        return submit_refund(self.acquirer, TILL, shown, now_ms=self.now_ms)

    def show_for_enrolment(self, palm: str, code: str) -> ShownForEnrolment:
        order = EnrolmentOrder(new_id(), code, _digest())
        sealed = seal(order, to=self._issuer_keys, purpose=ENROLMENT)
        query = Query(secrets.token_bytes(16), bind(order), 1, palm.encode(), palm.encode())
        template = Template(order.order_id, palm.encode(), palm.encode(), query)
        envelopes = (seal(template, to=self.matcher_keys[name].public(), purpose=TEMPLATE) for name in MATCHERS)
        return ShownForEnrolment(new_id(), order.order_id, sealed, PerMatcher(*envelopes))

    def queries(self, palm: str, binding: bytes) -> PerMatcher:
        query = Query(secrets.token_bytes(16), binding, 1, palm.encode(), palm.encode())
        return PerMatcher(*(seal(query, to=self.matcher_keys[name].public(), purpose=QUERY) for name in MATCHERS))

    @property
    def _issuer_keys(self) -> PublicKeys:
        return self.issuer.issuer.keys.public()

    # The auditor.

    def available_minor(self, name: str = "ann") -> int:
        with self.issuer.issuer.database.unit_of_work() as uow:
            state = ledger.account_state(uow, wallet_account(self.wallets[name], currency="EUR").id)
        return state.available_minor if state else 0

    def wallet_minor(self, name: str = "ann") -> int:
        return self._at_issuer(wallet_account(self.wallets[name], currency="EUR").id)

    def shop_minor(self) -> int:
        return sum(amount.amount_minor for amount in merchant_balance(self.acquirer, SHOP))

    def in_hand(self, account: Callable[[str], Account]) -> int:
        with self.database.unit_of_work() as books:
            return in_hand_minor(books, account("EUR"))

    def circulating_minor(self) -> int:
        return self._at_issuer(notes_in_circulation("EUR").id)

    def settled_minor(self) -> int:
        return self._at_issuer(settlement_account(ACQUIRER, currency="EUR").id)

    def audit(self, *, at_tills: int = 0) -> None:
        """
        Check both ledgers, and one against the other: with `at_tills` in notes that no till has handed over.
        """
        with self.database.unit_of_work() as books:
            books.audit()
        with self.issuer.issuer.database.unit_of_work() as uow:
            ledger.audit(uow)
        in_hand = {
            name: self.in_hand(account)
            for name, account in {"held": notes_held, "settled": settlement, "ordered": notes_ordered}.items()
        }
        assert in_hand["ordered"] == 0
        assert self.in_hand(differences) == 0
        assert self.settled_minor() == in_hand["settled"]
        assert self.circulating_minor() == in_hand["held"] + at_tills
        assert self.shop_minor() == in_hand["held"] + in_hand["settled"]

    def _at_issuer(self, account_id: str) -> int:
        with self.issuer.issuer.database.unit_of_work() as uow:
            state = ledger.account_state(uow, account_id)
        return state.balance_minor if state else 0


def _digest() -> bytes:
    return till_digest(b"t" * 32, secrets.token_bytes(16))


def at_once(*acts: Callable[[], T]) -> list[T]:
    """
    Do all of `acts` in threads of their own that start in the same moment, and return what they return, in order.
    """
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        start.wait(timeout=10)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [running.result(timeout=30) for running in [threads.submit(run, act) for act in acts]]
