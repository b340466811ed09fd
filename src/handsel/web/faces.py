"""
Hold the faces of Handsel: who runs a page, what it can see and what it never can.

The words are those of the table of parties; each page carries them at its foot, because they are what Handsel is about.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Face:
    """
    Say what stands at the head and the foot of a party's pages. `name` chooses the colour.
    """

    name: str
    word: str
    run_by: str
    sees: str
    never_sees: str


WALLET = Face(
    name="wallet",
    word="Wallet",
    run_by="the issuer: your bank",
    sees="your wallet, the amounts, the times and the shop's bank; and whose account at a bank filled it, if one did",
    never_sees="your palm, the place, or, but for shops that you have named, the shop and what you bought",
)
SHOP = Face(
    name="shop",
    word="Shop",
    run_by="the acquirer: the shop's bank",
    sees="the shop and where it is paid out, the till, the amounts and the times",
    never_sees="a palm, a customer's wallet, or whether two payments were the same person's",
)
TILL = Face(
    name="till",
    word="Till",
    run_by="the shop, on this machine",
    sees="your palm for a moment, a PIN that is typed, and the amount; pictures stay on this machine and are not kept",
    never_sees="who you are, or anything else you bought",
)
MATCHER = Face(
    name="matcher",
    word="Matcher",
    run_by="one of three independent organisations",
    sees="shares of palms, which look random, when a query comes, and from which acquirer",
    never_sees="a palm, a score, whether or whom it matched, the till, or the amount",
)
