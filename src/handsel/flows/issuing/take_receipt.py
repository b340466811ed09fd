"""
Take a sealed receipt for the wallet whose key it is sealed to, and name the payment where its payer asked for that.

The issuer cannot open the receipt. What it reads is a line that says nothing, unless the payer wants the shop named.
"""

from __future__ import annotations

import hashlib

from handsel.envelope import open_envelope
from handsel.errors import BodyInvalid, EnvelopeInvalid, IdReused, NotFound
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.reply_to_till import naming_secret
from handsel.ids import require_id
from handsel.naming import naming_tag
from handsel.order import DESCRIPTION_BYTES, STATEMENT_LINE, StatementLine
from handsel.receipt import require_sealed_receipt
from handsel.store import issuer_naming as naming
from handsel.store import issuer_note as charges
from handsel.store import issuer_receipt as receipts
from handsel.store.database import UnitOfWork
from handsel.store.issuer_receipt import ReceiptKeyRow


def take_receipt(issuer: Issuer, receipt_id: str, *, sealed: bytes, line: bytes) -> None:
    """
    Keep a sealed receipt under the id of its key, once, however often the same comes.

    1. It is as long as a sealed receipt, and the line opens. Raises `BodyInvalid` and `EnvelopeInvalid`.
    2. There is such a key, and it was given to a charge, which is paid. Raises `NotFound`.
    3. Nothing came for it before, or just this; otherwise raises `IdReused`.
    4. The line is for the same charge. Where its tag is that of a shop that the payer wants named, it is kept.
    5. The receipt is kept; one that nobody can open is not, and nothing in the answer says so.
    """
    require_sealed_receipt(sealed)  # 1
    said = open_envelope(line, StatementLine, keys=issuer.keys, purpose=STATEMENT_LINE)
    description = _description(said)
    digest = hashlib.sha256(sealed).digest()
    with issuer.database.unit_of_work() as uow:
        key = receipts.find_receipt_key(uow, require_id(receipt_id))
        charge = charges.find_charge(uow, key.charge_id) if key is not None and key.charge_id is not None else None
        if key is None or charge is None or charge.state != "approved":  # 2
            raise NotFound("no charge that is paid was given such a receipt key")
        if key.digest is not None:  # 3
            if key.digest != digest:
                raise IdReused("that receipt key has taken another receipt")
            return
        if said.order_id != charge.id:  # 4
            raise EnvelopeInvalid("the line is for another charge than the receipt")
        _name(issuer, uow, key, said, description)
        receipts.put_receipt(uow, key.id, None if key.number is None else sealed, digest=digest)  # 5
        uow.commit()


def _description(said: StatementLine) -> str:
    if len(said.description) != DESCRIPTION_BYTES:
        raise BodyInvalid(f"a statement line is filled up to {DESCRIPTION_BYTES} bytes")
    try:
        text = said.description.rstrip(b"\0").decode()
    except UnicodeDecodeError as exc:
        raise BodyInvalid("a statement line is UTF-8") from exc
    if text and not text.isprintable():
        raise BodyInvalid("a statement line is printable")
    return text


def _name(issuer: Issuer, uow: UnitOfWork, key: ReceiptKeyRow, said: StatementLine, description: str) -> None:
    secret = naming_secret(issuer, said.order_id)
    for shop in naming.named_shops_of(uow, key.wallet_id):
        if naming_tag(secret, other=shop.naming_key, order_id=said.order_id) == said.naming_tag:
            naming.add_named_payment(
                uow, key.wallet_id, said.order_id, naming_key=shop.naming_key, description=description
            )
