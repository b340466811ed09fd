"""
Redeem notes: turn what tills handed over into balance at the issuer, in shuffled batches.

A batch mixes the notes of many payments and shops, in random order, so that the issuer sees neither which belong
together nor when each was paid with. The more there are in it, the less it tells.
"""

from __future__ import annotations

from handsel.flows.acquiring.accounts import book_redeemed, book_refused
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.genuine_note import note_of
from handsel.flows.acquiring.ports import Redeemed
from handsel.ids import ID_BYTES
from handsel.pay.held_note import HeldNote, Redemption, RefusedSerial
from handsel.pay.money import Money
from handsel.store.acquirer import AcquirerBooks

HELD_READ_MAX = 10_000  # A batch is drawn from as many notes as this.


def redeem_notes(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Redeem all notes that nothing is planned with, batch by batch, and return how many notes were sent.

    Raises `PartyUnavailable` where the issuer does not answer; the same batch is sent again the next time.
    """
    sent = 0
    for _ in range(acquirer.bounds.redemptions_max):
        notes = redeem_batch(acquirer, now_ms=now_ms)
        if notes == 0:
            break
        sent += notes
    return sent


def redeem_batch(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Redeem one batch, and return how many notes were in it: none when nothing is held.

    1. Take the batch that was begun and not answered or, without one, draw a new one and write it down.
    2. Send it. It has the same id and the same order however often it is sent.
    3. Book what was redeemed. What was refused goes to the account of differences, by serial and reason, with the proof
       that it was redeemed before; a proof that is none is dropped, and so is missing where somebody looks for it.
    """
    # 1.
    with acquirer.store.unit_of_work() as books:
        redemption = books.notes.open_redemption(attempt_id=None) or _draw(acquirer, books)
        if redemption is None:
            return 0
        notes = books.notes.notes_of(redemption.id)
        books.commit()
    # 2.
    answer = acquirer.issuer.redeem(redemption.id, notes=tuple(note_of(note) for note in notes))
    answer = Redeemed(answer.serials, tuple(_proved(acquirer, each) for each in answer.refused))
    # 3.
    with acquirer.store.unit_of_work() as books:
        book_redemption(books, redemption.id, answer, now_ms=now_ms)
        books.commit()
    return len(notes)


def book_redemption(books: AcquirerBooks, redemption_id: str, answer: Redeemed, *, now_ms: int) -> None:
    """
    Book the issuer's answer to a redemption, once: redeemed notes as balance, the others as differences.

    A note of which the answer says nothing counts as refused: it is not known to be money any more.
    """
    found = books.notes.find_redemption(redemption_id)
    if found is None or found.is_done:
        return
    redeemed = frozenset(answer.serials)
    ended = books.notes.end_redemption(redemption_id, redeemed=redeemed, refused=answer.refused)
    for currency in sorted({note.worth.currency for note in ended}):
        mine = [note for note in ended if note.worth.currency == currency]
        good = _sum([note for note in mine if note.serial in redeemed], currency)
        bad = _sum([note for note in mine if note.serial not in redeemed], currency)
        book_redeemed(books, redemption_id, good, now_ms=now_ms)
        book_refused(books, redemption_id, bad, now_ms=now_ms)


def _draw(acquirer: Acquirer, books: AcquirerBooks) -> Redemption | None:
    held = books.notes.held_serials(limit=HELD_READ_MAX)
    if not held:
        return None
    shuffled = sorted(held, key=lambda _: acquirer.random_bytes(ID_BYTES))
    redemption = Redemption(acquirer.new_id())
    books.notes.add_redemption(redemption, serials=shuffled[: acquirer.bounds.redeem_notes_max])
    return redemption


def _proved(acquirer: Acquirer, refused: RefusedSerial) -> RefusedSerial:
    if refused.proof is None or acquirer.keys.is_proof(refused.proof, serial=refused.serial):
        return refused
    return RefusedSerial(refused.serial, refused.reason)


def _sum(notes: list[HeldNote], currency: str) -> Money:
    return Money(sum(note.worth.amount_minor for note in notes), currency)
