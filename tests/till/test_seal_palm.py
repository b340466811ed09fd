"""
What is sealed to whom: three shares are the palm, one is noise, and all of it is bound to one order.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.envelope import open_envelope
from handsel.errors import EnvelopeInvalid, InvariantBroken
from handsel.matching.message import MATCHERS, QUERY, TEMPLATE, Query
from handsel.matching.ring import negate_odd
from handsel.matching.template import quantise
from handsel.order import REFUND, ChargeOrder, EnrolmentOrder, RefundOrder, bind
from handsel.till.journal import ChargeEntry
from handsel.till.seal_palm import PalmSealer
from handsel.vision.embedding import Embedding, Probe
from handsel.vision.read_palm import merge_readings
from tests.till.fakes import COFFEE, DIMS, VIEWS, Keyring, Stream, joined, joined_views, reading

CHI_SQUARE_MAX = 400.0  # 255 degrees of freedom: exceeded once in 10^8.
PROBE = reading(1).probe


@pytest.fixture
def sealer(keyring: Keyring) -> PalmSealer:
    """
    Return what seals for this till.
    """
    return PalmSealer(keyring.parties(), keyring.till.public().sign, Stream())


ENTRY = ChargeEntry("c" * 32, COFFEE, 5, (), return_code="abcdefghij234567abcd")


def charge_order(sealer: PalmSealer, number: int = 0) -> ChargeOrder:
    """
    Return an order for 4.50.
    """
    return ChargeOrder(f"{number:032x}", 450, "EUR", sealer.fresh_digest(), ())


def queries_of(keyring: Keyring, sealer: PalmSealer, number: int = 0) -> tuple[Query, ...]:
    """
    Return what the three matchers read of one charge.
    """
    request = sealer.seal_charge(charge_order(sealer, number), entry=ENTRY, probe=PROBE)
    return keyring.open_queries(request.queries)


def test_three_shares_are_the_palm(keyring: Keyring, sealer: PalmSealer) -> None:
    queries = queries_of(keyring, sealer)

    assert {query.views for query in queries} == {VIEWS}
    assert np.array_equal(quantise(PROBE.views), joined_views(tuple(query.shares for query in queries)))
    as_rows = joined(tuple(query.rows for query in queries), rows=VIEWS)
    assert np.array_equal(quantise(PROBE.views), as_rows.view(np.int16))


def test_one_share_is_noise(keyring: Keyring, sealer: PalmSealer) -> None:
    for matcher in range(3):
        queries = [queries_of(keyring, sealer, number)[matcher] for number in range(30)]
        views, rows = (b"".join(query.shares for query in queries), b"".join(query.rows for query in queries))
        apart = np.frombuffer(views, np.uint16) - np.frombuffer(rows, np.uint16)
        for shares in (views, rows, apart.tobytes()):
            counts = np.bincount(np.frombuffer(shares, np.uint8), minlength=256)
            expected = len(shares) / 256

            assert float(((counts - expected) ** 2 / expected).sum()) < CHI_SQUARE_MAX


def test_the_same_palm_twice_looks_like_two(keyring: Keyring, sealer: PalmSealer) -> None:
    first, second = queries_of(keyring, sealer, 1), queries_of(keyring, sealer, 2)

    assert first[0].query_id != second[0].query_id
    for one, other in zip(first, second, strict=True):
        same = np.frombuffer(one.shares, np.uint16) == np.frombuffer(other.shares, np.uint16)
        assert np.count_nonzero(same) < 8  # Of 192, by chance 0.003.


def test_each_matcher_opens_its_own_and_no_other(keyring: Keyring, sealer: PalmSealer) -> None:
    queries = sealer.seal_charge(charge_order(sealer), entry=ENTRY, probe=PROBE).queries
    assert queries is not None
    sealed = {"a": queries.a, "b": queries.b, "c": queries.c}
    for owner in MATCHERS:
        for reader in MATCHERS:
            if owner == reader:
                opened = open_envelope(sealed[owner], Query, keys=keyring.matchers[reader], purpose=QUERY)
                assert opened.views == VIEWS
                continue
            with pytest.raises(EnvelopeInvalid):
                open_envelope(sealed[owner], Query, keys=keyring.matchers[reader], purpose=QUERY)


def test_only_the_issuer_opens_the_order(keyring: Keyring, sealer: PalmSealer) -> None:
    order = RefundOrder("0" * 32, 450, "EUR", sealer.fresh_digest())
    request = sealer.seal_refund(order, attempt_id="1" * 32, refund="r", probe=PROBE)

    assert order == open_envelope(request.order, RefundOrder, keys=keyring.issuer, purpose=REFUND)
    assert {query.binding for query in keyring.open_queries(request.queries)} == {bind(order)}
    for keys in keyring.matchers.values():
        with pytest.raises(EnvelopeInvalid):
            open_envelope(request.order, RefundOrder, keys=keys, purpose=REFUND)


def test_a_template_is_the_mean_of_what_was_read(keyring: Keyring, sealer: PalmSealer) -> None:
    readings = tuple(reading(1, shot=shot) for shot in range(3))
    embedding = merge_readings(readings)
    order = EnrolmentOrder("0" * 32, "12345678", sealer.fresh_digest())

    request = sealer.seal_enrolment(order, enrolment_id="1" * 32, embedding=embedding, probe=readings[0].probe)

    templates = keyring.open_templates(request.templates)
    shares = joined(tuple(template.shares for template in templates), rows=1)
    assert np.array_equal(quantise(embedding.vector), shares.view(np.int16)[0])
    as_query = negate_odd(joined(tuple(template.as_query for template in templates), rows=1))
    assert np.array_equal(shares, as_query)
    views = joined_views(tuple(template.query.shares for template in templates))
    assert np.array_equal(quantise(readings[0].probe.views), views)
    assert {template.query.binding for template in templates} == {bind(order)}
    assert {template.enrolment_id for template in templates} == {order.order_id} == {request.order_id}


def test_a_query_does_not_open_as_a_template(keyring: Keyring, sealer: PalmSealer) -> None:
    queries = sealer.seal_charge(charge_order(sealer), entry=ENTRY, probe=PROBE).queries
    assert queries is not None

    with pytest.raises(EnvelopeInvalid):
        open_envelope(queries.a, Query, keys=keyring.matchers["a"], purpose=TEMPLATE)


def test_vectors_of_another_length_are_not_sealed(sealer: PalmSealer) -> None:
    short = Probe(np.eye(2, DIMS - 2, dtype=np.float32), "x")
    order = EnrolmentOrder("0" * 32, "1", sealer.fresh_digest())

    with pytest.raises(InvariantBroken):
        sealer.seal_charge(charge_order(sealer), entry=ENTRY, probe=short)
    with pytest.raises(InvariantBroken):
        sealer.seal_enrolment(order, enrolment_id="1" * 32, embedding=Embedding(short.views[0], "x"), probe=PROBE)


def test_no_two_orders_of_a_till_look_alike(sealer: PalmSealer) -> None:
    digests = {sealer.fresh_digest() for _ in range(20)}

    assert len(digests) == 20
