"""
Hold every exception that Handsel raises: one tree, one root.

An exception means that a promise could not be kept. An everyday outcome (no hand in the frame, no money on the account)
is a value, never an exception. Messages say what to do, and carry no palm, vector, share, key, token or account.

    HandselError
    ├── ConfigError             a setting is missing, unknown or out of range
    ├── BadInput                the caller sent something that cannot be used
    │   ├── BodyInvalid         a body that does not parse, or with unknown or ill-formed fields
    │   ├── FrameTooLarge       an image with more pixels or bytes than is decoded
    │   ├── FrameUnreadable     bytes that are not a whole image
    │   ├── IdReused            an id that was used before, with other contents
    │   ├── NotFound            nothing has that id
    │   ├── OrderTooOld         an order of the issuer's after which it has given a later one
    │   └── StatementInvalid    a bank's file that is malformed, or does not add up
    ├── AccessDenied            who asks is unknown, or may not ask this
    ├── Untrusted               something does not verify; nothing of it was used
    │   ├── EnvelopeInvalid     a sealed envelope that does not open, or that holds something else
    │   ├── PalmInvalid         what a till sent as a palm, whose norm or form is not a palm's
    │   ├── BindingMismatch     an answer that was bound to another payment
    │   ├── SignatureInvalid    a signature that does not verify
    │   ├── PasskeyInvalid      a passkey's answer that is not one to what was asked
    │   └── ProofInvalid        a proof that does not show what it should
    ├── ModelInvalid            a model file is missing or is not the one that the manifest names
    ├── GalleryError            the enrolled shares cannot be used
    │   ├── GalleryCorrupt      a row does not have the shape or checksum that it was written with
    │   ├── GalleriesDiffer     the three matchers do not hold the same rows
    │   ├── GalleryFull         one more palm than the threshold was measured for
    │   ├── GalleryEmpty        a matcher has lost its rows, which its peers hold
    │   ├── GalleryInUse        rows would be written over
    │   └── NotVouched          rows cannot be restored, as nothing shows that they are those that were lost
    ├── StoreError              the database did not do what it was asked; nothing was changed
    │   ├── StoreCorrupt        the database file is not what this version wrote
    │   └── StoreFull           no space is left on the disk
    ├── Unavailable             another party does not answer; ask again
    │   ├── PartyUnavailable    issuer, acquirer or a matcher cannot be reached
    │   ├── PeerUnavailable     a matcher's peer cannot be reached
    │   └── PeerCheated         a matcher's peer does not follow the protocol; nothing was answered
    ├── PortTaken               another program listens on a port that was asked for
    └── InvariantBroken         a rule of money or shares does not hold: a defect in Handsel
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class HandselError(Exception):
    """
    Root of everything that Handsel raises. Never raised itself.

    `code` is stable and goes over the wire; `is_retryable` says whether the same request may succeed later.
    """

    code: ClassVar[str] = "error"
    is_retryable: ClassVar[bool] = False


class ConfigError(HandselError):
    """
    A setting is missing, unknown or out of range.
    """

    code = "config_invalid"


class BadInput(HandselError):
    """
    The caller sent something that cannot be used.
    """

    code = "bad_input"


class BodyInvalid(BadInput):
    """
    A body does not parse, or has unknown or ill-formed fields.
    """

    code = "body_invalid"


class FrameTooLarge(BadInput):
    """
    An image has more pixels or bytes than are decoded.
    """

    code = "frame_too_large"


class FrameUnreadable(BadInput):
    """
    The bytes are not a whole image.
    """

    code = "frame_unreadable"


class IdReused(BadInput):
    """
    An id was used before, with other contents.
    """

    code = "id_reused"


class NotFound(BadInput):
    """
    Nothing has that id.
    """

    code = "not_found"


class OrderTooOld(BadInput):
    """
    The issuer has given a later order of that kind; an older one is not carried out any more.
    """

    code = "order_too_old"


class StatementInvalid(BadInput):
    """
    A bank's file is malformed or does not add up; nothing of it was booked.
    """

    code = "statement_invalid"


class AccessDenied(HandselError):
    """
    Who asks is unknown, or may not ask this.
    """

    code = "access_denied"


class Untrusted(HandselError):
    """
    Something does not verify; nothing of it was used.
    """

    code = "untrusted"


class EnvelopeInvalid(Untrusted):
    """
    A sealed envelope does not open, or holds something else than it should.
    """

    code = "envelope_invalid"


class PalmInvalid(Untrusted):
    """
    What a till sent as a palm has not a palm's form.
    """

    code = "palm_invalid"


class PasskeyInvalid(Untrusted):
    """
    A passkey's answer is not one to what was asked.
    """

    code = "passkey_invalid"


class BindingMismatch(Untrusted):
    """
    An answer was bound to another payment.
    """

    code = "binding_mismatch"


class SignatureInvalid(Untrusted):
    """
    A signature does not verify.
    """

    code = "signature_invalid"


class ProofInvalid(Untrusted):
    """
    A proof does not show what it should.
    """

    code = "proof_invalid"


class ModelInvalid(HandselError):
    """
    A model file is missing, or is not the one that the manifest names.
    """

    code = "model_invalid"


class GalleryError(HandselError):
    """
    The enrolled shares cannot be used.
    """

    code = "gallery_error"


class GalleryCorrupt(GalleryError):
    """
    A row does not have the shape or checksum that it was written with.
    """

    code = "gallery_corrupt"


class GalleriesDiffer(GalleryError):
    """
    The three matchers do not hold the same rows.
    """

    code = "galleries_differ"
    is_retryable = True


class GalleryFull(GalleryError):
    """
    The gallery holds as many palms as its threshold was measured for; one more is not taken.
    """

    code = "gallery_full"


class GalleryEmpty(GalleryError):
    """
    A matcher has no rows, and its peers have: they are to be restored, or are being so; ask again.
    """

    code = "gallery_empty"
    is_retryable = True


class GalleryInUse(GalleryError):
    """
    A gallery that holds rows is not restored over.
    """

    code = "gallery_in_use"


class NotVouched(GalleryError):
    """
    A row that is to be restored was not vouched for by the matcher that has lost it.
    """

    code = "not_vouched"


class StoreError(HandselError):
    """
    The database did not do what it was asked; nothing was changed.
    """

    code = "store_error"


class StoreCorrupt(StoreError):
    """
    The database file is not what this version wrote.
    """

    code = "store_corrupt"


class StoreFull(StoreError):
    """
    No space is left on the disk.
    """

    code = "store_full"
    is_retryable = True


class Unavailable(HandselError):
    """
    Another party does not answer; ask again.
    """

    code = "unavailable"
    is_retryable = True


class PartyUnavailable(Unavailable):
    """
    Issuer, acquirer or a matcher cannot be reached.
    """

    code = "party_unavailable"


class PeerUnavailable(Unavailable):
    """
    A matcher's peer cannot be reached.
    """

    code = "peer_unavailable"


class PeerCheated(Unavailable):
    """
    A matcher's peer does not follow the protocol; nothing was answered.
    """

    code = "peer_cheated"


class PortTaken(HandselError):
    """
    Another program listens on a port that was asked for.
    """

    code = "port_taken"


class InvariantBroken(HandselError):
    """
    A rule of money or shares does not hold: a defect in Handsel.
    """

    code = "invariant_broken"


def error_of_code(code: str) -> type[HandselError] | None:
    """
    Return the class whose `code` came over the wire, or None where this version has none of that code.
    """
    return next((kind for kind in _tree(HandselError) if kind.code == code), None)


def ensure(condition: bool, rule: str) -> None:
    """
    Crash when `rule`, an invariant of money or shares, does not hold.

    Unlike `assert` it stays when Python runs with `-O`. Raises `InvariantBroken`.
    """
    if not condition:
        raise InvariantBroken(rule)


def _tree(root: type[HandselError]) -> Iterator[type[HandselError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)
