"""
Hold the number of a bank account, which has check digits and a form for each country.

It is the only type in which such a number travels here, so that none stands in a message, a log or a `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass

from stdnum import iban as standard

from handsel.errors import BodyInvalid

HINT_CHARS = 4  # What is shown of an account, to tell one's own accounts apart.
_TYPED_CHARS_MAX = 64


@dataclass(frozen=True, repr=False)
class Iban:
    """
    Carry an account's number without spaces, in capitals. Source: ISO 13616.
    """

    text: str

    def __post_init__(self) -> None:
        """
        Refuse wrong check digits, and a form that the country does not have. Raises `BodyInvalid`.
        """
        if self.text != standard.compact(self.text) or not standard.is_valid(self.text):
            raise BodyInvalid("this is not an IBAN: compare it, digit by digit, with what the bank wrote")

    @property
    def hint(self) -> str:
        """
        Return all that is ever shown of the account of somebody else: its last four characters.
        """
        return f"…{self.text[-HINT_CHARS:]}"

    @property
    def spelled(self) -> str:
        """
        Return the number in groups of four, as people write it.
        """
        return " ".join(self.text[at : at + 4] for at in range(0, len(self.text), 4))


def parse_iban(typed: str) -> Iban:
    """
    Return the account that a person typed: spaces, hyphens and small letters do not matter. Raises `BodyInvalid`.
    """
    if len(typed) > _TYPED_CHARS_MAX or not typed.isascii():
        raise BodyInvalid("an IBAN has at most 34 letters and digits")
    return Iban("".join(typed.replace("-", "").split()).upper())
