"""
Speak TLS 1.3 with the two other matchers, and with nobody else.

1. Each end shows a certificate and proves that it holds the key, in `HANDSHAKE_TIMEOUT_S`. No message is read before.
2. Only the certificates in the settings are accepted, compared byte for byte: no authority and no host name counts.
3. Who accepts says one byte once it knows who dialled. For who dials the handshake is over before its own certificate
   was looked at; without that byte a refusal would look like a connection.
4. No session is resumed: no tickets are given. Every connection has fresh keys, which end with it, so that who records
   it and later steals the keys of both matchers cannot read it.

`ssl` reads a private key from a file only. It is given a pipe: no second copy of the key lies on a disk.

The caller must end a connection with `cut` where another thread may be reading from it, and must take the end of a
stream for a failure: nobody says goodbye, so an end does not say that all was sent.

LIMITATIONS
A connection keeps its keys as long as it lasts, for `ssl` cannot renew them. AES-GCM is meant for 2²⁴·⁵ full records
under one key (RFC 8446 §5.5), some 390 GB; beyond, its margin shrinks with the square of what was sent.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from handsel.errors import AccessDenied, ConfigError
from handsel.keys import PartyKeys

HANDSHAKE_TIMEOUT_S = 1.0
_WELCOME = b"\x01"


class Tls:
    """
    Hold what it takes to be known by two peers, and to know them.
    """

    def __init__(self, keys: PartyKeys, *, certificate: bytes, peers: Mapping[str, bytes]) -> None:
        """
        Read the certificates: this matcher's own, and those of its peers by name. Raises `ConfigError`.
        """
        self._names = {theirs: name for name, theirs in peers.items()}
        if len({certificate, *self._names}) != 1 + len(peers):
            raise ConfigError("two matchers have the same certificate: each must have its own")
        self._peers = dict(peers)
        self._accepting = _context(ssl.PROTOCOL_TLS_SERVER, keys, certificate, list(peers.values()))
        # Who dials knows whom, and shows its own certificate to nobody else.
        self._dialling = {
            name: _context(ssl.PROTOCOL_TLS_CLIENT, keys, certificate, [theirs]) for name, theirs in peers.items()
        }

    def wrap(self, connection: socket.socket) -> ssl.SSLSocket:
        """
        Return a connection that was accepted, made ready for `accept`. Nothing is said yet. Raises `OSError`.
        """
        return self._accepting.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)

    def accept(self, connection: ssl.SSLSocket) -> str:
        """
        Return the name of who dialled, once it is proved. Raises `AccessDenied`.
        """
        try:
            connection.settimeout(HANDSHAKE_TIMEOUT_S)
            connection.do_handshake()
            name = self._names.get(connection.getpeercert(binary_form=True) or b"")
            if name is None:
                raise AccessDenied("who dialled has not the certificate of a peer")
            connection.sendall(_WELCOME)
            connection.settimeout(None)
        except OSError as exc:
            raise AccessDenied("who dialled did not prove to be a peer") from exc
        return name

    def dial(self, connection: socket.socket, peer: str, *, deadline_s: float) -> ssl.SSLSocket:
        """
        Return a connection that was dialled, once who answered has proved to be `peer` and has let us in.

        Raises `AccessDenied`; `connection` must then be closed.
        """
        try:
            wrapped = self._dialling[peer].wrap_socket(connection, do_handshake_on_connect=False)
        except OSError as exc:
            raise AccessDenied("who answered has hung up") from exc
        try:
            self._require(wrapped, peer, deadline_s=deadline_s)
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def _require(self, connection: ssl.SSLSocket, peer: str, *, deadline_s: float) -> None:
        try:
            connection.settimeout(max(0.0, deadline_s - monotonic()))
            connection.do_handshake()
            if connection.getpeercert(binary_form=True) != self._peers[peer]:
                raise AccessDenied("who answered has not the certificate of the peer")
            connection.settimeout(max(0.0, deadline_s - monotonic()))
            if connection.recv(1) != _WELCOME:
                raise AccessDenied("the peer does not take this matcher for one of the three")
        except OSError as exc:
            raise AccessDenied("who answered did not prove to be the peer, or does not know us") from exc


def cut(connection: ssl.SSLSocket) -> None:
    """
    End a connection on which another thread may be reading, so that it reads the end. Raises `OSError`.

    `SSLSocket.shutdown` would also forget that there is TLS, and the other thread would go on to read unchecked bytes.
    """
    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def has_hung_up(connection: ssl.SSLSocket) -> bool:
    """
    Return whether the other end of a connection, on which it has nothing to say, has closed it.

    TLS is asked, not the socket: an alert is an end, and a record of TLS's own is none.
    """
    try:
        connection.setblocking(False)
        connection.recv(1)
    except ssl.SSLWantReadError:
        return False
    except OSError:
        return True
    return True


def _context(protocol: int, keys: PartyKeys, certificate: bytes, accepted: list[bytes]) -> ssl.SSLContext:
    # Not `create_default_context`: it would trust authorities, and write keys to where an environment variable says.
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # Each certificate stands for itself, whatever its name.
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_TICKET
    if protocol == ssl.PROTOCOL_TLS_SERVER:
        context.num_tickets = 0
    private_key = keys.sign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        context.load_verify_locations(cadata=b"".join(accepted))
        with _pipe(ssl.DER_cert_to_PEM_cert(certificate).encode()) as chain, _pipe(private_key) as key:
            context.load_cert_chain(chain, key)
    except OSError as exc:
        raise ConfigError("a certificate cannot be used: copy those of all matchers again") from exc
    return context


@contextmanager
def _pipe(content: bytes) -> Iterator[str]:
    """
    Give out the path of a pipe from which `content` can be read once. It must fit what any system's pipe holds: 4 KiB.
    """
    readable, writable = os.pipe()
    try:
        with os.fdopen(writable, "wb") as file:
            file.write(content)
        yield f"/dev/fd/{readable}"
    finally:
        os.close(readable)
