"""
Promise that a PIN is hashed slowly, with a key that the database does not hold, and few at a time.
"""

from __future__ import annotations

from contextlib import ExitStack

import argon2
import pytest
from argon2.profiles import CHEAPEST

from handsel.errors import Unavailable
from handsel.flows.issuing import pin_hash
from handsel.flows.issuing.pin_hash import PARAMETERS, PinHasher

PIN = "402917"


def test_the_parameters_are_those_of_rfc_9106_and_not_below_those_of_owasp() -> None:
    assert PARAMETERS.type is argon2.Type.ID
    assert (PARAMETERS.memory_cost, PARAMETERS.time_cost, PARAMETERS.parallelism) == (64 * 1024, 3, 4)
    assert "m=65536,t=3,p=4" in PinHasher(b"secret").hash_pin(PIN)


def test_the_right_pin_is_right_and_every_other_wrong() -> None:
    pins = PinHasher(b"secret", parameters=CHEAPEST)
    stored = pins.hash_pin(PIN)

    assert pins.is_right(PIN, stored=stored)
    assert not pins.is_right("402918", stored=stored)
    assert not pins.is_right(PIN, stored=None)
    assert pins.hash_pin(PIN) != stored


def test_without_the_key_the_hash_alone_confirms_nothing() -> None:
    stored = PinHasher(b"secret", parameters=CHEAPEST).hash_pin(PIN)

    assert not PinHasher(b"another", parameters=CHEAPEST).is_right(PIN, stored=stored)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(stored, PIN)


def test_who_finds_no_turn_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hash, "WAIT_S_MAX", 0.01)
    pins = PinHasher(b"secret", parameters=CHEAPEST)
    stored = pins.hash_pin(PIN)
    with ExitStack() as others:
        for _ in range(pin_hash.AT_ONCE_MAX):
            others.enter_context(pin_hash._turn(pins._turns))

        with pytest.raises(Unavailable):
            pins.is_right(PIN, stored=stored)
        assert pins.hash_pin(PIN) != stored  # To set one needs no turn of those who pay.

    assert pins.is_right(PIN, stored=stored)


def test_its_repr_says_nothing() -> None:
    assert repr(PinHasher(b"secret", parameters=CHEAPEST)) == "PinHasher()"
