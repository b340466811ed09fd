"""
Be a passkey in software: keep a key, count, and sign what a browser on a page would have signed.

It follows W3C Web Authentication, Level 2, section 6.1 by hand, and shares no code with what checks it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cryptography.hazmat.primitives.asymmetric.ec as ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


def websafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """
    Hold one passkey. Tests change what it does wrong: where it thinks to be, what it counts, whom it verified.
    """

    origin: str = "http://wallet.localhost:8401"
    host: str = "wallet.localhost"
    count: int = 0
    step: int = 1
    flags: int = USER_PRESENT | USER_VERIFIED
    id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: str) -> str:
        """
        Answer an offer for a new passkey.
        """
        asked = json.loads(options)
        client = self._client("webauthn.create", asked["challenge"])
        authenticator = self._authenticator(self.flags | HAS_CREDENTIAL) + self._credential()
        # CBOR: a map of "fmt" to "none", "attStmt" to an empty map, and "authData" to bytes.
        attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData" + _cbor_bytes(authenticator)
        return self._answer({"clientDataJSON": client, "attestationObject": attestation})

    def sign(self, options: str) -> str:
        """
        Say yes to what is asked.
        """
        asked = json.loads(options)
        client = self._client("webauthn.get", asked["challenge"])
        self.count += self.step
        authenticator = self._authenticator(self.flags)
        signed = authenticator + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": authenticator, "signature": signature})

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _authenticator(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _credential(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        # COSE: kty 2 (EC2), alg -7 (ES256), crv 1 (P-256), and both coordinates.
        public = b"\xa5\x01\x02\x03\x26\x20\x01\x21" + _cbor_bytes(x) + b"\x22" + _cbor_bytes(y)
        return bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public

    def _answer(self, response: dict[str, bytes]) -> str:
        answer: dict[str, Any] = {"id": websafe(self.id), "rawId": websafe(self.id), "type": "public-key"}
        answer["response"] = {name: websafe(content) for name, content in response.items()}
        answer["clientExtensionResults"] = {}
        return json.dumps(answer)


def _cbor_bytes(content: bytes) -> bytes:
    if len(content) < 256:
        return b"\x58" + bytes([len(content)]) + content
    return b"\x59" + len(content).to_bytes(2, "big") + content
