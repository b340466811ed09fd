"""
The list of note keys is fetched when it is needed, kept for a while, and outlives an issuer that does not answer.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from handsel.errors import PartyUnavailable, SignatureInvalid
from handsel.flows.acquiring.announced_keys import REFRESH_MS, RETRY_MS, AnnouncedKeys
from handsel.notes.announce import TrustedNoteKeys
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import Street, at_once
from tests.notes.fresh_keys import fresh_note_keys


def test_the_list_is_fetched_once_and_again_when_it_is_old(street: Street) -> None:
    keys = street.announced()
    before = street.issuer.calls["note_keys"]

    fetched = [keys.at(now_ms) for now_ms in (0, REFRESH_MS - 1, REFRESH_MS)]

    assert fetched == [street.issuer.issuer.note_keys.public()] * 3
    assert street.issuer.calls["note_keys"] - before == 2


def test_an_old_list_is_better_than_none(street: Street) -> None:
    keys = street.announced()
    fetched = keys.at(0)
    street.issuer.line = {"note_keys": Line.LOST}

    assert keys.at(REFRESH_MS) == fetched


def test_an_issuer_that_does_not_answer_is_not_asked_at_every_payment(street: Street) -> None:
    keys = street.announced()
    keys.at(0)
    street.issuer.line = {"note_keys": Line.CUT}
    before = street.issuer.calls["note_keys"]

    for now_ms in (REFRESH_MS, REFRESH_MS + 1, REFRESH_MS + RETRY_MS - 1, REFRESH_MS + RETRY_MS):
        keys.at(now_ms)

    assert street.issuer.calls["note_keys"] - before == 2


def test_without_any_list_nothing_can_be_checked(street: Street) -> None:
    street.issuer.line = {"note_keys": Line.REFUSED}

    with pytest.raises(PartyUnavailable):
        street.announced().at(0)


def test_several_threads_fetch_the_list_once(street: Street) -> None:
    keys = street.announced()
    before = street.issuer.calls["note_keys"]

    at_once(*(lambda: keys.at(0) for _ in range(4)))

    assert street.issuer.calls["note_keys"] - before == 1


def test_tills_get_the_list_as_the_issuer_signed_it(street: Street) -> None:
    assert street.announced().signed_at(0) == street.issuer.issuer.note_keys.announced()


def test_a_list_that_is_not_trusted_does_not_take_the_place_of_one_that_is(street: Street, tmp_path: Path) -> None:
    keys, root = street.announced(), street.issuer.issuer.note_keys.root()
    fetched = keys.at(0)
    street.issuer.issuer = replace(street.issuer.issuer, note_keys=fresh_note_keys(denominations=(1,)))

    assert keys.at(REFRESH_MS) == fetched
    with pytest.raises(SignatureInvalid):
        AnnouncedKeys(street.issuer, TrustedNoteKeys(root, tmp_path / "other.json")).at(0)
