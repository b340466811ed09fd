"""
Read XML that comes from outside: bounded, without entities, DTDs and processing of any kind.
"""

from __future__ import annotations

import io
from xml.etree.ElementTree import Element, ParseError

import defusedxml
from defusedxml.ElementTree import iterparse

from handsel.errors import StatementInvalid

FILE_BYTES_MAX = 64 * 1024 * 1024  # 3 KB for each movement, which banks need half of.
ELEMENTS_MAX = 2_000_000
DEPTH_MAX = 32  # The deepest path of a statement has 14.


def read_xml(raw: bytes) -> Element:
    """
    Return the root of a document. Raises `StatementInvalid`, which quotes nothing of it.
    """
    if len(raw) > FILE_BYTES_MAX:
        raise StatementInvalid(f"the file has more than {FILE_BYTES_MAX} bytes: ask the bank for shorter statements")
    depth = elements = 0
    root: Element | None = None
    try:
        for event, element in iterparse(io.BytesIO(raw), events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            elements += event == "start"
            root = element if root is None else root
            if depth > DEPTH_MAX or elements > ELEMENTS_MAX:
                raise StatementInvalid("the file is nested deeper, or has more in it, than any bank's")
    except defusedxml.DefusedXmlException as exc:
        raise StatementInvalid(
            "the file declares entities or a DTD, which no bank's file does; it was not read"
        ) from exc
    except (ParseError, ValueError, LookupError) as exc:  # An encoding that there is not is a LookupError.
        raise StatementInvalid("the file is not well-formed XML: fetch it again from the bank") from exc
    if root is None:
        raise StatementInvalid("the file is empty")
    return root
