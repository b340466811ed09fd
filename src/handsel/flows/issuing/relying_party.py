"""
Speak WebAuthn with the browsers that see the wallet's pages: what a passkey is asked for, and whether it fits.

Source: W3C Web Authentication, Level 2, sections 7.1 and 7.2; most of their steps are `fido2`'s. No attestation is
asked for: whose device it is, is nobody's business here. The user is verified by the device, always, so that a passkey
stands for two elements and not for one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from handsel.errors import PasskeyInvalid

RESPONSE_CHARS_MAX = 6000  # What a browser sends of a passkey of any kind without attestation is below 2000.
CREDENTIAL_ID_BYTES_MAX = 1023  # W3C Web Authentication, Level 2, section 7.1.
REQUIRED = UserVerificationRequirement.REQUIRED

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Passkey:
    """
    Hold the public half of a passkey, and how often it has signed, as far as it counts.
    """

    id: bytes
    credential: bytes
    sign_count: int


class _Made(msgspec.Struct, frozen=True):
    client: str = msgspec.field(name="clientDataJSON")
    attestation: str = msgspec.field(name="attestationObject")


class _Signed(msgspec.Struct, frozen=True):
    client: str = msgspec.field(name="clientDataJSON")
    authenticator: str = msgspec.field(name="authenticatorData")
    signature: str


class _NewAnswer(msgspec.Struct, frozen=True):
    raw_id: str = msgspec.field(name="rawId")
    response: _Made


class _YesAnswer(msgspec.Struct, frozen=True):
    raw_id: str = msgspec.field(name="rawId")
    response: _Signed


class RelyingParty:
    """
    Ask for passkeys of the pages at `origin`, and check the answers. It keeps nothing: challenges come from the caller.
    """

    def __init__(self, origin: str) -> None:
        self._host = urlsplit(origin).hostname or ""
        self._server = Fido2Server(
            PublicKeyCredentialRpEntity(name="Handsel", id=self._host),
            attestation=AttestationConveyancePreference.NONE,
            verify_origin=lambda seen: seen == origin,
        )

    def ask_for_new(self, *, challenge: bytes, user_id: bytes, held: Sequence[Passkey]) -> str:
        """
        Return what a browser makes a new passkey with, as JSON; none on a device that has one of `held`.
        """
        user = PublicKeyCredentialUserEntity(name="Handsel wallet", id=user_id, display_name="Handsel wallet")
        options, _ = self._server.register_begin(
            user,
            [_credential(one) for one in held],
            resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
            user_verification=REQUIRED,
            challenge=challenge,
        )
        return json.dumps(dict(options.public_key))

    def check_new(self, response: str, *, challenge: bytes) -> Passkey:
        """
        Return the passkey that a browser made for `challenge`. Raises `PasskeyInvalid`.
        """
        parsed = _parsed(response, _NewAnswer)
        made = _translated(lambda: self._server.register_complete(_state(challenge), parsed))
        credential = made.credential_data
        if credential is None or not 0 < len(credential.credential_id) <= CREDENTIAL_ID_BYTES_MAX:
            raise PasskeyInvalid(_REFUSED)
        return Passkey(credential.credential_id, bytes(credential), made.counter)

    def ask_for_yes(self, *, challenge: bytes, held: Sequence[Passkey]) -> str:
        """
        Return what a browser asks one of the passkeys `held` to sign, as JSON.
        """
        options, _ = self._server.authenticate_begin(
            [_credential(one) for one in held], user_verification=REQUIRED, challenge=challenge
        )
        return json.dumps(dict(options.public_key))

    def check_yes(self, response: str, *, challenge: bytes, held: Sequence[Passkey]) -> Passkey:
        """
        Return the one of `held` that signed `challenge`, with what it counts now. Raises `PasskeyInvalid`.

        1. One of `held` signed this challenge, for this origin and its name, with its user present and verified.
        2. It has counted on since it signed last. One that does not count is always at zero; one that has fallen behind
           has a copy.
        """
        parsed = _parsed(response, _YesAnswer)
        answer = _translated(lambda: AuthenticationResponse.from_dict(parsed))
        credentials = [_credential(one) for one in held]
        signer = _translated(lambda: self._server.authenticate_complete(_state(challenge), credentials, answer))  # 1
        before = next(one for one in held if one.id == signer.credential_id)
        counted = answer.response.authenticator_data.counter
        if (counted or before.sign_count) and counted <= before.sign_count:  # 2
            raise PasskeyInvalid("this passkey counts backwards, as a copy does: remove it, and add a new one")
        return Passkey(before.id, before.credential, counted)


_REFUSED = "the passkey's answer is not one to what was asked: load the page again, and try once more"


def _credential(passkey: Passkey) -> AttestedCredentialData:
    return AttestedCredentialData(passkey.credential)


def _state(challenge: bytes) -> dict[str, object]:
    return {"challenge": websafe_encode(challenge), "user_verification": REQUIRED}


def _parsed(response: str, kind: type[_NewAnswer] | type[_YesAnswer]) -> dict[str, object]:
    """
    Return a browser's answer as `fido2` reads it: texts where it expects them. A number would become as many zeros.
    """
    if len(response) > RESPONSE_CHARS_MAX:
        raise PasskeyInvalid(_REFUSED)
    try:
        answer = msgspec.json.decode(response, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise PasskeyInvalid(_REFUSED) from exc
    parts = msgspec.to_builtins(answer.response)
    return {"id": answer.raw_id, "rawId": answer.raw_id, "type": "public-key", "response": parts}


def _translated(check: Callable[[], T]) -> T:
    # A browser's answer is parsed by `fido2`, which lets out whatever its parts raise.
    try:
        return check()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error) as exc:
        raise PasskeyInvalid(_REFUSED) from exc
    except (AssertionError, InvalidSignature, RuntimeError, UnsupportedAlgorithm) as exc:
        raise PasskeyInvalid(_REFUSED) from exc
