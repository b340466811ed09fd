"""
Read a bank's answer to a file: pain.002.001.03 and .10. Only what was refused counts; that something was taken says no
more than that it may still be made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from handsel.bank.xml_file import read_xml
from handsel.errors import StatementInvalid

REFUSED = "RJCT"
NAME_CHARS_MAX = 35
REFUSALS_MAX = 20_000

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:pain\.002\.001\.(?:03|10)\}Document")


@dataclass(frozen=True, repr=False)
class Refusal:
    """
    Say what the bank has refused, by one of the names that we gave it: the whole file, a block of it, or one order.
    """

    batch_id: str = ""
    block_id: str = ""
    order_id: str = ""
    reason: str = ""


def read_status(raw: bytes) -> tuple[Refusal, ...]:
    """
    Return what a bank has refused of a file. Raises `StatementInvalid`, which quotes nothing of it.
    """
    root = read_xml(raw)
    if not _NAMESPACE.fullmatch(root.tag):
        raise StatementInvalid("the file is no answer in pain.002.001.03 or pain.002.001.10: choose one at the bank")
    namespace = root.tag.removesuffix("Document")
    for element in root.iter():
        element.tag = element.tag.removeprefix(namespace)
    group = root.find("CstmrPmtStsRpt/OrgnlGrpInfAndSts")
    if group is None:
        raise StatementInvalid("the answer does not say which file it is about")
    refusals = tuple(_refusals(group, root.findall("CstmrPmtStsRpt/OrgnlPmtInfAndSts")))
    if len(refusals) > REFUSALS_MAX:
        raise StatementInvalid(f"an answer refuses at most {REFUSALS_MAX} payments")
    return refusals


def _refusals(group: Element, blocks: list[Element]) -> Iterator[Refusal]:
    if _text(group, "GrpSts") == REFUSED:
        yield Refusal(batch_id=_text(group, "OrgnlMsgId"), reason=_text(group, "StsRsnInf/Rsn/Cd"))
        return
    for block in blocks:
        if _text(block, "PmtInfSts") == REFUSED:
            yield Refusal(block_id=_text(block, "OrgnlPmtInfId"), reason=_text(block, "StsRsnInf/Rsn/Cd"))
            continue
        for one in block.findall("TxInfAndSts"):
            if _text(one, "TxSts") == REFUSED:
                yield Refusal(order_id=_text(one, "OrgnlEndToEndId"), reason=_text(one, "StsRsnInf/Rsn/Cd"))


def _text(element: Element, path: str) -> str:
    text = (element.findtext(path) or "").strip()
    if len(text) > NAME_CHARS_MAX:
        raise StatementInvalid(f"a field has more than {NAME_CHARS_MAX} characters; nothing was changed")
    return text
