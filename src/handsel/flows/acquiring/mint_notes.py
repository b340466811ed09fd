"""
Mint notes at the acquirer, as a till does: for a refund, and for what is captured later.

What is kept until the issuer has signed is as secret as the notes: it is in the books, and leaves them for nobody.
"""

from __future__ import annotations

import msgspec

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.genuine_note import held_note
from handsel.notes.mint import NoteSecret, finalize_all, prepare
from handsel.order import NoteRequest
from handsel.pay.held_note import HeldNote
from handsel.pay.money import Money


class _Papers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    secrets: tuple[NoteSecret, ...]
    requests: tuple[NoteRequest, ...]


def prepare_papers(acquirer: Acquirer, amount: Money, *, now_ms: int) -> bytes:
    """
    Return what is kept, before anything is sent, of notes worth `amount`: their secrets, and what is asked for.
    """
    secrets, requests = prepare(
        amount.amount_minor,
        currency=amount.currency,
        keys=acquirer.keys.at(now_ms),
        random_bytes=acquirer.random_bytes,
        now_ms=now_ms,
    )
    return msgspec.msgpack.encode(_Papers(secrets, requests))


def requests_in(papers: bytes) -> tuple[NoteRequest, ...]:
    """
    Return what the issuer is asked to sign.
    """
    return msgspec.msgpack.decode(papers, type=_Papers).requests


def finish_notes(
    acquirer: Acquirer, papers: bytes, signatures: tuple[bytes, ...], *, source_id: str, now_ms: int
) -> tuple[HeldNote, ...]:
    """
    Return the notes that the issuer's signatures make, all genuine. Raises `SignatureInvalid`.
    """
    keys = acquirer.keys.at(now_ms)
    notes = finalize_all(msgspec.msgpack.decode(papers, type=_Papers).secrets, signatures, keys=keys)
    return tuple(held_note(note, keys=keys, source_id=source_id, now_ms=now_ms) for note in notes)
