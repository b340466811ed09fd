"""
Promise that a code leads to its wallet once, for ten minutes, and cannot be found by trying.
"""

from __future__ import annotations

import pytest

from handsel.errors import NotFound
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.consent import withdraw_consent
from handsel.flows.issuing.enrol import Enrolled, EnrolmentBegun, begin_enrolment
from handsel.flows.issuing.enrolment_code import (
    CODE_KEPT_MS,
    CODE_VALID_MS,
    WRONG_ATTEMPTS_MAX,
    WRONG_CODES_MAX,
    give_enrolment_code,
)
from handsel.flows.issuing.open_wallet import open_wallet
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene


def tried(scene: Scene, code: str) -> EnrolmentBegun | Enrolled | Declined:
    enrolment_id = new_id()
    _, sealed = scene.enrolment_order(code, enrolment_id)
    return begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)


def unlike(code: str) -> str:
    """
    Return a code of which every digit is another.
    """
    return "".join(str((int(digit) + 5) % 10) for digit in code)


def nearly(code: str) -> str:
    """
    Return a code that begins with the same half.
    """
    return code[:4] + unlike(code[4:])


def test_a_code_has_eight_digits_and_leads_to_its_wallet(scene: Scene) -> None:
    code = scene.code(scene.wallet())

    assert len(code) == 8
    assert code.isdigit()
    assert isinstance(tried(scene, code), EnrolmentBegun)


def test_a_code_is_used_once(scene: Scene) -> None:
    code = scene.code(scene.wallet())
    tried(scene, code)

    assert tried(scene, code) == Declined(DeclineReason.CODE_USED)


def test_a_code_is_valid_for_ten_minutes(scene: Scene) -> None:
    one, two = scene.code(scene.wallet()), scene.code(scene.wallet())

    scene.now_ms += CODE_VALID_MS - 1
    assert isinstance(tried(scene, one), EnrolmentBegun)
    scene.now_ms += 1
    assert tried(scene, two) == Declined(DeclineReason.CODE_EXPIRED)


def test_a_new_code_replaces_the_old_one(scene: Scene) -> None:
    wallet = scene.wallet()
    old, new = scene.code(wallet), scene.code(wallet)

    assert tried(scene, old) == Declined(DeclineReason.WRONG_CODE)
    assert isinstance(tried(scene, new), EnrolmentBegun)


@pytest.mark.parametrize("code", ["", "0", "x" * 8, "9" * 1000, "' OR 1=1"])
def test_what_is_no_code_is_just_wrong(scene: Scene, code: str) -> None:
    scene.code(scene.wallet())

    assert tried(scene, code) == Declined(DeclineReason.WRONG_CODE)


def test_a_wrong_code_tells_nothing_of_how_wrong_it_is(scene: Scene) -> None:
    code = scene.code(scene.wallet())

    assert tried(scene, nearly(code)) == tried(scene, unlike(code)) == Declined(DeclineReason.WRONG_CODE)


@pytest.mark.parametrize(("attempts", "is_locked"), [(WRONG_ATTEMPTS_MAX - 1, False), (WRONG_ATTEMPTS_MAX, True)])
def test_a_code_half_of_which_is_known_is_locked_after_five_wrong_attempts(
    scene: Scene, attempts: int, is_locked: bool
) -> None:
    wallet = scene.wallet()
    code = scene.code(wallet)
    for _ in range(attempts):
        assert tried(scene, nearly(code)) == Declined(DeclineReason.WRONG_CODE)

    outcome = tried(scene, code)

    assert (outcome == Declined(DeclineReason.TOO_MANY_ATTEMPTS)) == is_locked
    assert isinstance(tried(scene, scene.code(wallet)), EnrolmentBegun)


def test_who_mistypes_does_not_lock_the_codes_of_others(scene: Scene) -> None:
    code = scene.code(scene.wallet())
    for _ in range(WRONG_ATTEMPTS_MAX):
        tried(scene, unlike(code))

    assert isinstance(tried(scene, code), EnrolmentBegun)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_what_is_shorter_than_half_a_code_locks_nobodys(scene: Scene, length: int) -> None:
    code = scene.code(scene.wallet())
    for _ in range(WRONG_ATTEMPTS_MAX):
        assert tried(scene, code[:length]) == Declined(DeclineReason.WRONG_CODE)

    assert isinstance(tried(scene, code), EnrolmentBegun)


def test_after_twenty_wrong_codes_even_the_right_one_waits_ten_minutes(scene: Scene) -> None:
    for _ in range(WRONG_CODES_MAX):
        assert tried(scene, "wrong") == Declined(DeclineReason.WRONG_CODE)
    wallet = scene.wallet()

    assert tried(scene, scene.code(wallet)) == Declined(DeclineReason.TOO_MANY_ATTEMPTS)
    scene.now_ms += CODE_VALID_MS - 1
    assert tried(scene, "wrong") == Declined(DeclineReason.TOO_MANY_ATTEMPTS)
    scene.now_ms += 1
    assert isinstance(tried(scene, scene.code(wallet)), EnrolmentBegun)


def test_the_same_wrong_request_is_counted_once(scene: Scene) -> None:
    enrolment_id = new_id()
    _, sealed = scene.enrolment_order("wrong", enrolment_id)

    for _ in range(WRONG_CODES_MAX + 1):
        outcome = begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)
        assert outcome == Declined(DeclineReason.WRONG_CODE)

    assert isinstance(tried(scene, scene.code(scene.wallet())), EnrolmentBegun)


def test_without_consent_there_is_no_code(scene: Scene) -> None:
    wallet = open_wallet(scene.issuer).wallet_id

    assert give_enrolment_code(scene.issuer, wallet) == Declined(DeclineReason.CONSENT_MISSING)


def test_a_code_is_worth_nothing_once_consent_is_withdrawn(scene: Scene) -> None:
    wallet = scene.wallet()
    code = scene.code(wallet)
    withdraw_consent(scene.issuer, wallet)

    assert tried(scene, code) == Declined(DeclineReason.CONSENT_MISSING)


def test_a_wallet_has_two_palms_and_no_third(scene: Scene) -> None:
    wallet = scene.wallet()
    assert scene.enrol(wallet, "left") == scene.enrol(wallet, "right") == Enrolled()

    assert give_enrolment_code(scene.issuer, wallet) == Declined(DeclineReason.TOO_MANY_PALMS)


def test_a_closed_wallet_has_no_code_and_neither_has_one_that_never_was(scene: Scene) -> None:
    wallet = scene.wallet()
    close_wallet(scene.issuer, wallet)

    assert give_enrolment_code(scene.issuer, wallet) == Declined(DeclineReason.WALLET_CLOSED)
    with pytest.raises(NotFound):
        give_enrolment_code(scene.issuer, new_id())


def test_old_codes_are_forgotten_after_a_day(scene: Scene) -> None:
    code = scene.code(scene.wallet())
    scene.now_ms += CODE_VALID_MS + CODE_KEPT_MS + 1
    scene.code(scene.wallet())

    assert tried(scene, code) == Declined(DeclineReason.WRONG_CODE)
