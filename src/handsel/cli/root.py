"""
Make the root key of an issuer's notes, once: `handsel root`.
"""

from __future__ import annotations

import argparse
from base64 import b64encode
from pathlib import Path

from handsel.notes.keep import load_root, make_root, make_secret, read_secret
from handsel.wiring.paths import NOTE_ROOT_FILE, NOTE_SECRET_FILE


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = (
        "make an issuer's secret and root key of notes, unless they are there, and print its public half as a setting"
    )
    parser = subparsers.add_parser("root", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--dir", type=Path, required=True, metavar="DIR", help="the issuer's directory")
    parser.add_argument(
        "--secret-file", type=Path, metavar="FILE", help="where the secret is, if not in notes.secret there"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Print the setting, and where it belongs. The secret itself is never printed. Raises `ConfigError`.
    """
    at: Path = args.secret_file or args.dir / NOTE_SECRET_FILE
    secret = read_secret(at) if at.exists() else make_secret(at)
    path: Path = args.dir / NOTE_ROOT_FILE
    if not path.exists():
        make_root(path, secret)
    public = load_root(path, secret).public_key().public_bytes_raw()
    print("# In the settings of every acquirer and till of this issuer.")
    print(f'note_root = "{b64encode(public).decode()}"')
    return 0
