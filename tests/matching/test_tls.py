"""
Promises of TLS: two peers know each other, nobody else is let in or told anything, and nobody waits for ever.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from time import monotonic

import pytest

from handsel.certificate import VALID_DAYS, make_certificate
from handsel.clock import system_clock
from handsel.errors import AccessDenied, ConfigError
from handsel.keys import PartyKeys
from handsel.matching import tls
from handsel.matching.tls import Tls, cut, has_hung_up
from tests.matching.three import certificate_of

DAY_MS = 24 * 3600 * 1000
WAIT_S = 5.0
KEYS = {name: PartyKeys.generate() for name in "abc"}
CERTIFICATES = {name: certificate_of(keys, name) for name, keys in KEYS.items()}
OTHER_KEYS = PartyKeys.generate()

Ends = tuple[socket.socket, socket.socket]


def tls_of(name: str, *, keys: PartyKeys | None = None, certificate: bytes | None = None, **peers: bytes) -> Tls:
    """
    Return what a matcher speaks with: its own keys and the certificates of the other two, unless others are named.
    """
    others = {other: CERTIFICATES[other] for other in "abc" if other != name}
    return Tls(keys or KEYS[name], certificate=certificate or CERTIFICATES[name], peers={**others, **peers})


def ended(keys: PartyKeys) -> bytes:
    """
    Return a certificate whose last day was yesterday.
    """
    return make_certificate(keys, name="matcher a", now_ms=system_clock() - (VALID_DAYS + 1) * DAY_MS)


WRONG: dict[str, Callable[[], Tls]] = {
    "another key": lambda: tls_of("a", keys=OTHER_KEYS, certificate=certificate_of(OTHER_KEYS, "a")),
    "the right key, another certificate": lambda: tls_of("a", certificate=certificate_of(KEYS["a"], "a")),
}


@pytest.fixture
def ends() -> Iterator[Ends]:
    """
    Both ends of a stream: one dials, the other accepts.
    """
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(WAIT_S)
        yield one, other


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """
    A thread for who accepts.
    """
    with ThreadPoolExecutor(1) as running:
        yield running


def accept(end: socket.socket, at: Tls) -> str:
    """
    Accept, say who it was, and hang up.
    """
    with at.wrap(end) as connection:
        return at.accept(connection)


def dial(end: socket.socket, by: Tls, peer: str = "b") -> ssl.SSLSocket:
    """
    Dial a peer, waiting for it as long as a test does.
    """
    return by.dial(end, peer, deadline_s=monotonic() + WAIT_S)


def connected(ends: Ends, pool: ThreadPoolExecutor) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """
    Return both ends of a connection on which a has dialled b.
    """
    at = tls_of("b")
    accepted = at.wrap(ends[1])
    name = pool.submit(at.accept, accepted)
    dialled = dial(ends[0], tls_of("a"))
    assert name.result() == "a"
    return dialled, accepted


def stranger(version: ssl.TLSVersion) -> ssl.SSLContext:
    """
    Return what a program of somebody else might dial with: it trusts anybody, and shows no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    return context


def heard(end: ssl.SSLSocket) -> bytes:
    """
    Return what a message would be read from, or nothing where an alert or the end comes first.
    """
    with contextlib.suppress(OSError):
        return end.recv(100)
    return b""


@pytest.mark.parametrize("name", ["a", "c"])
def test_who_dials_is_known_by_its_certificate(ends: Ends, pool: ThreadPoolExecutor, name: str) -> None:
    accepted = pool.submit(accept, ends[1], tls_of("b"))

    with dial(ends[0], tls_of(name)) as connection:
        assert connection.version() == "TLSv1.3"

    assert accepted.result() == name


@pytest.mark.parametrize("wrong", WRONG)
def test_who_dials_with_a_wrong_certificate_is_refused_and_knows_it(
    ends: Ends, pool: ThreadPoolExecutor, wrong: str
) -> None:
    accepted = pool.submit(accept, ends[1], tls_of("b"))

    with pytest.raises(AccessDenied):
        dial(ends[0], WRONG[wrong]())
    with pytest.raises(AccessDenied):
        accepted.result()


@pytest.mark.parametrize("wrong", WRONG)
def test_who_answers_with_a_wrong_certificate_is_refused(ends: Ends, pool: ThreadPoolExecutor, wrong: str) -> None:
    accepted = pool.submit(accept, ends[1], WRONG[wrong]())

    with pytest.raises(AccessDenied):
        dial(ends[0], tls_of("b"), "a")
    with pytest.raises(AccessDenied):
        accepted.result()


def test_peer_that_answers_for_the_other_peer_is_refused(ends: Ends, pool: ThreadPoolExecutor) -> None:
    accepted = pool.submit(accept, ends[1], tls_of("a"))

    with pytest.raises(AccessDenied):
        dial(ends[0], tls_of("c"), "b")
    with pytest.raises(AccessDenied):
        accepted.result()


def test_certificate_without_its_key_is_of_no_use() -> None:
    with pytest.raises(ConfigError):
        tls_of("a", keys=OTHER_KEYS)


def test_certificate_that_has_ended_is_refused_at_both_ends(ends: Ends, pool: ThreadPoolExecutor) -> None:
    old = ended(KEYS["a"])
    accepted = pool.submit(accept, ends[1], tls_of("b", a=old))

    with pytest.raises(AccessDenied):
        dial(ends[0], tls_of("a", certificate=old))
    with pytest.raises(AccessDenied):
        accepted.result()

    with contextlib.ExitStack() as stack:
        again = [stack.enter_context(end) for end in socket.socketpair()]
        accepted = pool.submit(accept, again[1], tls_of("a", certificate=old))
        with pytest.raises(AccessDenied):
            dial(again[0], tls_of("b", a=old), "a")
        with pytest.raises(AccessDenied):
            accepted.result()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_shows_no_certificate_or_speaks_an_older_tls_is_told_nothing(
    ends: Ends, pool: ThreadPoolExecutor, version: ssl.TLSVersion
) -> None:
    accepted = pool.submit(accept, ends[1], tls_of("b"))
    with stranger(version).wrap_socket(ends[0], do_handshake_on_connect=False) as end:
        with contextlib.suppress(ssl.SSLError):  # The refusal may come before its handshake is over, or after.
            end.do_handshake()

        assert heard(end) == b""
    with pytest.raises(AccessDenied):
        accepted.result()


def test_older_tls_is_refused_with_the_right_certificate_too(ends: Ends, pool: ThreadPoolExecutor) -> None:
    accepted = pool.submit(accept, ends[1], tls_of("b"))
    context = tls_of("a")._dialling["b"]
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2

    with pytest.raises(ssl.SSLError), context.wrap_socket(ends[0]):
        pass
    with pytest.raises(AccessDenied):
        accepted.result()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", bytes(300), b""])
def test_who_speaks_no_tls_is_refused(ends: Ends, pool: ThreadPoolExecutor, said: bytes) -> None:
    accepted = pool.submit(accept, ends[1], tls_of("b"))

    ends[0].sendall(said)
    ends[0].shutdown(socket.SHUT_WR)

    with pytest.raises(AccessDenied):
        accepted.result()


def test_who_answers_without_tls_is_refused(ends: Ends) -> None:
    ends[1].sendall(bytes(300))

    with pytest.raises(AccessDenied):
        dial(ends[0], tls_of("a"))


def test_who_says_nothing_is_waited_for_no_longer_than_the_limit(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_TIMEOUT_S", 0.05)

    with pytest.raises(AccessDenied):
        accept(ends[1], tls_of("b"))
    with pytest.raises(AccessDenied):
        tls_of("a").dial(ends[0], "b", deadline_s=monotonic() + 0.05)


def test_who_says_it_byte_by_byte_is_waited_for_no_longer(
    ends: Ends, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_TIMEOUT_S", 0.2)
    greeting = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(194)  # The head of a ClientHello.
    accepted: Future[str] = pool.submit(accept, ends[1], tls_of("b"))

    said = 0
    while not accepted.done() and said < len(greeting):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # It was hung up on just now.
            ends[0].send(greeting[said : said + 1])
        said += 1
        wait([accepted], timeout=0.05)

    assert isinstance(accepted.exception(), AccessDenied)
    assert said < len(greeting)


def test_peer_that_hangs_up_is_noticed_and_one_that_is_silent_is_alive(ends: Ends, pool: ThreadPoolExecutor) -> None:
    dialled, accepted = connected(ends, pool)
    with dialled, accepted:
        for _ in range(3):
            assert not has_hung_up(dialled)
        dialled.settimeout(WAIT_S)
        dialled.sendall(b"x" * 1000)  # It can still be used.
        assert accepted.recv(1000) == b"x" * 1000

        accepted.close()

        assert has_hung_up(dialled)


def test_peer_that_says_goodbye_has_hung_up(ends: Ends, pool: ThreadPoolExecutor) -> None:
    dialled, accepted = connected(ends, pool)
    with dialled, accepted:
        accepted.settimeout(0.05)
        with contextlib.suppress(OSError):  # It is not answered.
            accepted.unwrap()

        assert has_hung_up(dialled)


def test_who_reads_a_connection_that_is_cut_reads_its_end(ends: Ends, pool: ThreadPoolExecutor) -> None:
    dialled, accepted = connected(ends, pool)
    with dialled, accepted:
        reading = pool.submit(accepted.recv, 100)

        cut(accepted)

        assert reading.result(WAIT_S) == b""


def test_nothing_is_read_without_tls_after_a_connection_was_cut(ends: Ends, pool: ThreadPoolExecutor) -> None:
    dialled, accepted = connected(ends, pool)
    with dialled, accepted:
        socket.socket.sendall(dialled, b"not a record of TLS")

        cut(accepted)

        with pytest.raises(ssl.SSLError):
            accepted.recv(100)


def test_no_session_is_resumed(ends: Ends, pool: ThreadPoolExecutor) -> None:
    dialled, accepted = connected(ends, pool)
    with dialled, accepted:
        dialled.settimeout(WAIT_S)
        dialled.sendall(b"x")
        accepted.recv(1)

        assert dialled.session is None or not dialled.session.has_ticket


def test_two_matchers_with_one_certificate_are_refused() -> None:
    with pytest.raises(ConfigError, match="same certificate"):
        tls_of("a", c=CERTIFICATES["b"])
    with pytest.raises(ConfigError, match="same certificate"):
        tls_of("a", b=CERTIFICATES["a"])


def test_private_key_goes_through_a_pipe_that_is_closed_again() -> None:
    before = len(list(Path("/dev/fd").iterdir()))

    with tls._pipe(b"content") as path:
        assert Path(path).is_fifo()
        assert Path(path).read_bytes() == b"content"
    tls_of("a")

    assert len(list(Path("/dev/fd").iterdir())) == before
