"""
Start a whole Handsel on this machine, and say where its pages are: `handsel demo`.
"""

from __future__ import annotations

import argparse
import signal
import time
from pathlib import Path

from handsel.cli.capacity import add_gallery_options
from handsel.wiring.demo import PORT_BASE, Demo, Ports, set_up, start
from handsel.wiring.serve import private_files_only

DIRECTORY = Path(".handsel/demo")
WATCH_S = 1.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "start issuer, acquirer, three matchers and a till on this machine"
    parser = subparsers.add_parser("demo", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--dir", type=Path, default=DIRECTORY, help=f"where everything is kept (default {DIRECTORY})")
    parser.add_argument("--port", type=int, default=PORT_BASE, help=f"first port (default {PORT_BASE})")
    add_gallery_options(parser, palms=None, fpir=None)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Set up, start, print the addresses, and watch until Ctrl-C.
    """
    private_files_only()
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, signal.default_int_handler)
    ports = Ports(args.port)
    _say(f"Handsel demo in {args.dir}")
    demo = set_up(args.dir, ports, palms=args.palms, fpir=args.fpir)
    _say(_gallery(demo))
    _say("Starting the matchers, the issuer, the acquirer and a till (the first start compiles, up to a minute) …")
    supervisor = start(demo, ports, _say)
    try:
        _say(_invitation(demo))
        while True:
            time.sleep(WATCH_S)
            supervisor.watch()
    except KeyboardInterrupt:
        _say("\nStopping …")
    finally:
        supervisor.stop()
    _say("Stopped. Everything is kept; start again with the same command.")
    return 0


def _gallery(demo: Demo) -> str:
    plan = demo.gallery
    return (
        f"The gallery takes {plan.palms} palms at an FPIR of {plan.fpir:g}: threshold {plan.threshold:.4f}. "
        f"The model's curve supports up to {demo.palms_supported}."
    )


def _invitation(demo: Demo) -> str:
    return f"""
Open these pages in a browser on this machine:
  Wallet    {demo.wallet_url}    open a wallet, add demo money, get a code for the till
  Till      {demo.till_url}    type the code, hold out your hand
  Shop      {demo.merchant_url}#key={demo.merchant_key.reveal()}
            charge 4.50, then hold out your hand at the till again
  Matchers  {"  ".join(demo.matcher_urls)}
            how each is, and which protocol runs

No webcam? The till's page offers simulated hands.   Ctrl-C stops everything.
"""


def _say(text: str) -> None:
    print(text, flush=True)
