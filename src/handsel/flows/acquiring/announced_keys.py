"""
Keep the issuer's list of note keys at hand, so that a note can be checked without asking the issuer.
"""

from __future__ import annotations

import threading

import msgspec

from handsel.errors import PartyUnavailable, SignatureInvalid
from handsel.flows.acquiring.ports import Issuer
from handsel.notes.announce import SignedNoteKeys, TrustedNoteKeys
from handsel.notes.note import PublicNoteKeys
from handsel.notes.redeemed import RedemptionProof

REFRESH_MS = 600_000  # A key that is new is known here within ten minutes; a till may fetch it only from here.
RETRY_MS = 10_000  # While the issuer does not answer, so that not every payment waits for it.


class AnnouncedKeys:
    """
    Hold the list that was fetched last, if the issuer's root key has signed it. Several threads may use it.
    """

    def __init__(self, issuer: Issuer, trusted: TrustedNoteKeys) -> None:
        self._issuer = issuer
        self._trusted = trusted
        self._held: tuple[SignedNoteKeys, PublicNoteKeys] | None = None
        self._due_ms = 0
        self._turn = threading.Lock()

    def at(self, now_ms: int) -> PublicNoteKeys:
        """
        Return the keys, fetched again when they have become old.

        While the issuer does not answer, or with a list that is not trusted, the old list stands. Where there has never
        been one, raises `PartyUnavailable` or `SignatureInvalid`.
        """
        return self._current(now_ms)[1]

    def signed_at(self, now_ms: int) -> SignedNoteKeys:
        """
        Return the list as the issuer signed it, for tills to check by themselves. Raises what `at` raises.
        """
        return self._current(now_ms)[0]

    def is_proof(self, proof: bytes, *, serial: bytes) -> bool:
        """
        Return whether this issuer states in `proof` that the note `serial` was redeemed before.
        """
        try:
            self._trusted.open_proof(msgspec.msgpack.decode(proof, type=RedemptionProof), serial=serial)
        except (msgspec.MsgspecError, SignatureInvalid):
            return False
        return True

    def _current(self, now_ms: int) -> tuple[SignedNoteKeys, PublicNoteKeys]:
        with self._turn:
            if self._held is not None and now_ms < self._due_ms:
                return self._held
            try:
                signed = self._issuer.note_keys()
                self._held = (signed, self._trusted.open(signed))
                self._due_ms = now_ms + REFRESH_MS
            except (PartyUnavailable, SignatureInvalid):
                if self._held is None:
                    raise
                self._due_ms = now_ms + RETRY_MS
            return self._held
