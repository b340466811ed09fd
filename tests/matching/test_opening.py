"""
Promises of the opening: three matchers begin only what they agree on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pytest

from handsel.errors import BindingMismatch, EnvelopeInvalid, GalleriesDiffer, PeerCheated
from handsel.ids import new_id
from handsel.log import Log
from handsel.matching.buckets import BUCKETS
from handsel.matching.dialogue import Dialogue, Receive
from handsel.matching.entry import ACTIVE, ERASED, Entry
from handsel.matching.gallery import Gallery
from handsel.matching.kept import Kept, Shares
from handsel.matching.lockstep import Lockstep
from handsel.matching.message import MATCHERS
from handsel.matching.opening import Agreed, agree, exchange_nonces, subject_digest
from handsel.matching.signed_order import SignedOrder
from tests.matching.ordered import ISSUER, STRANGER, a_gallery, commit, erase, signed
from tests.matching.three import query_id
from tests.matching.vouched import VOUCHERS

SHARES = Shares(bytes(8), bytes(16), bytes(16))
SUBJECT = bytes(32)


@pytest.fixture
def galleries(tmp_path: Path) -> dict[str, Gallery]:
    """
    Three galleries that all hold one pending enrolment, whose id is zeros.
    """
    held = {name: a_gallery(tmp_path / name, me=name, dims=4, palms_max=8) for name in MATCHERS}
    for gallery in held.values():
        gallery.keep_pending([(bytes(16), SHARES, VOUCHERS)], now_ms=0)
    return held


def _open(
    galleries: Mapping[str, Gallery],
    *,
    subjects: Mapping[str, bytes] | None = None,
    offers: Mapping[str, _Offers] | None = None,
    prepares: str = "",
) -> Mapping[str, Agreed]:
    asked = subjects or dict.fromkeys(MATCHERS, SUBJECT)
    return Lockstep(
        {
            name: _agree(name, gallery, asked[name], (offers or {}).get(name), prepares=name in prepares)
            for name, gallery in galleries.items()
        }
    ).run()


def _agree(
    name: str, gallery: Gallery, subject: bytes, offers: _Offers | None = None, *, prepares: bool = False
) -> Dialogue[Agreed]:
    return agree(
        name,
        subject=subject,
        held=gallery,
        random_bytes=os.urandom,
        now_ms=0,
        offers=offers,
        prepares=prepares,
    )


class _Offers:
    """
    Offer one name, and have others.
    """

    def __init__(self, name: bytes, *held: bytes) -> None:
        self.name, self.held, self.used = name, {name, *held} - {b""}, b""

    def offer(self) -> bytes:
        """
        Return the name.
        """
        return self.name

    def accept(self, name: bytes) -> bool:
        """
        Use what is held.
        """
        self.used = name if name in self.held else b""
        return self.used != b""

    def refuse(self) -> None:
        """
        Use nothing.
        """
        self.used = b""


def test_all_three_know_all_three_nonces(galleries: dict[str, Gallery]) -> None:
    agreed = _open(galleries)

    assert agreed["a"].nonces == agreed["b"].nonces == agreed["c"].nonces
    assert len(set(agreed["a"].nonces.values())) == 3


def test_nonces_are_fresh_each_time(galleries: dict[str, Gallery]) -> None:
    assert not set(_open(galleries)["a"].nonces.values()) & set(_open(galleries)["a"].nonces.values())


def test_what_was_prepared_is_used_only_where_all_three_have_what_the_first_offers(
    galleries: dict[str, Gallery],
) -> None:
    one, other = bytes(16), bytes([1] * 16)

    for offers, used in (
        ({"a": _Offers(one), "b": _Offers(b"", one), "c": _Offers(b"", other, one)}, one),
        ({"a": _Offers(one), "b": _Offers(b"", other), "c": _Offers(b"", one)}, b""),
        ({"a": _Offers(one), "b": _Offers(other, one), "c": _Offers(b"", one)}, one),
        ({"a": _Offers(b""), "b": _Offers(other), "c": _Offers(other)}, b""),
        ({"a": _Offers(one), "b": _Offers(b"", one)}, b""),
    ):
        _open(galleries, offers=offers)
        assert {used} == {offer.used for offer in offers.values()}


def test_first_matcher_says_whether_more_is_prepared(galleries: dict[str, Gallery]) -> None:
    for said, prepares in (("a", True), ("bc", False), ("abc", True), ("", False)):
        assert {prepares} == {agreed.prepares for agreed in _open(galleries, prepares=said).values()}


def test_nonces_alone_are_fresh_and_the_same_to_all_three() -> None:
    first, second = (
        Lockstep({name: exchange_nonces(name, random_bytes=os.urandom) for name in MATCHERS}).run() for _ in range(2)
    )

    assert first["a"] == first["b"] == first["c"]
    assert len({*first["a"].values(), *second["a"].values()}) == 6


def test_matchers_that_were_asked_different_things_refuse(galleries: dict[str, Gallery]) -> None:
    with pytest.raises(BindingMismatch):
        _open(galleries, subjects={"a": SUBJECT, "b": SUBJECT, "c": bytes([1] * 32)})


@pytest.mark.parametrize("missed", ["a", "b", "c", "ab", "bc", "ca"])
def test_commit_that_some_missed_is_made_good(galleries: dict[str, Gallery], missed: str) -> None:
    for name in set(MATCHERS) - set(missed):
        commit(galleries[name], bytes(16), position=7)

    agreed = _open(galleries)

    assert {1} == {one.rows.count for one in agreed.values()}
    assert len({one.rows.digest for one in agreed.values()}) == 1


@pytest.mark.parametrize("missed", ["a", "b", "c", "ab", "bc", "ca"])
def test_erasure_that_some_missed_is_made_good(galleries: dict[str, Gallery], missed: str) -> None:
    for gallery in galleries.values():
        commit(gallery, bytes(16), position=7)
    for name in set(MATCHERS) - set(missed):
        erase(galleries[name], bytes(16), now_ms=0)

    assert {0} == {one.rows.count for one in _open(galleries).values()}


def test_row_that_one_never_had_stops_all_three(galleries: dict[str, Gallery]) -> None:
    stranger = bytes([9] * 16)
    for name in "ab":
        galleries[name].keep_pending([(stranger, SHARES, VOUCHERS)], now_ms=0)
        commit(galleries[name], stranger, position=1)

    with pytest.raises(GalleriesDiffer):
        _open(galleries)


@pytest.mark.parametrize(
    ("order", "failure"),
    [
        (None, GalleriesDiffer),
        (signed("erase", bytes(16), by=STRANGER), PeerCheated),
        (signed("erase", bytes([1] * 16)), PeerCheated),
        (signed("commit", bytes(16), position=7), PeerCheated),
        (signed("abort", bytes(16)), PeerCheated),  # No abort ends what was committed.
    ],
)
def test_erasure_without_its_order_is_not_believed(
    galleries: dict[str, Gallery], order: SignedOrder | None, failure: type[Exception]
) -> None:
    for gallery in galleries.values():
        commit(gallery, bytes(16), position=7)
    galleries["c"]._stored.write(Kept(bytes(16), ERASED, None, 0, is_sealed=False, shares=None, order=order))
    galleries["c"]._holding.standing = galleries["c"]._holding.standing.without([7])

    with pytest.raises(failure):
        _open(galleries)

    assert [galleries[name].rows().count for name in "ab"] == [1, 1]
    assert {ACTIVE} == {entry.state for name in "ab" for entry in galleries[name].entries()}


class _Restless(Gallery):
    """
    Gets one more row each time that it is asked for its entries.
    """

    def entries(self, buckets: Iterable[int] = ()) -> tuple[Entry, ...]:
        """
        Return the entries as they were before the row came.
        """
        before = super().entries(range(BUCKETS))
        number = len(before)
        self.keep_pending([(number.to_bytes(16, "big"), SHARES, VOUCHERS)], now_ms=0)
        commit(self, number.to_bytes(16, "big"), position=number)
        return before


def test_galleries_that_keep_changing_are_refused_in_the_end(galleries: dict[str, Gallery], tmp_path: Path) -> None:
    restless = _Restless(tmp_path / "restless", me="a", issuer=ISSUER.public(), dims=4, palms_max=8, log=Log("test"))
    restless.keep_pending([(bytes(16), SHARES, VOUCHERS)], now_ms=0)
    commit(restless, bytes(16), position=0)

    with pytest.raises(GalleriesDiffer):
        _open({**galleries, "c": restless})


def _lie(dialogue: Dialogue[Agreed]) -> Dialogue[Agreed]:
    """
    Pass a dialogue on, and change one bit of the first message that it receives.
    """
    has_lied, asked = False, next(dialogue)
    try:
        while True:
            payload = bytes((yield asked))
            if isinstance(asked, Receive) and not has_lied:
                # The nonce is the last of its bytes that may be anything: the two digests are compared.
                at = payload.index(b"nonce") + 10
                payload, has_lied = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :], True
            asked = dialogue.send(payload)
    except StopIteration as stop:
        agreed: Agreed = stop.value
        return agreed


def test_nonce_that_was_changed_on_its_way_is_noticed(galleries: dict[str, Gallery]) -> None:
    dialogues = {name: _agree(name, gallery, SUBJECT) for name, gallery in galleries.items()}
    dialogues["b"] = _lie(dialogues["b"])

    with pytest.raises(EnvelopeInvalid):
        Lockstep(dialogues).run()


def test_message_that_does_not_parse_is_refused(galleries: dict[str, Gallery]) -> None:
    dialogue = _agree("a", galleries["a"], SUBJECT)
    next(dialogue)
    dialogue.send(b"")
    dialogue.send(b"")

    with pytest.raises(EnvelopeInvalid):
        dialogue.send(b"nonsense")


def test_subject_changes_with_everything_that_is_asked() -> None:
    query = query_id()
    ask = partial(
        subject_digest,
        query_id=query,
        binding=bytes(32),
        purpose="query",
        enrolment_id="",
        views=9,
        dims=432,
        threshold=5,
        palms_max=9,
        catches_cheaters=True,
    )
    subjects = {
        ask(),
        ask(query_id=query_id()),
        ask(binding=bytes([1] * 32)),
        ask(purpose="template"),
        ask(enrolment_id=new_id()),
        ask(views=8),
        ask(dims=430),
        ask(threshold=6),
        ask(palms_max=10),
        ask(catches_cheaters=False),
    }

    assert len(subjects) == 10
