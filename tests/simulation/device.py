"""
Be the device that holds an owner's passkey, and the part of the issuer that speaks with it. Both are honest here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from handsel.errors import PasskeyInvalid
from handsel.flows.issuing.relying_party import Passkey, RelyingParty


class NearDevice(RelyingParty):
    """
    Have a device sign by naming what it signs. What real ones sign is proved elsewhere.
    """

    def ask_for_new(self, *, challenge: bytes, user_id: bytes, held: Sequence[Passkey]) -> str:
        return json.dumps({"challenge": challenge.hex(), "user": user_id.hex()})

    def check_new(self, response: str, *, challenge: bytes) -> Passkey:
        return Passkey(bytes.fromhex(_signed(response, challenge)["user"]), b"simulated", 0)

    def ask_for_yes(self, *, challenge: bytes, held: Sequence[Passkey]) -> str:
        return json.dumps({"challenge": challenge.hex()})

    def check_yes(self, response: str, *, challenge: bytes, held: Sequence[Passkey]) -> Passkey:
        _signed(response, challenge)
        return replace(held[0], sign_count=held[0].sign_count + 1)


def _signed(response: str, challenge: bytes) -> dict[str, str]:
    told: dict[str, str] = json.loads(response)
    if told["challenge"] != challenge.hex():
        raise PasskeyInvalid("something else was signed")
    return told
