"""
Keep the issuer's list of note keys at hand, so that a note can be checked without asking the issuer.
"""

from __future__ import annotations

import threading

from handsel.errors import PartyUnavailable
from handsel.flows.acquiring.ports import Issuer
from handsel.notes.note import PublicNoteKeys

REFRESH_MS = 600_000  # A key that is new is known here within ten minutes; a till may fetch it only from here.
RETRY_MS = 10_000  # While the issuer does not answer, so that not every payment waits for it.


class AnnouncedKeys:
    """
    Hold the list that was fetched last. Several threads may use it.
    """

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._keys: PublicNoteKeys | None = None
        self._due_ms = 0
        self._turn = threading.Lock()

    def at(self, now_ms: int) -> PublicNoteKeys:
        """
        Return the list, fetched again when it has become old.

        While the issuer does not answer the old list stands. Raises `PartyUnavailable` where there has never been one.
        """
        with self._turn:
            if self._keys is not None and now_ms < self._due_ms:
                return self._keys
            try:
                self._keys, self._due_ms = self._issuer.note_keys(), now_ms + REFRESH_MS
            except PartyUnavailable:
                if self._keys is None:
                    raise
                self._due_ms = now_ms + RETRY_MS
            return self._keys
