"""
Promises of a matcher to those who ask it, with three of them over real sockets.
"""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic

import msgspec
import numpy as np
import pytest

from handsel.certificate import LEFT_DAYS_MIN, VALID_DAYS, make_certificate
from handsel.clock import system_clock
from handsel.envelope import open_envelope, seal
from handsel.errors import (
    BindingMismatch,
    BodyInvalid,
    ConfigError,
    EnvelopeInvalid,
    GalleriesDiffer,
    GalleryCorrupt,
    GalleryEmpty,
    GalleryFull,
    HandselError,
    IdReused,
    NotFound,
    PalmInvalid,
    PeerCheated,
    PeerUnavailable,
    SignatureInvalid,
    StoreFull,
)
from handsel.ids import id_to_bytes, new_id
from handsel.keys import PartyKeys, verify_signature
from handsel.matching import message
from handsel.matching.ahead import WAITING_MAX
from handsel.matching.buckets import BUCKETS, DIGEST_BYTES, Buckets
from handsel.matching.entry import ERASED, Entry
from handsel.matching.gallery import PENDING_S_MAX
from handsel.matching.gallery_file import FILE_NAME
from handsel.matching.message import MATCHERS, AliasShare, Answer, Confirmation, Order, Query, Template
from handsel.matching.party import shape_of
from handsel.matching.reserve import PIECES_AT_ONCE_MAX, Piece
from handsel.matching.rows import Rows
from handsel.matching.settings import Health, Match
from handsel.matching.signed_order import ORDER_BYTES_MAX, SignedOrder
from handsel.matching.split import split_query, split_rows, to_wire
from tests.matching.three import DIMS, Three, Vector, palm, query_id
from tests.matching.vouched import require_vouched

ALIAS = bytes(range(1, 17))
OTHER_ALIAS = bytes(range(101, 117))
SHARE = bytes(2 * DIMS)
RESENDS_MAX = 5


def _failures(outcomes: dict[str, bytes | BaseException]) -> set[type]:
    return {type(outcome) for outcome in outcomes.values()}


def _enrolment(
    three: Three, template: Vector, queries: dict[str, Query], *, enrolment: str
) -> dict[str, tuple[bytes, bytes]]:
    """
    Return the envelopes of an enrolment whose queries are of whatever palm.
    """
    shares = zip(MATCHERS, split_rows(template), split_query(template), strict=True)
    templates = three.seal(
        {name: Template(enrolment, to_wire(row), to_wire(view), queries[name]) for name, row, view in shares},
        message.TEMPLATE,
    )
    aliases = three.seal({name: AliasShare(enrolment, bytes(16), bytes(16)) for name in MATCHERS}, message.ALIAS_SHARE)
    return {name: (templates[name], aliases[name]) for name in MATCHERS}


def _restart(three: Three, *, catches_cheaters: bool, names: Sequence[str] = MATCHERS) -> None:
    for name in names:
        three.stop(name)
        three.start(name, settings=replace(three.settings, catches_cheaters=catches_cheaters))


def _made_ahead(three: Three) -> dict[str, list[Piece]]:
    """
    Wait until nothing is prepared any more; return what is, which stays there.
    """
    for matcher in three.matchers.values():
        matcher._ahead._background.submit(lambda: None).result()
    return {name: list(matcher._ahead.reserve._pieces) for name, matcher in three.matchers.items()}


def _names(made: dict[str, list[Piece]]) -> dict[str, list[bytes]]:
    return {name: [piece.name for piece in pieces] for name, pieces in made.items()}


def test_nobody_is_found_in_empty_galleries(three: Three) -> None:
    assert three.alias_of(palm(1)) is None


def test_enrolled_palm_is_found_and_a_stranger_is_not(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    three.enrol(palm(2), OTHER_ALIAS, position=2)

    assert three.alias_of(palm(1)) == ALIAS
    assert three.alias_of(palm(2)) == OTHER_ALIAS
    assert three.alias_of(palm(3)) is None


def test_palm_is_found_in_whichever_view_it_is(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    strangers = [palm(seed) for seed in range(100, 108)]

    for place in (0, 4, 8):
        assert three.alias_of(*strangers[:place], palm(1), *strangers[place:]) == ALIAS


def test_two_palms_that_match_give_no_alias_that_was_given_out(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    three.enrol(palm(2), OTHER_ALIAS, position=2)

    found = three.alias_of(palm(1), palm(2))

    assert found == bytes(a ^ b for a, b in zip(ALIAS, OTHER_ALIAS, strict=True))


def test_enrolment_of_a_palm_that_is_enrolled_answers_its_alias(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)

    again = three.ask_to_enrol(three.enrolment(palm(1), OTHER_ALIAS, enrolment=new_id()))

    assert three.combine(again) == ALIAS


def test_enrolment_that_is_not_committed_is_not_found(three: Three) -> None:
    enrolment = new_id()
    three.combine(three.ask_to_enrol(three.enrolment(palm(1), ALIAS, enrolment=enrolment)))

    assert three.alias_of(palm(1)) is None
    three.order("abort", enrolment)
    three.order("abort", enrolment)
    assert three.alias_of(palm(1)) is None
    with pytest.raises(NotFound):
        three.order("commit", enrolment, position=1)


def test_enrolment_may_be_sent_again_until_it_has_ended(three: Three) -> None:
    enrolment = new_id()
    envelopes = three.enrolment(palm(1), ALIAS, enrolment=enrolment)

    assert three.combine(three.ask_to_enrol(envelopes)) is None
    assert three.combine(three.ask_to_enrol(envelopes)) is None
    three.order("commit", enrolment, position=1)
    assert _failures(three.ask_to_enrol(envelopes)) == {IdReused}
    assert three.alias_of(palm(1)) == ALIAS


def test_enrolment_is_vouched_for_and_alike_each_time_that_it_is_sent(three: Three) -> None:
    """
    Whichever attempt was the last that reached a matcher: both others hold the same digest.
    """
    enrolment = new_id()
    envelopes = three.enrolment(palm(1), ALIAS, enrolment=enrolment)
    kept: list[list[tuple[object, ...]]] = []
    for _ in range(2):
        assert three.combine(three.ask_to_enrol(envelopes)) is None
        each = (matcher._gallery._stored for matcher in three.matchers.values())
        kept += [[row for stored in each for row in stored.select("SELECT * FROM vouchers")]]

    three.order("commit", enrolment, position=1)

    assert len(kept[0]) == 3
    assert kept[0] == kept[1]
    require_vouched({name: matcher._gallery for name, matcher in three.matchers.items()})


def test_enrolment_id_with_other_contents_is_refused(three: Three) -> None:
    enrolment = new_id()
    three.combine(three.ask_to_enrol(three.enrolment(palm(1), ALIAS, enrolment=enrolment)))

    assert _failures(three.ask_to_enrol(three.enrolment(palm(2), ALIAS, enrolment=enrolment))) == {IdReused}


def test_enrolment_that_failed_at_a_dead_matcher_may_be_sent_again(three: Three) -> None:
    enrolment = new_id()
    envelopes = three.enrolment(palm(1), ALIAS, enrolment=enrolment)
    three.stop("b")
    assert _failures(three.ask_to_enrol(envelopes)) == {PeerUnavailable}
    three.start("b")

    # As a till does: the word that the first attempt was abandoned may still be on its way, and end the next one too.
    for _ in range(RESENDS_MAX):
        outcomes = three.ask_to_enrol(envelopes)
        if _failures(outcomes) == {bytes}:
            break
        assert _failures(outcomes) <= {bytes, PeerUnavailable}

    assert three.combine(outcomes) is None
    three.order("commit", enrolment, position=1)
    assert three.alias_of(palm(1)) == ALIAS


def test_template_and_alias_of_different_enrolments_are_refused(three: Three) -> None:
    one = three.enrolment(palm(1), ALIAS, enrolment=new_id())
    other = three.enrolment(palm(1), ALIAS, enrolment=new_id())

    with pytest.raises(EnvelopeInvalid):
        three.matchers["a"].enrol(one["a"][0], other["a"][1])


def test_answer_carries_query_binding_and_matcher(three: Three) -> None:
    query, binding = query_id(), os.urandom(32)
    envelopes = three.seal(three.queries(palm(1)[None, :], binding=binding, query=query), message.QUERY)

    for name, sealed in three.ask(envelopes).items():
        assert isinstance(sealed, bytes)
        answer = open_envelope(sealed, Answer, keys=three.issuer, purpose=message.ANSWER)
        assert (query, binding, name) == (answer.query_id, answer.binding, answer.matcher)


def test_answers_to_the_same_palm_are_never_the_same(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)

    masked = set()
    for _ in range(5):
        for sealed in three.ask(three.seal(three.queries(palm(1)[None, :]), message.QUERY)).values():
            assert isinstance(sealed, bytes)
            masked.add(open_envelope(sealed, Answer, keys=three.issuer, purpose=message.ANSWER).masked)

    assert len(masked) == 15


def test_query_that_was_answered_is_refused(three: Three) -> None:
    envelopes = three.seal(three.queries(palm(1)[None, :]), message.QUERY)
    assert three.combine(three.ask(envelopes)) is None

    assert _failures(three.ask(envelopes)) == {IdReused}


def test_query_of_an_enrolment_is_not_answered_as_a_payment(three: Three) -> None:
    query = query_id()
    three.combine(three.ask(three.seal(three.queries(palm(1)[None, :], query=query), message.QUERY)))
    queries = three.queries(palm(1)[None, :], query=query)

    assert _failures(three.ask_to_enrol(_enrolment(three, palm(1), queries, enrolment=new_id()))) == {IdReused}


def test_matchers_that_got_different_bindings_refuse(three: Three) -> None:
    query = query_id()
    one = three.queries(palm(1)[None, :], query=query)
    other = three.queries(palm(1)[None, :], query=query, binding=bytes([1] * 32))

    outcomes = three.ask(three.seal({**one, "c": other["c"]}, message.QUERY))

    assert BindingMismatch in _failures(outcomes)
    assert _failures(outcomes) <= {BindingMismatch, PeerUnavailable}


def test_all_three_refuse_the_palm_that_is_one_too_many_and_none_keeps_it(three: Three) -> None:
    for name in MATCHERS:
        three.stop(name)
        three.start(name, settings=replace(three.settings, palms_max=2))
    three.enrol(palm(1), ALIAS, position=1)
    first = three.enrol(palm(2), OTHER_ALIAS, position=2)
    enrolment = new_id()

    for _ in range(RESENDS_MAX):  # None gives up before the others know: all three say the same, every time.
        refused = three.ask_to_enrol(three.enrolment(palm(3), ALIAS, enrolment=enrolment))
        assert [type(outcome) for outcome in refused.values()] == [GalleryFull] * 3
    assert three.alias_of(palm(3)) is None
    assert three.alias_of(palm(1)) == ALIAS  # A full gallery goes on matching.

    three.order("erase", first)
    three.enrol(palm(3), OTHER_ALIAS, position=3)
    assert three.alias_of(palm(3)) == OTHER_ALIAS


def test_matchers_with_different_room_refuse(three: Three) -> None:
    three.stop("c")
    three.start("c", settings=replace(three.settings, palms_max=three.settings.palms_max + 1))

    outcomes = three.ask_to_enrol(three.enrolment(palm(1), ALIAS, enrolment=new_id()))

    assert BindingMismatch in _failures(outcomes)
    assert _failures(outcomes) <= {BindingMismatch, PeerUnavailable}


def test_a_gallery_that_holds_too_many_stops_the_start(three: Three) -> None:
    for position in (1, 2):
        three.enrol(palm(position), ALIAS, position=position)
    three.stop("b")

    with pytest.raises(ConfigError, match="palms_max is 1"):
        three.start("b", settings=replace(three.settings, palms_max=1))


def test_matchers_of_which_one_would_not_prove_anything_refuse(three: Three) -> None:
    _restart(three, catches_cheaters=False, names="c")

    outcomes = three.ask(three.seal(three.queries(palm(1)[None, :]), message.QUERY))

    assert BindingMismatch in _failures(outcomes)
    assert _failures(outcomes) <= {BindingMismatch, PeerUnavailable}


def test_matchers_that_trust_each_other_find_the_same_and_say_so(three: Three) -> None:
    _restart(three, catches_cheaters=False)
    three.enrol(palm(1), ALIAS, position=1)

    assert three.alias_of(palm(3), palm(1)) == ALIAS
    assert three.alias_of(palm(2)) is None
    assert Health("ok", 1, "b", catches_cheaters=False) == three.matchers["b"].health()
    assert not any(_made_ahead(three).values())


@pytest.mark.parametrize("catches_cheaters", [True, False])
def test_query_that_is_no_palm_is_refused_and_the_next_is_answered(three: Three, catches_cheaters: bool) -> None:
    _restart(three, catches_cheaters=catches_cheaters)
    three.enrol(palm(1), ALIAS, position=1)

    for views in (2 * palm(1)[None, :], np.zeros((1, DIMS), np.int8), np.stack([palm(1), palm(2) // 2])):
        outcomes = three.ask(three.seal(three.queries(views), message.QUERY))

        assert PalmInvalid in _failures(outcomes)
        assert _failures(outcomes) <= {PalmInvalid, PeerUnavailable}
    assert three.alias_of(palm(1)) == ALIAS


@pytest.mark.parametrize("catches_cheaters", [True, False])
def test_template_that_is_no_palm_is_refused_and_nothing_of_it_is_kept(three: Three, catches_cheaters: bool) -> None:
    _restart(three, catches_cheaters=catches_cheaters)
    enrolment = new_id()
    queries = three.queries(palm(1)[None, :])

    outcomes = three.ask_to_enrol(_enrolment(three, 2 * palm(1), queries, enrolment=enrolment))

    assert PalmInvalid in _failures(outcomes)
    assert _failures(outcomes) <= {PalmInvalid, PeerUnavailable}
    for name in MATCHERS:
        with pytest.raises(NotFound):
            three.order("commit", enrolment, position=1, to=name)


def test_matcher_that_matches_with_other_shares_than_it_was_given_is_caught(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    This one does not know that its shares are others: it looks as the others do, and may notice first and say so.
    """
    three.enrol(palm(1), ALIAS, position=1)
    gallery = three.matchers["b"]._gallery
    rows = gallery.rows()
    segments = tuple(replace(segment, templates=segment.templates + np.uint16(1)) for segment in rows.segments)
    monkeypatch.setattr(gallery, "rows", lambda: replace(rows, segments=segments))

    outcomes = three.ask(three.seal(three.queries(palm(1)[None, :]), message.QUERY))

    assert PeerCheated in _failures(outcomes)
    assert _failures(outcomes) <= {PeerCheated, PeerUnavailable}
    monkeypatch.undo()
    assert three.alias_of(palm(1)) == ALIAS


def test_queries_are_prepared_between_two_and_are_the_same_at_all_three(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)

    made = _names(_made_ahead(three))

    assert len(set(made["a"])) == PIECES_AT_ONCE_MAX
    assert made["a"] == made["b"] == made["c"]


def test_what_was_prepared_is_used_up_and_prepared_again(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    before = _names(_made_ahead(three))["a"]

    assert three.alias_of(palm(1)) == ALIAS
    assert three.alias_of(palm(2)) is None

    after = _names(_made_ahead(three))
    assert len(set(before) & set(after["a"])) == PIECES_AT_ONCE_MAX - 2
    assert after["a"] == after["b"] == after["c"]
    assert len(after["a"]) > PIECES_AT_ONCE_MAX


def test_what_one_has_lost_is_not_used_and_all_begin_anew(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    before = _names(_made_ahead(three))["a"]
    three.matchers["c"]._ahead.reserve.clear()

    assert three.alias_of(palm(1)) == ALIAS

    after = _names(_made_ahead(three))
    assert not set(before) & set(after["a"])
    assert three.alias_of(palm(1)) == ALIAS
    assert after["a"] == after["b"] == after["c"]


def test_first_matcher_cannot_have_the_others_prepare_without_end(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, begun = three.matchers["b"]._ahead, []
    monkeypatch.setattr(ahead, "_make", lambda name, _: begun.append(name))  # And never comes to its end.
    shape = shape_of(rows=64, vectors=2, matched=1, dims=DIMS, terms=three.settings.terms())

    for number in range(10):
        ahead.make(after=bytes([number] * 16), shape=shape)

    _made_ahead(three)
    assert len(begun) == WAITING_MAX


def test_many_queries_at_once_are_answered_right(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: three.alias_of(palm(1 + number % 2)), range(24)))

    assert found == [ALIAS, None] * 12
    made = _names(_made_ahead(three))
    assert made["a"] == made["b"] == made["c"]


def test_what_has_become_too_small_while_rows_came_is_not_used(three: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is prepared is for 64 rows and no more; one matcher has missed the commit of the last of these. While that is
    made good, the 65th row is committed everywhere.
    """
    enrolments = [new_id() for _ in range(65)]
    for number, enrolment in enumerate(enrolments):
        three.ask_to_enrol(three.enrolment(palm(number), os.urandom(16), enrolment=enrolment))
        three.order("commit", enrolment, position=number, to="abc" if number < 63 else "")
    made = _made_ahead(three)
    just_enough = shape_of(rows=64, vectors=2, matched=1, dims=DIMS, terms=three.settings.terms())
    for name, pieces in made.items():
        reserve = three.matchers[name]._ahead.reserve
        reserve.clear()
        reserve.put(replace(piece, prepared=replace(piece.prepared, shape=just_enough)) for piece in pieces)
    three.order("commit", enrolments[63], position=63, to="ab")

    def late(name: str) -> Callable[[list[int]], tuple[Entry, ...]]:
        gallery = three.matchers[name]._gallery
        entries = gallery.entries

        def commit_first(buckets: list[int]) -> tuple[Entry, ...]:
            order = three.signed("commit", enrolments[64], position=64)
            gallery.commit(id_to_bytes(enrolments[64]), position=64, order=order)
            return entries(buckets)

        return commit_first

    for name in MATCHERS:
        monkeypatch.setattr(three.matchers[name]._gallery, "entries", late(name))

    assert three.alias_of(palm(300)) is None
    assert len(made["a"]) - 1 == sum(
        piece.prepared.shape == just_enough for piece in three.matchers["b"]._ahead.reserve._pieces
    )
    assert {65} == {matcher.health().rows for matcher in three.matchers.values()}


def test_matchers_with_different_thresholds_refuse(three: Three) -> None:
    three.stop("c")
    three.start("c", settings=replace(three.settings, threshold=three.settings.threshold + 1))

    outcomes = three.ask(three.seal(three.queries(palm(1)[None, :]), message.QUERY))

    assert BindingMismatch in _failures(outcomes)
    assert _failures(outcomes) <= {BindingMismatch, PeerUnavailable}


@pytest.mark.parametrize(
    "wrong",
    [
        Query(bytes(15), bytes(32), 1, SHARE, SHARE),
        Query(bytes(16), bytes(31), 1, SHARE, SHARE),
        Query(bytes(16), bytes(32), 0, b"", b""),
        Query(bytes(16), bytes(32), 33, 33 * SHARE, 33 * SHARE),
        Query(bytes(16), bytes(32), -1, SHARE, SHARE),
        Query(bytes(16), bytes(32), 1, SHARE[:-2], SHARE[:-2]),
        Query(bytes(16), bytes(32), 1, SHARE + b"\0", SHARE + b"\0"),
        Query(bytes(16), bytes(32), 2, SHARE, SHARE),
        Query(bytes(16), bytes(32), 1, SHARE[:-2], SHARE),
        Query(bytes(16), bytes(32), 1, SHARE, SHARE[:-2]),
        Query(bytes(16), bytes(32), 1, SHARE, b""),
    ],
)
def test_query_of_a_wrong_form_is_refused(three: Three, wrong: Query) -> None:
    with pytest.raises(EnvelopeInvalid):
        three.matchers["a"].answer_query(three.seal({"a": wrong}, message.QUERY)["a"])


def test_query_of_the_most_views_is_answered(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)

    assert three.alias_of(*(palm(seed) for seed in range(100, 131)), palm(1)) == ALIAS


def test_envelope_for_another_matcher_or_use_is_refused(three: Three) -> None:
    queries = three.queries(palm(1)[None, :])

    with pytest.raises(EnvelopeInvalid):
        three.matchers["a"].answer_query(three.seal(queries, message.QUERY)["b"])
    with pytest.raises(EnvelopeInvalid):
        three.matchers["a"].answer_query(three.seal(queries, message.TEMPLATE)["a"])
    with pytest.raises(EnvelopeInvalid):
        three.matchers["a"].answer_query(b"")


@pytest.mark.parametrize(
    ("template_bytes", "query_bytes", "own", "pair"),
    [
        (2 * DIMS - 2, 2 * DIMS - 2, 16, 16),
        (2 * DIMS - 2, 2 * DIMS, 16, 16),
        (2 * DIMS, 2 * DIMS - 2, 16, 16),
        (2 * DIMS, 2 * DIMS, 15, 16),
        (2 * DIMS, 2 * DIMS, 16, 17),
        (0, 0, 16, 16),
        (2 * DIMS, 0, 16, 16),
        (4 * DIMS, 4 * DIMS, 16, 16),
    ],
)
def test_enrolment_of_a_wrong_form_is_refused(
    three: Three, template_bytes: int, query_bytes: int, own: int, pair: int
) -> None:
    enrolment = new_id()
    query = three.queries(palm(1)[None, :])["a"]
    to = three.parties["a"].keys
    shares = Template(enrolment, bytes(template_bytes), bytes(query_bytes), query)
    template = seal(shares, to=to, purpose=message.TEMPLATE)
    part = seal(AliasShare(enrolment, bytes(own), bytes(pair)), to=to, purpose=message.ALIAS_SHARE)

    with pytest.raises(EnvelopeInvalid):
        three.matchers["a"].enrol(template, part)


def test_erased_palm_is_not_found_and_its_shares_are_gone(three: Three) -> None:
    kept, erased = three.enrol(palm(1), ALIAS, position=1), three.enrol(palm(2), OTHER_ALIAS, position=2)
    before = {name: three.matchers[name].health().rows for name in MATCHERS}

    three.order("erase", erased)
    three.order("erase", erased)

    assert {2} == set(before.values())
    assert three.alias_of(palm(2)) is None
    assert three.alias_of(palm(1)) == ALIAS
    assert {1} == {three.matchers[name].health().rows for name in MATCHERS}
    assert kept != erased


def test_order_is_confirmed_and_signed(three: Three) -> None:
    enrolment = three.enrol(palm(1), ALIAS, position=1)
    order = msgspec.msgpack.encode(Order("erase", enrolment, 0))

    confirmation, signature = three.matchers["b"].carry_out(order, three.issuer.signature(order))

    verify_signature(confirmation, signature, signer=three.parties["b"].keys)
    confirmed = msgspec.msgpack.decode(confirmation, type=Confirmation)
    assert ("erase", enrolment, "b") == (confirmed.kind, confirmed.enrolment_id, confirmed.matcher)


def test_order_that_the_issuer_did_not_sign_changes_nothing(three: Three) -> None:
    enrolment = three.enrol(palm(1), ALIAS, position=1)
    order = msgspec.msgpack.encode(Order("erase", enrolment, 0))

    for signature in (three.keys["b"].signature(order), PartyKeys.generate().signature(order), b"", bytes(64)):
        with pytest.raises(SignatureInvalid):
            three.matchers["a"].carry_out(order, signature)
    with pytest.raises(SignatureInvalid):
        three.matchers["a"].carry_out(order + b"\0", three.issuer.signature(order))
    assert three.alias_of(palm(1)) == ALIAS


@pytest.mark.parametrize(
    "order",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode({"kind": "destroy", "enrolment_id": "0" * 32, "position": 0}),
        msgspec.msgpack.encode(Order("commit", "0" * 32, -1)),
        msgspec.msgpack.encode(Order("commit", "0" * 32, 1 << 63)),
        msgspec.msgpack.encode(Order("commit", "not an id", 1)),
        msgspec.msgpack.encode(Order("erase", "0" * 32, 1)),
        msgspec.msgpack.encode(Order("commit", "0" * ORDER_BYTES_MAX, 1)),
    ],
)
def test_order_that_does_not_parse_is_refused(three: Three, order: bytes) -> None:
    with pytest.raises(BodyInvalid):
        three.matchers["a"].carry_out(order, three.issuer.signature(order))


def test_commit_of_what_never_came_is_not_found(three: Three) -> None:
    with pytest.raises(NotFound):
        three.order("commit", new_id(), position=1, to="a")


@pytest.mark.parametrize("reached", ["a", "b", "c", "ab", "bc", "ca"])
def test_commit_that_did_not_reach_all_is_made_good_by_the_next_query(three: Three, reached: str) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    three.enrol(palm(2), OTHER_ALIAS, position=2, commit_to=reached)

    assert three.alias_of(palm(2)) == OTHER_ALIAS
    assert {2} == {three.matchers[name].health().rows for name in MATCHERS}


def test_order_that_a_peer_made_up_is_not_believed(three: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    enrolment = three.enrol(palm(1), ALIAS, position=1)
    gallery = three.matchers["b"]._gallery
    made_up = msgspec.msgpack.encode(Order("erase", enrolment, 0))
    order = SignedOrder(made_up, three.keys["b"].signature(made_up))
    monkeypatch.setattr(gallery, "rows", lambda: Rows.build([], dims=DIMS))
    lie = (Entry(id_to_bytes(enrolment), ERASED, None, order),)
    monkeypatch.setattr(gallery, "buckets", lambda: Buckets(bytes(BUCKETS * DIGEST_BYTES), bytes(4 * BUCKETS)))
    monkeypatch.setattr(gallery, "entries", lambda buckets: lie)

    outcomes = three.ask(three.seal(three.queries(palm(1)[None, :]), message.QUERY))

    assert PeerCheated in _failures({name: outcomes[name] for name in "ac"})
    monkeypatch.undo()
    assert three.alias_of(palm(1)) == ALIAS


def test_erasure_that_did_not_reach_all_is_made_good_by_the_next_query(three: Three) -> None:
    enrolment = three.enrol(palm(1), ALIAS, position=1)

    three.order("erase", enrolment, to="b")

    assert three.alias_of(palm(1)) is None
    assert {0} == {three.matchers[name].health().rows for name in MATCHERS}


def test_matcher_that_was_away_when_the_issuer_committed_makes_it_good(three: Three) -> None:
    enrolment = new_id()
    three.combine(three.ask_to_enrol(three.enrolment(palm(1), ALIAS, enrolment=enrolment)))
    three.stop("c")
    three.order("commit", enrolment, position=1, to="ab")
    three.start("c")

    assert three.alias_of(palm(1)) == ALIAS


def test_gallery_that_lost_its_rows_stops_the_match(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    three.stop("c")
    shutil.rmtree(three.root / "c")
    three.start("c")

    outcomes = three.ask(three.seal(three.queries(palm(1)[None, :]), message.QUERY))

    assert GalleryEmpty in _failures(outcomes)
    assert _failures(outcomes) <= {GalleryEmpty, PeerUnavailable}


def test_rows_survive_a_restart_of_all_three(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    for name in MATCHERS:
        three.stop(name)
    for name in MATCHERS:
        three.start(name)

    assert three.alias_of(palm(1)) == ALIAS


def test_dead_matcher_is_said_in_time_and_found_again(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    for name in MATCHERS:
        three.stop(name)
        begin_s = monotonic()

        assert _failures(three.ask(three.seal(three.queries(palm(1)[None, :]), message.QUERY))) == {PeerUnavailable}
        assert monotonic() - begin_s < 3.0
        three.start(name)
        assert three.alias_of(palm(1)) == ALIAS


def test_health_says_whether_the_peers_are_there(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    assert Health("ok", 1, "a", catches_cheaters=True) == three.matchers["a"].health()

    three.stop("b")

    assert Health("waiting_for_peers", 1, "a", catches_cheaters=True) == three.matchers["a"].health()


def test_eight_queries_at_once_are_all_answered_right(three: Three) -> None:
    aliases = [os.urandom(16) for _ in range(8)]
    for index, alias in enumerate(aliases):
        three.enrol(palm(index), alias, position=index)

    for _ in range(3):
        found = list(three.pool.map(lambda index: three.alias_of(palm(50), palm(index)), range(8)))
        assert aliases == found


def test_queries_go_on_while_palms_are_enrolled_and_erased(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    asked = [three.pool.submit(three.alias_of, palm(1)) for _ in range(6)]

    for index in range(2, 8):
        three.order("erase", three.enrol(palm(index), OTHER_ALIAS, position=index))

    for future in asked:
        failure = future.exception()
        # A change that reaches the three at different moments may outlast one query's patience; it is never wrong.
        assert isinstance(failure, GalleriesDiffer | PeerUnavailable) if failure else future.result() == ALIAS
    assert three.alias_of(palm(1)) == ALIAS


def test_full_disk_fails_an_enrolment_and_loses_nothing(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    connection = three.matchers["b"]._gallery._stored._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    outcomes = [three.ask_to_enrol(three.enrolment(palm(2 + i), OTHER_ALIAS, enrolment=new_id())) for i in range(40)]

    assert StoreFull in {type(outcome["b"]) for outcome in outcomes}
    assert three.alias_of(palm(1)) == ALIAS
    connection.execute("PRAGMA max_page_count = 100000").fetchall()
    three.enrol(palm(90), OTHER_ALIAS, position=2)
    assert three.alias_of(palm(90)) == OTHER_ALIAS


def test_damaged_row_stops_the_start(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)
    three.stop("a")
    with sqlite3.connect(three.root / "a" / FILE_NAME) as connection:
        connection.execute("UPDATE rows SET template = randomblob(length(template))")
    connection.close()

    with pytest.raises(GalleryCorrupt):
        three.start("a")


def test_abandoned_enrolment_is_dropped_at_the_next_query(tmp_path: Path) -> None:
    now_ms = [1_000_000]
    three = Three(tmp_path, clock=lambda: now_ms[0])
    for name in MATCHERS:
        three.start(name)
    enrolment = new_id()
    three.combine(three.ask_to_enrol(three.enrolment(palm(1), ALIAS, enrolment=enrolment)))

    now_ms[0] += PENDING_S_MAX * 1000 + 1
    three.alias_of(palm(2))

    with pytest.raises(NotFound):
        three.order("commit", enrolment, position=1)
    three.close()


def test_full_disk_does_not_stop_a_query_while_an_abandoned_enrolment_waits(tmp_path: Path) -> None:
    now_ms = [1_000_000]
    three = Three(tmp_path, clock=lambda: now_ms[0])
    for name in MATCHERS:
        three.start(name)
    three.enrol(palm(1), ALIAS, position=1)
    three.combine(three.ask_to_enrol(three.enrolment(palm(2), OTHER_ALIAS, enrolment=new_id())))
    now_ms[0] += PENDING_S_MAX * 1000 + 1
    three.matchers["b"]._gallery._stored._connection.execute("PRAGMA query_only = ON").fetchall()

    assert three.alias_of(palm(1)) == ALIAS
    assert len(three.matchers["b"]._gallery.entries()) == 2
    assert len(three.matchers["a"]._gallery.entries()) == 1
    three.close()


def test_matcher_that_is_full_says_so_at_once(three: Three) -> None:
    matcher = three.matchers["a"]
    taken = 0
    while matcher._places.acquire(blocking=False):
        taken += 1

    with pytest.raises(HandselError, match="as many queries"):
        matcher.answer_query(three.seal(three.queries(palm(1)[None, :]), message.QUERY)["a"])

    matcher._places.release(taken)
    assert three.alias_of(palm(1)) is None


def test_matcher_with_the_keys_of_another_does_not_start(three: Three) -> None:
    three.stop("a")
    three.keys["a"] = PartyKeys.generate()

    with pytest.raises(ConfigError):
        three.start("a")


@pytest.mark.parametrize("whose", ["a", "b"])
def test_certificate_that_ends_soon_stops_the_start(three: Three, whose: str) -> None:
    three.stop("a")
    old_ms = system_clock() - (VALID_DAYS - LEFT_DAYS_MIN) * 24 * 3600 * 1000
    old = make_certificate(three.keys[whose], name=f"matcher {whose}", now_ms=old_ms)
    three.parties[whose] = replace(three.parties[whose], certificate=old)

    with pytest.raises(ConfigError, match=f"of matcher {whose} ends on"):
        three.start("a")


def test_match_whose_numbers_cannot_fit_is_refused() -> None:
    for dims, threshold, palms_max, views_max in (
        (63, 100, 5, 9),
        (64, 32767, 5, 9),
        (64, 100, 5, 0),
        (64, 100, 5, 33),
        (64, 100, 0, 9),
    ):
        with pytest.raises(ConfigError):
            Match(dims, threshold, palms_max=palms_max, views_max=views_max)


def test_answers_do_not_show_palms_in_logs(three: Three) -> None:
    enrolment = three.enrol(palm(1), ALIAS, position=1)
    three.alias_of(palm(1))

    for matcher in three.matchers.values():
        stream = matcher._log.stream
        assert isinstance(stream, io.StringIO)
        written = stream.getvalue()
        assert "query_answered" in written
        assert enrolment not in written
        order = three.signed("commit", enrolment, position=1)
        assert order.body.hex() not in written
        assert order.signature.hex() not in written


def test_views_may_be_the_same(three: Three) -> None:
    three.enrol(palm(1), ALIAS, position=1)

    assert three.combine(three.ask(three.seal(three.queries(np.stack([palm(1)] * 9)), message.QUERY))) == ALIAS


def test_matcher_loads_nothing_that_could_read_or_split_a_palm() -> None:
    program = "import sys, handsel.matching.matcher; print(*sorted(sys.modules))"
    loaded = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())

    assert not loaded & {"cv2", "onnxruntime", "handsel.vision", "handsel.matching.split", "handsel.matching.template"}
    assert not [name for name in loaded if name.startswith(("handsel.notes", "handsel.pay", "handsel.flows"))]
