"""
Read the command line, call one verb, and say how it ended.

Each verb is a module of its own and is imported only when it is asked for: a matcher's process must not load what the
till needs.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from handsel import __version__, errors

# Verb → the module that implements it.
VERBS: dict[str, str] = {
    "demo": "handsel.cli.demo",
    "walk": "handsel.cli.walk",
    "embed": "handsel.cli.embed",
    "evaluate": "handsel.cli.evaluate",
    "draw": "handsel.cli.draw",
    "capacity": "handsel.cli.capacity",
    "bench": "handsel.cli.bench",
    "certify": "handsel.cli.certify",
    "root": "handsel.cli.root",
    "renew": "handsel.cli.renew",
    "restore": "handsel.cli.restore",
    "verify-receipt": "handsel.cli.verify_receipt",
    "verify-statement": "handsel.cli.verify_statement",
    "verify-log": "handsel.cli.verify_log",
    "check-ledger": "handsel.cli.check_ledger",
    "bank": "handsel.cli.bank",
    "issuer": "handsel.cli.party",
    "acquirer": "handsel.cli.party",
    "matcher": "handsel.cli.party",
    "till": "handsel.cli.party",
}

# Exit statuses follow sysexits.h; 1 stays for a verb's own "no", 130 is Ctrl-C.
EXIT_STATUS: dict[type[errors.HandselError], int] = {
    errors.HandselError: 70,
    errors.ConfigError: 78,
    errors.BadInput: 65,
    errors.BodyInvalid: 65,
    errors.FrameTooLarge: 65,
    errors.FrameUnreadable: 65,
    errors.IdReused: 65,
    errors.NotFound: 66,
    errors.OrderTooOld: 65,
    errors.StatementInvalid: 65,
    errors.AccessDenied: 77,
    errors.Untrusted: 76,
    errors.EnvelopeInvalid: 76,
    errors.PalmInvalid: 76,
    errors.PasskeyInvalid: 76,
    errors.BindingMismatch: 76,
    errors.SignatureInvalid: 76,
    errors.ProofInvalid: 76,
    errors.ModelInvalid: 72,
    errors.GalleryError: 74,
    errors.GalleryCorrupt: 74,
    errors.GalleriesDiffer: 75,
    errors.GalleryFull: 74,
    errors.GalleryEmpty: 75,
    errors.GalleryInUse: 73,
    errors.NotVouched: 74,
    errors.StoreError: 74,
    errors.StoreCorrupt: 74,
    errors.StoreFull: 74,
    errors.Unavailable: 69,
    errors.PartyUnavailable: 69,
    errors.PeerUnavailable: 69,
    errors.PeerCheated: 69,
    errors.PortTaken: 71,
    errors.InvariantBroken: 70,
}
INTERRUPTED = 130


def build_parser(verbs: Sequence[str] = tuple(VERBS)) -> argparse.ArgumentParser:
    """
    Return the parser of the verbs named in `verbs`.
    """
    parser = argparse.ArgumentParser(
        prog="handsel", description="Pay with your palm. Nobody keeps it, nobody follows you."
    )
    parser.add_argument("--version", action="version", version=f"handsel {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="verb", required=True)
    for module in dict.fromkeys(VERBS[verb] for verb in verbs):
        importlib.import_module(module).add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the verb in `argv` and return the exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    asked = [words[0]] if words and words[0] in VERBS else list(VERBS)
    args = build_parser(asked).parse_args(words)
    try:
        return int(args.run(args))
    except errors.HandselError as exc:
        print(f"handsel: {exc}", file=sys.stderr)
        return EXIT_STATUS[type(exc)]
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # The reader of our output has gone, as in `handsel … | head`.
        sys.stderr.close()
        return 0
