"""
Seal the receipt of a payment to the payer's wallet, and say what was paid for where the payer wants the shop named.

Of who pays, the till learns one thing at most: that this payer wants this shop named. For any other shop it cannot ask.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from handsel.envelope import open_envelope, seal
from handsel.errors import EnvelopeInvalid
from handsel.keys import PartyKeys, PublicKeys
from handsel.naming import NAMING_TAG_BYTES, naming_tag
from handsel.order import CHARGE_REPLY, DESCRIPTION_BYTES, STATEMENT_LINE, ChargeReply, StatementLine
from handsel.receipt import read_statement, receipt_id_of, seal_receipt
from handsel.till.acquirer import PapersAnswer, ReceiptBrought
from handsel.till.journal import ChargeEntry, ReceiptEntry

RandomBytes = Callable[[int], bytes]


def reply_key_of(reply_secret: bytes) -> bytes:
    """
    Return the public key to which the issuer seals its reply to a charge; the secret is 32 random bytes, used once.
    """
    return X25519PrivateKey.from_private_bytes(reply_secret).public_key().public_bytes_raw()


def seal_for_wallet(
    entry: ChargeEntry, papers: PapersAnswer, *, issuer: PublicKeys, random_bytes: RandomBytes, now_ms: int
) -> ReceiptEntry:
    """
    Return the receipt of a charge that was paid, sealed to the payer's wallet, with a line sealed to the issuer.

    1. The issuer's reply opens.
    2. The statement is about this charge, and names the notes that this till has made: nobody is given another's.
    3. The line says what was paid for if one of the tags is this shop's, and otherwise, as long, nothing.

    Raises `EnvelopeInvalid` and `BodyInvalid`.
    """
    reply = _open_reply(entry, papers.reply)  # 1
    statement = read_statement(papers.signed)  # 2
    made = {(secret.key_id, secret.serial) for secret in entry.secrets}
    is_ours = statement.charge_id == entry.charge_id and statement.amount_minor == entry.action.total_minor
    if not is_ours or {(note.key_id, note.serial) for note in statement.notes} != made:
        raise EnvelopeInvalid("the acquirer has stated another payment than this till was paid")
    tag = naming_tag(papers.naming_secret, other=reply.naming_key, charge_id=entry.charge_id)  # 3
    said = entry.action.description if tag in reply.naming_tags else ""
    line = StatementLine(
        entry.charge_id,
        tag if tag in reply.naming_tags else random_bytes(NAMING_TAG_BYTES),
        _fit(said).ljust(DESCRIPTION_BYTES, b"\0"),
    )
    brought = ReceiptBrought(
        receipt_id_of(reply.receipt_key),
        seal_receipt(papers.signed, receipt_key=reply.receipt_key),
        seal(line, to=issuer, purpose=STATEMENT_LINE),
    )
    return ReceiptEntry(entry.charge_id, brought, now_ms)


def _open_reply(entry: ChargeEntry, reply: bytes) -> ChargeReply:
    if not entry.reply_secret:
        raise EnvelopeInvalid("this till has not asked for a reply")
    keys = PartyKeys(X25519PrivateKey.from_private_bytes(entry.reply_secret), Ed25519PrivateKey.generate())
    return open_envelope(reply, ChargeReply, keys=keys, purpose=CHARGE_REPLY)


def _fit(text: str) -> bytes:
    # Cut between characters, should a description ever be longer than its place.
    return text.encode()[:DESCRIPTION_BYTES].decode(errors="ignore").encode()
