"""
Hold what a dialogue between matchers is: a generator that sends and receives, and knows no socket.

The three stand in a ring, a → b → c → a.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from handsel.errors import EnvelopeInvalid, PeerCheated
from handsel.matching.kernels import Bits
from handsel.matching.message import MATCHERS, Octets
from handsel.matching.ring import Words

T = TypeVar("T")
COIN_BYTES = 32
_CODE_WORDS = 1 << 24  # Of one code; it takes 2^31 bytes at most.


@dataclass(frozen=True)
class Send:
    """
    Ask whoever drives the dialogue to send `payload` to the matcher `to`.

    It is sent, or copied, before the dialogue goes on: the array behind it may change then.
    """

    to: str
    payload: Octets


@dataclass(frozen=True)
class Receive:
    """
    Ask whoever drives the dialogue for the next message of the matcher `sender`.
    """

    sender: str


Dialogue = Generator[Send | Receive, Octets, T]


@dataclass(frozen=True)
class Seat:
    """
    Say where in the ring a matcher stands.
    """

    me: str

    @property
    def index(self) -> int:
        """
        Return 0, 1 or 2.
        """
        return MATCHERS.index(self.me)

    @property
    def after(self) -> str:
        """
        Return the name of the next matcher.
        """
        return MATCHERS[(self.index + 1) % 3]

    @property
    def before(self) -> str:
        """
        Return the name of the matcher before.
        """
        return MATCHERS[(self.index + 2) % 3]

    @property
    def others(self) -> tuple[str, str]:
        """
        Return the names of both others.
        """
        return self.after, self.before


def exchange(seat: Seat, mine: Octets) -> Dialogue[dict[str, Octets]]:
    """
    Send the same to both others, and return what all three sent, by matcher.
    """
    for name in seat.others:
        yield Send(name, mine)
    said: dict[str, Octets] = {seat.me: mine}
    for name in seat.others:
        said[name] = yield Receive(name)
    return said


def exchange_encoded(
    seat: Seat, mine: T, kind: type[T], *, among: Sequence[str] | None = None
) -> Dialogue[dict[str, T]]:
    """
    Send the same to both others in MessagePack, and return what all sent, by matcher; or `among` some of the others.

    Raises `EnvelopeInvalid`.
    """
    payload, said = msgspec.msgpack.encode(mine), {seat.me: mine}
    others = seat.others if among is None else among
    for name in others:
        yield Send(name, payload)
    for name in others:
        said[name] = decoded((yield Receive(name)), kind)
    return said


def decoded(payload: Octets, kind: type[T]) -> T:
    """
    Return what a peer sent in MessagePack. Raises `EnvelopeInvalid`.
    """
    try:
        return msgspec.msgpack.decode(payload, type=kind)
    except msgspec.MsgspecError as exc:
        raise EnvelopeInvalid("a matcher's peer sent a message that does not parse") from exc


def toss(seat: Seat, *, random_bytes: Callable[[int], bytes]) -> Dialogue[bytes]:
    """
    Return 32 bytes that no two of the three could choose: each commits itself to its own, and shows them then, with the
    digest of all commitments, so that nobody can have told two of them different ones.

    Raises `PeerCheated` where one shows something else, or two saw different commitments.
    """
    mine = random_bytes(COIN_BYTES)
    commitments = yield from exchange(seat, _commitment(seat.me, mine))
    seen = hashlib.sha256(b"".join(commitments[name] for name in MATCHERS)).digest()
    shown = yield from exchange(seat, mine + seen)
    if any(not hmac.compare_digest(said[COIN_BYTES:], seen) for said in shown.values()):
        raise PeerCheated("the matchers did not see the same commitments to a coin")
    coins = {name: said[:COIN_BYTES] for name, said in shown.items()}
    if any(not hmac.compare_digest(_commitment(name, coin), commitments[name]) for name, coin in coins.items()):
        raise PeerCheated("a matcher's peer showed another coin than the one it had committed itself to")
    return hashlib.sha256(b"handsel/v1/coin\0" + b"".join(coins[name] for name in MATCHERS)).digest()


class Agreement:
    """
    Compare at the end what two matchers each hold: what this one `told`, or could have told, the next one, and what it
    `held` that the one before could have told.

    Until then nothing depends on it that could not be thrown away. What was opened comes first: what must be zero was
    computed with it, and a code of that tells too much where somebody was told something false. Codes are under a key
    that nobody knew while anything could still be changed: GMAC is enough then, and as fast as the data can be read.
    """

    def __init__(self) -> None:
        self._opened: list[tuple[Bits, Bits]] = []
        self._zero: list[tuple[Bits, Bits]] = []

    def note_opened(self, *, told: Bits, held: Bits) -> None:
        """
        Note shares that were opened.
        """
        self._opened.append((told, held))

    def note_zero(self, *, told: Bits, held: Bits) -> None:
        """
        Note shares of what must be zero.
        """
        self._zero.append((told, held))

    def settle(self, seat: Seat, *, random_bytes: Callable[[int], bytes]) -> Dialogue[None]:
        """
        Compare all. Raises `PeerCheated` where anything differs.
        """
        for pairs in (self._opened, self._zero):
            key = yield from toss(seat, random_bytes=random_bytes)
            yield Send(seat.after, _code(key, [told for told, _ in pairs]))
            if not hmac.compare_digest((yield Receive(seat.before)), _code(key, [held for _, held in pairs])):
                raise PeerCheated("the matchers do not agree on what they computed: one does not follow the protocol")


def _code(key: bytes, arrays: list[Bits]) -> bytes:
    code = hashlib.sha256()
    cipher = AESGCM(key)
    for number, array in enumerate(arrays):
        for start in range(0, max(1, array.size), _CODE_WORDS):
            part = octets_of(array[start : start + _CODE_WORDS])
            code.update(cipher.encrypt(struct.pack(">IQ", number, start), b"", part))
    return code.digest()


def octets_of(array: Words | Bits) -> memoryview:
    """
    Return what is in an array, to be sent without being copied.
    """
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def words_of(payload: Octets, size: int) -> Words:
    """
    Return a payload as `size` words of 16 bits. Raises `EnvelopeInvalid` where it has another length.
    """
    return _writable(payload, 2 * size).view(np.uint16)


def bits_of(payload: Octets, size: int) -> Bits:
    """
    Return a payload as `size` words of 64 bits. Raises `EnvelopeInvalid` where it has another length.
    """
    return _writable(payload, 8 * size).view(np.uint64)


def _writable(payload: Octets, length: int) -> NDArray[np.uint8]:
    if len(payload) != length:
        raise EnvelopeInvalid("a matcher's peer sent a message whose length is not the protocol's")
    octets = np.frombuffer(payload, np.uint8)
    # The loops are compiled for arrays that can be written; what comes from a socket can, and is not copied.
    return octets if octets.flags.writeable else octets.copy()


def _commitment(name: str, coin: Octets) -> bytes:
    return hashlib.sha256(b"handsel/v1/coin-commitment/" + name.encode() + b"\0" + coin).digest()
