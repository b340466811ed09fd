"""
Say which HTTP status each exception gets: the one table at the edge.
"""

from __future__ import annotations

import msgspec

from handsel import errors

STATUS: dict[type[errors.HandselError], int] = {
    errors.HandselError: 500,
    errors.ConfigError: 500,
    errors.BadInput: 400,
    errors.BodyInvalid: 400,
    errors.FrameTooLarge: 413,
    errors.FrameUnreadable: 400,
    errors.IdReused: 409,
    errors.NotFound: 404,
    errors.OrderTooOld: 409,
    errors.StatementInvalid: 400,
    errors.AccessDenied: 401,
    errors.Untrusted: 400,
    errors.EnvelopeInvalid: 400,
    errors.PalmInvalid: 400,
    errors.PasskeyInvalid: 400,
    errors.BindingMismatch: 400,
    errors.SignatureInvalid: 400,
    errors.ProofInvalid: 400,
    errors.ModelInvalid: 500,
    errors.GalleryError: 500,
    errors.GalleryCorrupt: 500,
    errors.GalleriesDiffer: 503,
    errors.GalleryFull: 409,  # Below 500: the acquirer must learn of it, not ask again.
    errors.GalleryEmpty: 503,
    errors.GalleryInUse: 409,
    errors.NotVouched: 500,
    errors.StoreError: 500,
    errors.StoreCorrupt: 500,
    errors.StoreFull: 507,
    errors.Unavailable: 503,
    errors.PartyUnavailable: 503,
    errors.PeerUnavailable: 503,
    errors.PeerCheated: 503,
    errors.PortTaken: 500,
    errors.InvariantBroken: 500,
}


class ErrorDetail(msgspec.Struct, frozen=True):
    """
    Name what went wrong: a stable code, a sentence that says what to do, and whether to ask again.
    """

    code: str
    message: str
    is_retryable: bool


class ErrorBody(msgspec.Struct, frozen=True):
    """
    Carry an error over HTTP.
    """

    error: ErrorDetail


def error_body(exc: errors.HandselError) -> ErrorBody:
    """
    Return what a caller is told of `exc`.
    """
    return ErrorBody(ErrorDetail(exc.code, str(exc) or exc.code, exc.is_retryable))
