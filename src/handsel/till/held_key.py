"""
Hold the card that was shown for one action, and what it unlocks, until that action ends. Nothing of it is written.

1. The card is read from a frame. The issuer is asked for its template, sealed, past an acquirer that sees no card.
2. A palm is shown. The template is opened for the comparison, and only for that.
3. Where both are one palm, the card signs the order. Who holds this value drops it then, or when the action ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from handsel.envelope import open_envelope, seal
from handsel.keys import PartyKeys, PublicKeys
from handsel.matching.held_key import is_same_palm, unpack_template
from handsel.order import CARD_ANSWER, CARD_REQUEST, CardAnswer, CardRequest, CardState, Way
from handsel.till.acquirer import Acquirer, CardAsked, DeclinedAnswer
from handsel.till.action import Action, EnrolmentAction
from handsel.till.card import Card, read_card
from handsel.till.hint import TillHint
from handsel.till.session import CARD_LOCKED, CARD_UNKNOWN, NOT_RECOGNISED
from handsel.vision.embedding import Probe
from handsel.vision.frame import Frame
from handsel.vision.qr_code import read_qr_code


@dataclass(frozen=True)
class CardRefused:
    """
    Say why nothing can be paid with a card, or with the palm that was shown with it.
    """

    reason: str


@dataclass(frozen=True)
class HeldKey:
    """
    Hold a card, and its template as the issuer keeps it, for the action `action_id`.
    """

    action_id: str
    card: Card = field(repr=False)
    sealed_template: bytes = field(repr=False)

    def refuse(self, probe: Probe, *, threshold: float) -> CardRefused | None:
        """
        Return why this is not the palm that the card was made with, or None where it is. Raises `PalmInvalid`.

        A template that does not open was made by another model, or is another card's: the card is of no use then.
        """
        packed = self.card.open_template(self.sealed_template, model_id=probe.model_id)
        if packed is None:
            return CardRefused(CARD_UNKNOWN)
        is_same = is_same_palm(probe.views, unpack_template(packed), threshold=threshold)
        return None if is_same else CardRefused(NOT_RECOGNISED)


def look_for_card(frame: Frame, action: Action, *, ways: tuple[Way, ...]) -> Card | TillHint | None:
    """
    Return the card in a frame, `NOT_A_CARD` for another code, or None where there is nothing to look for or to see.
    """
    if Way.HELD_KEY not in ways or isinstance(action, EnrolmentAction):
        return None
    text = read_qr_code(frame)
    if text is None:
        return None
    return read_card(text) or TillHint.NOT_A_CARD


def unlock(acquirer: Acquirer, issuer: PublicKeys, card: Card, action: Action) -> HeldKey | CardRefused:
    """
    Ask the issuer for the sealed template of a card. Raises `PartyUnavailable` and `EnvelopeInvalid`.
    """
    reply = PartyKeys.generate()
    request = seal(CardRequest(card.id, reply.public().seal), to=issuer, purpose=CARD_REQUEST)
    answer = acquirer.ask_card(CardAsked(request))
    if isinstance(answer, DeclinedAnswer):
        return CardRefused(answer.reason)
    told = open_envelope(answer.answer, CardAnswer, keys=reply, purpose=CARD_ANSWER)
    if told.state is not CardState.KNOWN:
        return CardRefused(CARD_LOCKED if told.state is CardState.LOCKED else CARD_UNKNOWN)
    return HeldKey(action.id, card, told.sealed_template)
