"""
Make what `sepaxml` writes the same each time, and check it against the schema that ISO has published for it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

from sepaxml.validation import ValidationError, try_valid_xml
from text_unidecode import unidecode

from handsel.bank.orders import NAME_CHARS_MAX, TEXT_CHARS_MAX, block_id
from handsel.errors import BodyInvalid, InvariantBroken, ensure

UNWRITABLE = "Account holder"  # For a name without a letter or digit that a bank takes; the number is what counts.
# Source: EPC217-08, the letters that every bank takes.
_FOREIGN = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")


def sepa_text(text: str) -> str:
    """
    Return what a payment is for in the letters that every bank takes. Raises `BodyInvalid` where it is too long.
    """
    plain = _plain(text)
    if not 0 < len(plain) <= TEXT_CHARS_MAX:
        raise BodyInvalid(f"what a payment is for has, in Latin letters, 1 to {TEXT_CHARS_MAX} characters")
    return plain


def sepa_name(name: str) -> str:
    """
    Return a name in the letters that every bank takes, `Cafe` for `Café`, cut where it is longer in these.

    It is never refused: one name that cannot be written would keep everybody else of a file from being paid.
    """
    return _plain(name)[:NAME_CHARS_MAX].strip() or UNWRITABLE


def finished(written: bytes, *, schema: str, batch_id: str, made_at_ms: int) -> bytes:
    """
    Return a file with ids and a time of its own, valid by its schema: the same for the same orders.

    `sepaxml` draws ids and takes the time of the day; a bank that is sent the same file twice must know it again.
    Raises `InvariantBroken` where it is not valid.
    """
    namespace = f"{{urn:iso:std:iso:20022:tech:xsd:{schema}}}"
    root = ElementTree.fromstring(written)  # noqa: S314 – our own.
    header = root.find(f"*/{namespace}GrpHdr")
    ensure(header is not None, "a file has a header")
    moment = datetime.fromtimestamp(made_at_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for name, text in (("MsgId", batch_id), ("CreDtTm", moment)):
        found = root.find(f"*/{namespace}GrpHdr/{namespace}{name}")
        if found is None:
            raise InvariantBroken("a file has an id and a time")
        found.text = text
    for place, found in enumerate(root.iterfind(f"*/{namespace}PmtInf/{namespace}PmtInfId")):
        found.text = block_id(batch_id, place)
    ElementTree.register_namespace("", namespace[1:-1])
    out: bytes = b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8")
    try:
        try_valid_xml(out, schema)
    except ValidationError as exc:
        raise InvariantBroken("a file for the bank is not valid by its schema; it was not written") from exc
    return out


def _plain(text: str) -> str:
    return " ".join(_FOREIGN.sub(" ", unidecode(text)).split())
