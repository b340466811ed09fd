"""
Hold what every flow of the issuer needs, made once by the wiring and passed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from handsel.bank.orders import OwnAccount
from handsel.clock import Clock
from handsel.errors import ConfigError, InvariantBroken
from handsel.flows.issuing.pin_hash import PinHasher
from handsel.flows.issuing.relying_party import RelyingParty
from handsel.keys import PartyKeys, PublicKeys
from handsel.limits import AcquirerLimits, AloneSince, CardLimits, PaymentLimits, PinLimits
from handsel.notes.issue import NoteKeys
from handsel.pay.account import notes_in_circulation, sandbox_funds
from handsel.pay.asking import DAY_MS, MINUTE_MS, AskingLimits
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import Refusal, Refused
from handsel.pay.limit import Limits
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.bank import BankTables
from handsel.store.database import Database, UnitOfWork
from handsel.store.issuer_identity import Identities
from handsel.store.issuer_parties import SealedParties
from handsel.store.tree import Tree


@dataclass(frozen=True, repr=False)
class MatcherKeys:
    """
    Hold the public keys of the three matchers.
    """

    a: PublicKeys
    b: PublicKeys
    c: PublicKeys

    def of(self, matcher: str) -> PublicKeys:
        """
        Return the keys of one matcher.
        """
        found = {"a": self.a, "b": self.b, "c": self.c}.get(matcher)
        if found is None:
            raise InvariantBroken("there are three matchers: a, b and c")
        return found


@dataclass(frozen=True, repr=False)
class SecondFactors:
    """
    Hold what PINs and passkeys are checked with: `tries` bounds how often a PIN is tried for one wallet. Without a
    `party` no browser offers passkeys, and none are asked for.
    """

    pins: PinHasher
    tries: AskingLimits
    digits_min: int
    party: RelyingParty | None


@dataclass(frozen=True, repr=False)
class Issuer:
    """
    Hold the issuer's database, its keys, the matchers' public keys, and where time and randomness come from.

    `palms_max` is how many palms the matchers' galleries take, `asking` how often each acquirer may ask, `showing` how
    often one card may be shown, and `limits` what one wallet may pay; `hold_ms_max` is for how long at most a sum is
    reserved that is captured later. `tree` proves what is in the ledger, and `identities` seals what says who a person
    is. `bank` is the issuer's account at a bank; None where it has play money alone.
    """

    database: Database
    keys: PartyKeys
    note_keys: NoteKeys
    matchers: MatcherKeys
    palms_max: int
    limits: Limits
    asking: AskingLimits
    showing: AskingLimits
    factors: SecondFactors
    currency: str
    clock: Clock
    random_bytes: Callable[[int], bytes]
    tree: Tree
    identities: Identities
    hold_ms_max: int = DAY_MS
    bank: OwnAccount | None = None


def books_of(issuer: Issuer, uow: UnitOfWork) -> BankTables:
    """
    Return the tables of what the issuer does with its bank, within a unit of work.
    """
    return BankTables(uow, SealedParties(issuer.identities))


def limits_of_acquirer(settings: AcquirerLimits) -> AskingLimits:
    """
    Return how often an acquirer may ask with palms, as the settings say.

    Many tills stand behind one acquirer: a row of wrong palms says nothing, and a day takes what its minutes take.
    """
    return AskingLimits(
        per_minute_max=settings.answers_per_minute_max,
        per_day_max=settings.answers_per_minute_max * (DAY_MS // MINUTE_MS),
        wrong_in_a_row_max=settings.wrong_share_of,
        wrong_max=int(settings.wrong_share_max * settings.wrong_share_of),
        wrong_of=settings.wrong_share_of,
        lock_ms_min=round(settings.lock_s_min * 1000),
        lock_ms_max=round(settings.lock_s_max * 1000),
        forget_ms=round(settings.forget_s * 1000),
    )


def limits_of_card(settings: CardLimits) -> AskingLimits:
    """
    Return how often one card may be shown, as the settings say. A row in vain counts, and no share of them.
    """
    remembered = 2 * settings.in_vain_max
    return AskingLimits(
        per_minute_max=settings.shown_per_minute_max,
        per_day_max=settings.shown_per_day_max,
        wrong_in_a_row_max=settings.in_vain_max,
        wrong_max=remembered - 1,
        wrong_of=remembered,
        lock_ms_min=round(settings.lock_s_min * 1000),
        lock_ms_max=round(settings.lock_s_max * 1000),
        forget_ms=round(settings.forget_s * 1000),
    )


def limits_of_pin(settings: PinLimits) -> AskingLimits:
    """
    Return how often a PIN may be tried for one wallet, as the settings say.

    More than half wrong of eight rows lock, too: otherwise who tries one PIN fewer than a row, each time that the owner
    has used the right one, would never be stopped.
    """
    remembered = 8 * settings.wrong_in_a_row_max
    return AskingLimits(
        per_minute_max=settings.tries_per_minute_max,
        per_day_max=settings.tries_per_day_max,
        wrong_in_a_row_max=settings.wrong_in_a_row_max,
        wrong_max=remembered // 2,
        wrong_of=remembered,
        lock_ms_min=round(settings.lock_s_min * 1000),
        lock_ms_max=round(settings.lock_s_max * 1000),
        forget_ms=round(settings.forget_s * 1000),
    )


def limits_of_payment(settings: PaymentLimits, *, currency: str) -> Limits:
    """
    Return what one wallet may pay, as the settings say.
    """
    by_sum = settings.alone_since is AloneSince.SUM
    return Limits(
        alone_per_payment=Money(settings.alone_minor_max, currency),
        alone_since=Money(settings.alone_since_minor_max, currency) if by_sum else settings.alone_since_number_max,
        alone_per_day=Money(settings.alone_per_day_minor_max, currency),
        per_payment=Money(settings.payment_minor_max, currency),
        per_day=Money(settings.day_minor_max, currency),
    )


def open_issuer_accounts(issuer: Issuer) -> None:
    """
    Open the accounts that the issuer has before its first customer. Doing it again changes nothing.

    Raises `ConfigError` where play money is about in this ledger and the issuer has a bank, which would pay it out.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        ledger.open_account(uow, notes_in_circulation(issuer.currency), now_ms=now_ms)
        ledger.open_account(uow, sandbox_funds(issuer.currency), now_ms=now_ms)
        sandbox = ledger.account_state(uow, sandbox_funds(issuer.currency).id)
        if issuer.bank is not None and sandbox is not None and sandbox.balance_minor != 0:
            raise ConfigError("this ledger has given play money, which [bank] would pay out as real: begin a new one")
        uow.commit()


def digest_of(*contents: msgspec.Struct | str) -> bytes:
    """
    Return the SHA-256 digest of a request's contents, to tell it from another request under the same id.
    """
    return hashlib.sha256(msgspec.msgpack.encode(contents)).digest()


def decline_of(refused: Refused) -> Declined:
    """
    Return what the customer is told when the ledger refuses. Raises `InvariantBroken` for a refusal that cannot arise.
    """
    reasons = {
        Refusal.ACCOUNT_CLOSED: DeclineReason.WALLET_CLOSED,
        Refusal.CURRENCY_DIFFERS: DeclineReason.CURRENCY_DIFFERS,
        Refusal.INSUFFICIENT_FUNDS: DeclineReason.INSUFFICIENT_FUNDS,
    }
    reason = reasons.get(refused.refusal)
    if reason is None:
        raise InvariantBroken(f"the ledger refused: {refused.refusal.value}")
    return Declined(reason)
