"""
Write the figures of an evaluation as lines for a person to read.
"""

from __future__ import annotations

from collections.abc import Iterator

from handsel.evaluate.figures import Figures, Verification
from handsel.evaluate.interval import Interval
from handsel.evaluate.rates import Accepted, Rate


def figure_lines(figures: Figures) -> Iterator[str]:
    """
    Yield the lines.
    """
    what = figures.pictures
    yield f"{what.folder}: {what.pictures} pictures ({what.kind}) of {what.palms} palms of {what.payers} people"
    yield f"not counted: {what.ignored_pictures} pictures, {what.ignored_pairs} pairs (label noise)"
    yield f"model {figures.model.model_id}, threshold {figures.model.threshold:.4f}"
    yield ""
    yield f"{'failed to acquire':<34}{rate_words(figures.acquisition.not_acquired)}"
    for reason, count in figures.acquisition.reasons.items():
        yield f"    {reason:<30}{count}"
    for verification in figures.verification:
        yield from _verification_lines(verification)
    for identification in figures.identification:
        yield ""
        yield f"One against many, enrolled from {identification.enrolled_from}, at the threshold"
        yield f"    {'gallery':>7}  {'missed':>9}  {'failures counted':>16}  {'a stranger taken':>16}"
        for search in identification.searches:
            taken = percent(search.taken) if search.taken_bound is None else f"0, ≤ {percent(search.taken_bound)}"
            missed, counted = percent(search.missed), percent(search.failures_counted)
            yield f"    {search.gallery:>7}  {missed:>9}  {counted:>16}  {taken:>16}"
    yield ""
    yield "By group, at the threshold: missed · failures counted · from three · matched within the group"
    for group in figures.breakdown:
        rates = (group.missed, group.missed_failures_counted, group.missed_from_three, group.matched)
        words = " · ".join(short_words(rate) for rate in rates)
        yield f"    {group.by + ': ' + group.name:<24}{group.palms:>4} palms   {words}"
    yield ""
    yield from figures.notes


def _verification_lines(verification: Verification) -> Iterator[str]:
    count = verification.enrolled_from
    pairs = f"{verification.genuine_pairs} genuine and {verification.impostor_pairs} impostor pairs"
    yield ""
    yield f"One against one, enrolled from {count}: {pairs}"
    yield f"    {'matched falsely at the threshold':<34}{rate_words(verification.matched)}"
    yield f"    {'missed at the threshold':<34}{rate_words(verification.missed)}"
    yield f"    {'  failures counted':<34}{rate_words(verification.missed_failures_counted)}"
    equal, counted = verification.equal_error_rate, verification.equal_error_rate_failures_counted
    yield f"    {'equal error rate':<34}{percent(equal)}; failures counted {percent(counted)}"
    for each in verification.at_fmr:
        yield f"    {f'accepted at FMR {each.fmr:.0e}':<34}{accepted_words(each)}"
    strictest = verification.strictest
    yield f"    {f'accepted at no false match, FMR ≤ {strictest.fmr:.1e}':<34} {accepted_words(strictest)}"
    if verification.enrolments_begun_anew:
        yield f"    {verification.enrolments_begun_anew} enrolments do not match themselves; a till asks for others"


def accepted_words(accepted: Accepted) -> str:
    """
    Return which share is accepted, or why nothing can be said.
    """
    if accepted.missed is None or accepted.missed_failures_counted is None:
        return f"too few pairs: it takes {accepted.pairs_needed}"
    counted = percent(1 - accepted.missed_failures_counted.rate)
    shown = accepted.missed.exact.complement()
    return f"{percent(1 - accepted.missed.rate)} ({interval_words(shown)}); failures counted {counted}"


def rate_words(rate: Rate) -> str:
    """
    Return a rate with its intervals, or its bound where there was no error.
    """
    counted = f"{rate.errors} of {rate.trials}"
    if rate.bound is not None:
        return f"{counted}: at most {percent(rate.bound)} (rule of three)"
    people = "" if rate.people is None else f"; over people {interval_words(rate.people)}"
    return f"{counted} = {percent(rate.rate)} ({interval_words(rate.exact)}{people})"


def short_words(rate: Rate | None) -> str:
    """
    Return a rate in a few characters.
    """
    if rate is None:
        return "–"
    return percent(rate.rate) if rate.bound is None else f"0, ≤ {percent(rate.bound)}"


def interval_words(interval: Interval) -> str:
    """
    Return an interval in per cent.
    """
    return f"{percent(interval.low)} to {percent(interval.high)}"


def percent(rate: float | None) -> str:
    """
    Return a rate in per cent with three significant digits; a dash where there is none.
    """
    if rate is None:
        return "–"
    value = 100 * rate
    if value >= 99.9 and value < 100:
        return f"{value:.4g} %"
    return f"{value:.3g} %"
