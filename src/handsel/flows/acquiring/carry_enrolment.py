"""
Carry an enrolment: the till's order to the issuer, templates and shares of an alias to the matchers, answers back.

What is carried is sealed; it passes through. What stays is that there was an enrolment, by an id that issuer and
matchers never see, and how it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from handsel.errors import GalleryFull, HandselError, IdReused, PalmInvalid, PartyUnavailable
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.ask_matchers import ask_matchers
from handsel.flows.acquiring.limit_asking import NoPalm, begin_asking, end_asking
from handsel.flows.acquiring.ports import Enrolled, Voided
from handsel.ids import require_order_id
from handsel.matching.message import PerMatcher
from handsel.pay.carried_enrolment import CarriedEnrolment, EnrolmentStatus
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.merchant import Till
from handsel.store.acquirer import AcquirerBooks


@dataclass(frozen=True, repr=False)
class ShownForEnrolment:
    """
    Carry what a till sends of a palm that is to be enrolled: an order for the issuer, and a template for each matcher;
    None where a card is enrolled, of which no matcher hears.

    `enrolment_id` is kept here; `order_id` is the id in the order and in the templates, and is written nowhere here: it
    comes with the request, however often that is sent.
    """

    enrolment_id: str
    order_id: str
    order: bytes
    templates: PerMatcher | None

    def __post_init__(self) -> None:
        """
        Refuse an order's id that is ill-formed, or the enrolment's once more. Raises `BodyInvalid`.
        """
        require_order_id(self.order_id, other_than=self.enrolment_id)


def submit_enrolment(acquirer: Acquirer, till: Till, shown: ShownForEnrolment, *, now_ms: int) -> Enrolled | Declined:
    """
    Enrol the palm that was shown: once, however often the same enrolment comes.

    1. Write that there is such an enrolment. While it is under way, the same id is told to ask again. If the till has
       asked too often, it is declined here: neither the issuer nor the matchers hear of it, and the code stays good.
    2. Have the issuer check the code. A card is enrolled by that.
    3. Give each matcher its template, and its share of the alias that the issuer made. Where their galleries are full
       all three refuse, and that is the outcome.
    4. Have the issuer finish the enrolment with the matchers' answers.
    5. Write the outcome.

    Where a party does not answer, the enrolment is open again: the till sends the same once more, and each party does
    again what it has done already, to the same effect. If the till does not, the issuer's own time limit ends it.
    Raises `IdReused`, `PartyUnavailable`, or what a party refused the envelopes with.
    """
    # 1.
    with acquirer.store.unit_of_work() as books:
        ended = _begin(acquirer, books, till, shown.enrolment_id, now_ms=now_ms)
        books.commit()
    if ended is not None:
        return ended
    try:
        outcome = _carry(acquirer, shown)
    except HandselError as exc:
        _write(acquirer, shown.enrolment_id, NoPalm() if isinstance(exc, PalmInvalid) else Voided())
        raise
    # 5.
    _write(acquirer, shown.enrolment_id, outcome)
    return outcome


def _begin(
    acquirer: Acquirer, books: AcquirerBooks, till: Till, enrolment_id: str, *, now_ms: int
) -> Enrolled | Declined | None:
    found = books.enrolments.find(enrolment_id)
    if found is not None and found.till_id != till.id:
        raise IdReused("that id stands for another enrolment: make a new one")
    if found is not None and found.status is EnrolmentStatus.ENROLLED:
        return Enrolled()
    if found is not None and found.status is EnrolmentStatus.DECLINED:
        return Declined(found.reason or DeclineReason.VOIDED)
    if found is not None and _is_under_way(found, now_ms=now_ms, ms_max=acquirer.bounds.enrolment_ms_max):
        raise PartyUnavailable("this enrolment is under way: ask again in a moment")
    refused = begin_asking(acquirer, books, till.id, now_ms=now_ms)
    if refused is not None and found is not None:
        # The issuer may have finished it: that it was declined cannot be said, only that nobody is asked now.
        raise PartyUnavailable("this till asks too often: ask again in a while")
    begun = CarriedEnrolment(enrolment_id, till.id, now_ms)
    if refused is not None:
        begun = replace(begun, status=EnrolmentStatus.DECLINED, reason=refused.reason)
    books.enrolments.save(begun)
    return refused


def _is_under_way(found: CarriedEnrolment, *, now_ms: int, ms_max: int) -> bool:
    return found.status is EnrolmentStatus.UNDER_WAY and now_ms - found.started_ms < ms_max


def _carry(acquirer: Acquirer, shown: ShownForEnrolment) -> Enrolled | Declined:
    # 2.
    templates = shown.templates
    if templates is None:
        return acquirer.issuer.enrol_card(shown.order_id, order=shown.order)
    begun = acquirer.issuer.begin_enrolment(shown.order_id, order=shown.order)
    if isinstance(begun, Enrolled | Declined):
        return begun
    # 3.
    shares = begun.alias_shares
    try:
        answers = ask_matchers(
            lambda name: acquirer.matchers.enrol(name, template=templates.of(name), alias_share=shares.of(name))
        )
    except GalleryFull:
        return Declined(DeclineReason.GALLERY_FULL)  # What the issuer began is ended by its own time limit.
    # 4.
    return acquirer.issuer.complete_enrolment(shown.order_id, answers=answers)


def _write(acquirer: Acquirer, enrolment_id: str, outcome: Enrolled | Declined | Voided | NoPalm) -> None:
    with acquirer.store.unit_of_work() as books:
        found = books.enrolments.find(enrolment_id)
        if found is None or found.status in (EnrolmentStatus.ENROLLED, EnrolmentStatus.DECLINED):
            return
        if isinstance(outcome, Enrolled):
            ended = replace(found, status=EnrolmentStatus.ENROLLED)
        elif isinstance(outcome, Declined):
            ended = replace(found, status=EnrolmentStatus.DECLINED, reason=outcome.reason)
        else:
            ended = replace(found, status=EnrolmentStatus.INTERRUPTED)
        end_asking(acquirer, books, found.till_id, outcome, asked_ms=found.started_ms)
        books.enrolments.save(ended)
        books.commit()
