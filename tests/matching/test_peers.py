"""
Promises of the connections: bounded waits, clear refusals, and healing without a restart.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

import pytest

from handsel.errors import AccessDenied, BindingMismatch, PeerUnavailable, PortTaken, Untrusted
from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.matching.dialogue import Dialogue, Receive, Send
from handsel.matching.frame import Frame, Kind, write_frame
from handsel.matching.message import MATCHERS
from handsel.matching.peers import CONNECTIONS_MAX, PeerAddress, Peers
from handsel.matching.tls import HANDSHAKE_TIMEOUT_S, Tls
from tests.matching.relay import Relay
from tests.matching.three import certificate_of, free_port, query_id

FEWEST_DESCRIPTORS = 3  # Standard input, output and error are open; no other can be opened.


class Net:
    """
    Make the peers of three matchers, and run dialogues among them.
    """

    def __init__(self) -> None:
        self.keys = {name: PartyKeys.generate() for name in MATCHERS}
        self.addresses = {name: PeerAddress("127.0.0.1", free_port()) for name in MATCHERS}
        self.certificates = {name: certificate_of(keys, name) for name, keys in self.keys.items()}
        self.peers: dict[str, Peers] = {}
        self.logs: dict[str, io.StringIO] = {}
        self.pool = ThreadPoolExecutor(24)

    def start(
        self,
        name: str,
        *,
        timeout_s: float = 5.0,
        keys: PartyKeys | None = None,
        addresses: dict[str, PeerAddress] | None = None,
    ) -> Peers:
        """
        Start one.
        """
        own = keys or self.keys[name]
        certificate = self.certificates[name] if keys is None else certificate_of(own, name)
        others = {other: self.certificates[other] for other in MATCHERS if other != name}
        tls = Tls(own, certificate=certificate, peers=others)
        self.logs[name] = io.StringIO()
        log = Log(name, self.logs[name])
        known = {**self.addresses, **(addresses or {})}
        self.peers[name] = Peers(name, addresses=known, tls=tls, log=log, timeout_s=timeout_s)
        self.peers[name].start()
        return self.peers[name]

    def stop(self, name: str) -> None:
        """
        Stop one.
        """
        self.peers.pop(name).close()

    def refusals(self, name: str) -> list[str]:
        """
        Return the codes with which one that was stopped refused who dialled or answered.
        """
        assert name not in self.peers
        events = [json.loads(line) for line in self.logs[name].getvalue().splitlines()]
        return [event["code"] for event in events if event["event"] == "peer_refused"]

    def close(self) -> None:
        """
        Stop all.
        """
        for name in list(self.peers):
            self.stop(name)
        self.pool.shutdown()

    def run(self, query: bytes, *, rounds: int = 3, length: int = 10) -> dict[str, Future[int]]:
        """
        Have all that run greet each other.
        """
        return {
            name: self.pool.submit(peers.carry_out, _greet(name, rounds=rounds, length=length), query_id=query)
            for name, peers in self.peers.items()
        }


def _greet(me: str, *, rounds: int, length: int) -> Dialogue[int]:
    others = [name for name in MATCHERS if name != me]
    heard = 0
    for number in range(rounds):
        for name in others:
            yield Send(name, bytes([number]) * length if number else b"hello")
        for name in others:
            payload = yield Receive(name)
            assert payload == (bytes([number]) * length if number else b"hello")
            heard += 1
    return heard


def _say(to: str) -> Dialogue[None]:
    yield Send(to, b"hello")


def _hear(sender: str) -> Dialogue[bytes]:
    payload = yield Receive(sender)
    return bytes(payload)


def _refuse() -> Dialogue[int]:
    for name in "ab":
        yield Receive(name)
    raise BindingMismatch("not what was asked")


@pytest.fixture
def net() -> Iterator[Net]:
    """
    Three that run.
    """
    running = Net()
    for name in MATCHERS:
        running.start(name)
    yield running
    running.close()


def test_all_three_hear_each_other(net: Net) -> None:
    assert {name: heard.result() for name, heard in net.run(query_id()).items()} == {"a": 6, "b": 6, "c": 6}


@pytest.mark.parametrize(("rounds", "length"), [(8, 1_000_000), (2, 30_000_000)])
def test_long_messages_do_not_block_each_other(net: Net, rounds: int, length: int) -> None:
    runs = net.run(query_id(), rounds=rounds, length=length)

    assert {2 * rounds} == {heard.result() for heard in runs.values()}


def test_many_queries_go_on_at_once(net: Net) -> None:
    runs = [net.run(query_id(), rounds=20) for _ in range(8)]

    assert {40} == {heard.result() for run in runs for heard in run.values()}


def test_all_are_alive_while_all_run(net: Net) -> None:
    assert net.peers["a"].are_alive()

    net.stop("c")

    assert not net.peers["a"].are_alive()
    net.start("c")
    assert net.peers["a"].are_alive()


def test_peer_that_is_not_there_is_said_at_once(net: Net) -> None:
    net.stop("c")
    begin_s = monotonic()

    failures = {name: heard.exception() for name, heard in net.run(query_id()).items()}

    assert all(isinstance(failure, PeerUnavailable) for failure in failures.values())
    assert monotonic() - begin_s < 2.0


def test_peer_that_dies_in_the_middle_fails_the_query_at_once(net: Net) -> None:
    def wait(me: str) -> Dialogue[int]:
        yield from _greet(me, rounds=1, length=1)
        yield Receive("c")
        return 0

    query, begin_s = query_id(), monotonic()
    waiting = {name: net.pool.submit(net.peers[name].carry_out, wait(name), query_id=query) for name in "ab"}
    net.pool.submit(net.peers["c"].carry_out, _greet("c", rounds=1, length=1), query_id=query).result()

    net.stop("c")

    assert all(isinstance(heard.exception(), PeerUnavailable) for heard in waiting.values())
    assert monotonic() - begin_s < 3.0


def test_peer_that_is_back_is_found_without_a_restart(net: Net) -> None:
    for name in ("c", "a", "b"):
        assert {6} == {heard.result() for heard in net.run(query_id()).values()}
        net.stop(name)
        assert {PeerUnavailable} == {type(heard.exception()) for heard in net.run(query_id()).values()}
        net.start(name)

    assert {6} == {heard.result() for heard in net.run(query_id()).values()}


def test_matcher_that_was_stopped_dials_nobody(net: Net) -> None:
    stopped = net.peers["a"]
    net.stop("a")

    with pytest.raises(PeerUnavailable, match="stopping"):
        stopped.carry_out(_greet("a", rounds=1, length=1), query_id=query_id())

    assert not stopped.are_alive()
    assert net.peers["b"]._current.keys() <= {"c"}


def test_peer_that_was_not_asked_is_waited_for_no_longer_than_the_limit(net: Net) -> None:
    net.stop("a")
    impatient = net.start("a", timeout_s=0.2)
    begin_s = monotonic()

    with pytest.raises(PeerUnavailable, match="in time"):
        impatient.carry_out(_greet("a", rounds=1, length=1), query_id=query_id())

    assert 0.15 < monotonic() - begin_s < 2.0


def test_peer_that_listens_and_says_nothing_is_waited_for_no_longer_than_the_limit(net: Net) -> None:
    net.stop("c")
    begin_s = monotonic()
    with socket.create_server((net.addresses["c"].host, net.addresses["c"].port)), pytest.raises(PeerUnavailable):
        net.peers["a"].carry_out(_greet("a", rounds=1, length=1), query_id=query_id())

    assert monotonic() - begin_s < 4.0


def test_query_that_fails_here_is_given_up_at_the_peers(net: Net) -> None:
    query, begin_s = query_id(), monotonic()
    waiting = [
        net.pool.submit(net.peers[name].carry_out, _greet(name, rounds=2, length=1), query_id=query) for name in "ab"
    ]

    with pytest.raises(BindingMismatch):
        net.peers["c"].carry_out(_refuse(), query_id=query)

    assert all(isinstance(heard.exception(), PeerUnavailable) for heard in waiting)
    assert monotonic() - begin_s < 2.0


def test_who_holds_other_keys_is_not_heard(net: Net) -> None:
    net.stop("c")
    net.start("c", keys=PartyKeys.generate())

    assert not net.peers["a"].are_alive()
    assert not net.peers["c"].are_alive()
    failures = [heard.exception() for heard in net.run(query_id()).values()]
    assert all(isinstance(failure, PeerUnavailable) for failure in failures)
    for name in MATCHERS:
        net.stop(name)
        assert set(net.refusals(name)) == {AccessDenied.code}


def test_new_certificate_is_taken_once_all_know_it(net: Net) -> None:
    renewed = certificate_of(net.keys["c"], "c")
    before, net.certificates["c"] = net.certificates["c"], renewed
    net.stop("c")
    net.start("c")
    assert renewed != before
    assert not net.peers["a"].are_alive()
    assert not net.peers["c"].are_alive()

    for name in "ab":
        net.stop(name)
        net.start(name)

    assert {6} == {heard.result() for heard in net.run(query_id()).values()}


def test_one_matcher_cannot_take_the_place_of_another(net: Net) -> None:
    net.stop("b")
    net.stop("c")
    impostor = net.start("c", addresses={"c": net.addresses["b"]})  # The true c listens where b should.

    assert not net.peers["a"]._links["b"].is_alive(deadline_s=monotonic() + 5.0)
    query = query_id()
    waiting = net.pool.submit(net.peers["a"].carry_out, _hear("c"), query_id=query)
    impostor.carry_out(_say("a"), query_id=query)
    assert waiting.result() == b"hello"  # It is heard as who it is.
    net.stop("a")
    assert net.refusals("a") == [AccessDenied.code]


def test_stranger_is_told_nothing_and_what_it_says_is_not_heard(net: Net) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = net.addresses["b"]
    with socket.create_connection((address.host, address.port), 5.0) as plain, context.wrap_socket(plain) as stranger:
        with contextlib.suppress(OSError):  # It is refused before this arrives, or when it does.
            write_frame(stranger, Frame(query_id(), 0, Kind.MESSAGE, b"hello"), deadline_s=monotonic() + 5.0)
        with pytest.raises(OSError, match=r"certificate required|reset"):
            stranger.recv(100)

    assert not net.peers["b"]._mailboxes._early
    net.stop("b")
    assert net.refusals("b") == [AccessDenied.code]


def test_network_between_sees_no_message(net: Net) -> None:
    net.stop("a")
    with contextlib.closing(Relay(net.addresses["b"])) as relay:
        net.start("a", addresses={"b": relay.address})

        assert {4} == {heard.result() for heard in net.run(query_id(), rounds=2, length=100_000).values()}

        assert len(relay.recorded) > 100_000
        assert bytes([1]) * 32 not in relay.recorded
        net.stop("a")


def test_message_that_was_changed_on_the_way_fails_its_query_and_is_said(net: Net) -> None:
    net.stop("a")
    with contextlib.closing(Relay(net.addresses["b"])) as relay:
        net.start("a", addresses={"b": relay.address})
        assert {6} == {heard.result() for heard in net.run(query_id()).values()}

        relay.tamper()
        failures = [heard.exception() for heard in net.run(query_id()).values()]

        assert {PeerUnavailable} == {type(failure) for failure in failures}
        assert {6} == {heard.result() for heard in net.run(query_id()).values()}
        net.stop("a")
    net.stop("b")
    assert net.refusals("b") == [Untrusted.code]


def test_peer_comes_in_where_strangers_hold_all_places(net: Net) -> None:
    address = (net.addresses["b"].host, net.addresses["b"].port)
    strangers = [socket.create_connection(address) for _ in range(3 * CONNECTIONS_MAX)]
    try:
        begin_s = monotonic()

        assert net.peers["a"].are_alive()
        assert monotonic() - begin_s < HANDSHAKE_TIMEOUT_S / 2
        assert {6} == {heard.result() for heard in net.run(query_id()).values()}
    finally:
        for stranger in strangers:
            stranger.close()


def test_strangers_cannot_fill_the_door_for_long(net: Net) -> None:
    strangers = [
        socket.create_connection((net.addresses["b"].host, net.addresses["b"].port)) for _ in range(CONNECTIONS_MAX)
    ]
    for stranger in strangers:
        stranger.settimeout(5.0)
        with stranger:
            while stranger.recv(100):
                pass  # Whoever says nothing is hung up on.

    assert net.peers["a"].are_alive()


def test_peer_is_heard_again_after_no_descriptor_was_left(net: Net) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    address = net.addresses["b"]
    with socket.socket() as stranger:
        stranger.settimeout(5.0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (FEWEST_DESCRIPTORS, limits[1]))
        try:
            stranger.connect((address.host, address.port))
            while stranger.recv(100):
                pass  # Until it is hung up on: by then the next call of accept has failed.
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert net.peers["a"].are_alive()


def test_port_that_is_taken_is_said(net: Net) -> None:
    with pytest.raises(PortTaken, match="port"):
        net.start("a")
