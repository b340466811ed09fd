"""
Remember which queries a matcher has answered.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from handsel.errors import IdReused

QUERIES_REMEMBERED = 100_000  # So that none is answered twice. Across a restart, the binding alone sees to that.


class Seen:
    """
    Remember the latest queries, so that none is answered twice.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digests: OrderedDict[bytes, bytes] = OrderedDict()

    def require_new(self, query_id: bytes) -> None:
        """
        Remember a query. Raises `IdReused` where it was seen before.
        """
        with self._lock:
            if query_id in self._digests:
                raise IdReused("that query was answered before: show the palm again")
            self._remember(query_id, b"")

    def require_new_or_same(self, query_id: bytes, content: bytes) -> None:
        """
        Remember a query of an enrolment. Raises `IdReused` where its id was seen before with other content.
        """
        digest = hashlib.sha256(content).digest()
        with self._lock:
            if self._digests.get(query_id, digest) != digest:
                raise IdReused("that query was answered before: show the palm again")
            self._remember(query_id, digest)

    def _remember(self, query_id: bytes, digest: bytes) -> None:
        self._digests[query_id] = digest
        if len(self._digests) > QUERIES_REMEMBERED:
            self._digests.popitem(last=False)
