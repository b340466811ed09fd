"""
Make the code with which a palm, or a card, is joined to a wallet at a till; and check it, once.

How hard is it to guess? A code has eight digits and is good for ten minutes and one use. The till does not say which
wallet it means, so a guess is tried against every code that is valid: with K of them, it hits one with K / 10^8. The
issuer as a whole hears at most `WRONG_CODES_MAX` wrong codes in any ten minutes and then refuses all, the right ones
too, until time has passed. So who does nothing but guess finds one of K = 5 valid codes within ten minutes with a
chance of 20 · 5 / 10^8, one in a million. Who saw the first half of a code gets five tries for the other half.

A wrong code gets one answer, whatever is wrong with it. That a code was used, has expired or is locked is told only to
who types all of it.

LIMITATIONS: Twenty wrong codes stop all enrolment for ten minutes. Who knows the tills, the acquirer, stops one that
sends nothing else earlier: wrong codes are wrong asks there. Two such tills together still get there.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import NotFound, ensure
from handsel.flows.issuing.issuer import Issuer
from handsel.order import Way
from handsel.pay.decline import Declined, DeclineReason
from handsel.store import issuer as wallets
from handsel.store import issuer_palm as palms
from handsel.store.database import UnitOfWork

CODE_DIGITS = 8
CODE_VALID_MS = 10 * 60 * 1000
CODE_KEPT_MS = 24 * 60 * 60 * 1000  # An old code is remembered for a day, to say that it is old.
WRONG_ATTEMPTS_MAX = 5  # Against one code.
WRONG_CODES_MAX = 20  # For the issuer as a whole, in `CODE_VALID_MS`.
PALMS_MAX = 2  # A person has two hands.
_PREFIX_DIGITS = CODE_DIGITS // 2
_DRAWS_MAX = 8  # One more is drawn with a chance of (codes kept) / 10^8.


@dataclass(frozen=True, repr=False)
class EnrolmentCode:
    """
    Answer with a code to type at a till.
    """

    code: str
    expires_at_ms: int


def give_enrolment_code(issuer: Issuer, wallet_id: str, *, way: Way = Way.OPEN_HAND) -> EnrolmentCode | Declined:
    """
    Make a code for one more palm, or for a card; an earlier code of the wallet is void from now on. Raises `NotFound`.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        if wallets.find_wallet(uow, wallet_id) is None:
            raise NotFound("there is no such wallet")
        reason = refuse_enrolment(uow, wallet_id, way=way)
        if reason is not None:
            return Declined(reason)
        wallets.forget_codes(uow, expired_before_ms=now_ms - CODE_KEPT_MS)
        expires_at_ms = now_ms + CODE_VALID_MS
        drawn = (_draw_code(issuer) for _ in range(_DRAWS_MAX))
        code = next(
            (
                code
                for code in drawn
                if wallets.replace_code(uow, code, wallet_id=wallet_id, expires_at_ms=expires_at_ms)
            ),
            None,
        )
        ensure(code is not None, "a code can be found that no other wallet has")
        uow.commit()
    return EnrolmentCode(code or "", expires_at_ms)


def refuse_enrolment(uow: UnitOfWork, wallet_id: str, *, way: Way) -> DeclineReason | None:
    """
    Return why a wallet may not have one more palm, or a card, or None where it may. A new card replaces an old one.
    """
    wallet = wallets.find_wallet(uow, wallet_id)
    if wallet is None or wallet.is_closed:
        return DeclineReason.WALLET_CLOSED
    if wallets.consent_in_force(uow, wallet_id, way=way) is None:
        return DeclineReason.CONSENT_MISSING
    if way is Way.HELD_KEY:
        return None
    if sum(palm.state != "erased" for palm in palms.palms_of_wallet(uow, wallet_id)) >= PALMS_MAX:
        return DeclineReason.TOO_MANY_PALMS
    return None


def use_code(uow: UnitOfWork, code: str, *, now_ms: int) -> str | Declined:
    """
    Return the wallet that a code leads to, and mark the code used; or count a wrong one, which the caller must commit.
    """
    if wallets.wrong_codes_since(uow, now_ms - CODE_VALID_MS) >= WRONG_CODES_MAX:
        return Declined(DeclineReason.TOO_MANY_ATTEMPTS)
    row = wallets.find_code(uow, code)
    if row is None:
        # Filled up, since what is shorter than a prefix would be that of many codes, and nothing that of all.
        wallets.count_wrong_code(uow, prefix=code[:_PREFIX_DIGITS].ljust(_PREFIX_DIGITS), now_ms=now_ms)
        return Declined(DeclineReason.WRONG_CODE)
    if row.wrong_attempts >= WRONG_ATTEMPTS_MAX:
        return Declined(DeclineReason.TOO_MANY_ATTEMPTS)
    if row.used_at_ms is not None:
        return Declined(DeclineReason.CODE_USED)
    if now_ms >= row.expires_at_ms:
        return Declined(DeclineReason.CODE_EXPIRED)
    wallets.mark_code_used(uow, code, now_ms=now_ms)
    return row.wallet_id


def _draw_code(issuer: Issuer) -> str:
    # 64 bits modulo 10^8: the bias is below 10^-11.
    return f"{int.from_bytes(issuer.random_bytes(8), 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
