"""
Write the performance card, docs/performance-card.md, from the figures in docs/figures and the model's manifest.

Every number on the card comes from a file: evaluations (`drawn-*.json`, `photographs*.json`, of `handsel evaluate`),
`attacks.json` and `training.json` where they are there, and the manifest. A test compares the card with what this makes
of them. Usage: python bench/performance_card.py
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from handsel.evaluate.figures import Figures, Verification, decode
from handsel.evaluate.rates import FMR_TARGETS
from handsel.evaluate.table import accepted_words, percent, rate_words, short_words
from handsel.vision.manifest import ID_DIGITS

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "docs" / "figures"
MANIFEST = ROOT / "src" / "handsel" / "models" / "manifest.toml"
CARD = ROOT / "docs" / "performance-card.md"
ATTACKS, FINDER, TRAINING = "attacks.json", "finder.json", "training.json"
ENROLLED_FROM = (1, 3)
SAID_OF_A_MODEL = ("file", "sha256", "arrays", "threshold", "recipe", "threshold_source")

INTRODUCTION = """\
# Performance card

How well Handsel tells palms apart, measured with its own `handsel evaluate` after ISO/IEC 19795-1. This page is made by
`make card` from the files in `docs/figures` and the model's manifest; do not edit it.

## What it is

Handsel takes a picture of one hand, finds it, cuts the square of the palm, and makes a vector of where the palm's lines
lie. Two palms are the same where the best of a few slightly turned views reaches a threshold. Whatever is fitted is
fitted to palms that a program drew: no pixel and no statistic of a person's hand is in it. How to read the figures:

* *Drawn worlds* are large and their labels are right, but drawn palms are not people's. They show whether something
  broke, how it scales and for whom it is worse, not how good it is on people.
* *Photographs* are of few people, in one room with one camera. They support no rate below that of their pairs.
* A rate in brackets has its exact interval (95 %), which takes pairs for independent; pairs of one person are not. An
  interval *over people* draws whole people again. Where nobody was missed, 3 / people is the bound that counts.
* *Failures counted*: a picture in which no palm was read is a reject.
"""

LIMITS = """\
## What it must not be used for

* **To find out who somebody is.** It answers whether a palm that was held out on purpose belongs to a wallet of this
  gallery. Surveillance, attendance, borders, police, age or health: no figure here says anything of those.
* **As the only lock before what cannot be undone.** A payment can be refunded; what cannot, needs a second thing.
* **As proof of life.** What the till says of prints and screens is a hint, not measured on attacks that people made.
* **Beyond the gallery for which a rate was measured.** False matches grow with everybody who is enrolled.
* **On children, and on hands that are injured, gloved or painted.** None is drawn, none was photographed.
* **As evidence about a person.** A match is a number over a threshold, not an identification.
"""


@dataclass(frozen=True)
class Evaluated:
    """
    Hold one evaluation and the name of its file, without its suffix.
    """

    name: str
    figures: Figures


def card_text(figures: Path = FIGURES, manifest: Path = MANIFEST) -> str:
    """
    Return the card that the files in `figures` and `manifest` make.
    """
    models = tomllib.loads(manifest.read_text())
    drawn, photographed = (_evaluated(figures, pattern) for pattern in ("drawn-*.json", "photographs*.json"))
    parts = [
        INTRODUCTION,
        *_recipe(models, _read_json(figures / TRAINING)),
        *_finder(_read_json(figures / FINDER)),
        *_drawn_worlds(drawn, models, figures),
        *_photographs(photographed, models, figures),
        *_attacks(_read_json(figures / ATTACKS)),
        *_gallery_limits(models, drawn),
        LIMITS,
        *_reproduce(drawn, photographed),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _evaluated(figures: Path, pattern: str) -> list[Evaluated]:
    return [Evaluated(path.stem, decode(path.read_bytes())) for path in sorted(figures.glob(pattern))]


def _read_json(path: Path) -> Any:
    return msgspec.json.decode(path.read_bytes()) if path.exists() else None


def _recipe(models: Mapping[str, Mapping[str, Any]], training: Any) -> Iterator[str]:
    yield "## Recipe, seeds and hardware"
    for name, entry in models.items():
        yield f"**{name}** (`{entry['file']}`, SHA-256 `{entry['sha256'][:8]}…`)"
        yield f"* Recipe: {_value(entry.get('recipe', 'not recorded'))}"
        if "threshold" in entry:
            yield f"* Threshold {entry['threshold']}: {entry.get('threshold_source', 'its source is not recorded')}"
    if training is not None:
        yield table(("Of the training", ""), [(_words(key), _value(value)) for key, value in training.items()])


def _finder(measured: Any) -> Iterator[str]:
    """
    Yield what the hand finder's nets do on drawn hands and clutter that they were not trained on.
    """
    yield "## The hand finder"
    if measured is None:
        yield "Not measured yet."
        return
    crops, clutter, people = measured["crops"], measured["clutter"], measured["other_painter"]
    yield (
        "Its two nets, on hands and clutter drawn from other seeds than those they were trained on, and on pictures of "
        "the product's own painter, which they have never seen:"
    )
    error = f"{crops['anchor_error_median']} · {crops['anchor_error_95']}"
    sides = f"{crops['palms_taken_for_backs']:.2%} · {crops['backs_taken_for_palms']:.2%}"
    frames = f"frames of clutter where a hand was found: {clutter['clutter']} plain · {clutter['faces']} with a face"
    rows = (
        ("landmarks of the square, error in palm lengths: median · 95 %", error),
        (f"{crops['crops']} crops: hands missed", f"{crops['missed_hands']:.2%}"),
        ("clutter taken for a hand, in such crops", f"{crops['false_hands']:.2%}"),
        ("palms taken for backs or fists · backs and fists taken for palms", sides),
        (frames, f"{clutter['hands_in_clutter']:.2%} · {clutter['hands_in_faces']:.2%}"),
        (
            f"{people['pictures']} pictures of the other painter: not exactly one palm found",
            f"{people['not_found']:.2%}",
        ),
    )
    yield table(("On drawn hands", ""), rows)
    yield f"Made by `{measured['command']}`, which needs PyTorch (`training/README.md`)."


def _drawn_worlds(worlds: Sequence[Evaluated], models: Mapping[str, Any], figures: Path) -> Iterator[str]:
    yield "## Drawn worlds"
    if not worlds:
        yield "Not measured yet."
        return
    yield (
        "People that a program drew, from seeds that no fit has used: *plain* in the style that the model was fitted "
        "on, *other* by another painter, whose creases, skin, light, rooms and camera no fit has seen. How faint and "
        "how noisy the other paints was set by us, once with a first figure in sight: it serves to compare models and "
        "groups, and says nothing of rates among people."
    )
    yield from _measured(worlds, models, figures)
    for by, words in (("tone", "tone of skin"), ("age", "age"), ("quality", "quality of the picture")):
        yield from _by_group(worlds, by=by, words=words)


def _photographs(sets: Sequence[Evaluated], models: Mapping[str, Any], figures: Path) -> Iterator[str]:
    yield "## Photographs"
    if not sets:
        yield "Not measured yet."
        return
    yield (
        "Photographs of people's hands, used for testing only. **Designs were chosen with these photographs in "
        "sight**, so that the figures are optimistic; nothing was fitted on them. More people, from other cameras, are "
        "needed before any rate below these bounds may be claimed."
    )
    yield from _measured(sets, models, figures)


def _measured(sets: Sequence[Evaluated], models: Mapping[str, Any], figures: Path) -> Iterator[str]:
    """
    Yield a table with a column for each evaluation, its plot, and a warning where it is of another model.
    """
    rows: list[Sequence[str]] = [(name, *(find(each.figures) for each in sets)) for name, find in FIGURE_ROWS]
    for count in ENROLLED_FROM:
        enrolled = [_enrolled_from(each.figures, count) for each in sets]
        if any(enrolled):
            rows.append((f"**enrolled from {count}**", *("" for _ in sets)))
            rows += [(name, *(find(one) if one else "–" for one in enrolled)) for name, find in VERIFICATION_ROWS]
    yield table(("", *(each.name for each in sets)), rows)
    yield from _searches(sets)
    known = set(model_ids(models))
    for each in sets:
        if each.figures.model.model_id not in known:
            yield f"**{each.name} was measured with another model, `{each.figures.model.model_id}`: measure it again.**"
        if (figures / f"{each.name}.svg").exists():
            yield f"![Detection error trade-off, {each.name}](figures/{each.name}.svg)"


def model_ids(models: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """
    Yield the names that models of this manifest give themselves: with the net that they read with, where there is one.
    """
    own = [f"{name}-{entry['sha256'][:ID_DIGITS]}" for name, entry in models.items()]
    nets = [entry["sha256"][:ID_DIGITS] for entry in models.values() if str(entry["file"]).endswith(".onnx")]
    yield from own
    yield from (f"{one}-{net}" for one in own for net in nets)


def _searches(sets: Sequence[Evaluated]) -> Iterator[str]:
    """
    Yield a table of searches among many, for each evaluation and gallery size, enrolled from three where it can be.
    """
    rows = []
    for each in sets:
        one = each.figures.identification[-1]
        for search in one.searches:
            taken = percent(search.taken) if search.taken_bound is None else f"0, ≤ {percent(search.taken_bound)}"
            counted = percent(search.failures_counted)
            rows.append(
                (each.name, str(one.enrolled_from), str(search.gallery), percent(search.missed), counted, taken)
            )
    yield "Searches among many at the threshold, with strangers among who asks (FNIR and FPIR):"
    head = ("", "enrolled from", "palms in the gallery", "missed", "missed, failures counted", "a stranger taken")
    yield table(head, rows)


def _by_group(sets: Sequence[Evaluated], *, by: str, words: str) -> Iterator[str]:
    """
    Yield a table of the rates of each group, where there are groups.
    """
    rows = [
        (
            each.name,
            group.name,
            str(group.palms),
            short_words(group.not_acquired),
            *map(short_words, (group.missed, group.missed_failures_counted, group.missed_from_three, group.matched)),
        )
        for each in sets
        for group in each.figures.breakdown
        if group.by == by
    ]
    if rows:
        yield f"By {words}, at the threshold; matches are of two people of one group:"
        head = ("", words, "palms", "not acquired", "missed", "failures counted", "from three", "matched falsely")
        yield table(head, rows)


def _attacks(attacks: Any) -> Iterator[str]:
    """
    Yield what the hint of an attack misses, by instrument, after ISO/IEC 30107-3.
    """
    yield "## Attack hints"
    yield (
        "One RGB camera cannot tell that a hand is alive. What the till says of prints and screens is a *hint*: it is "
        "counted here on attacks that a program drew, or on photographs shown again, not on attacks that people made."
    )
    if attacks is None:
        yield "Not measured yet."
        return
    yield (
        "*With till light* counts the same where the till's screen changes colour and the hint looks for the answer: "
        "the setting `light_challenge`, off by default. It was measured over four frames in white, red and "
        "blue; the page shows amber, sky blue and pink, and a charge takes two good frames. No daylight was tried."
    )
    yield _attack_table(attacks)
    for name, value in attacks.items() if isinstance(attacks, dict) else ():
        if isinstance(value, dict) and "instruments" in value:
            yield f"{_words(name).capitalize()}:"
            yield _attack_table(value)
        elif name not in ("instruments", "bpcer", "bpcer_low", "bpcer_high"):
            yield f"* {_words(name)}: {_value(value)}"


def _attack_table(attacks: Any) -> str:
    rows = [_attack_row(each, "apcer") for each in _instruments(attacks)]
    if isinstance(attacks, dict) and "bpcer" in attacks:
        real = _attack_row(_real(attacks["bpcer"], attacks), "bpcer")
        rows.append(("**real hands with a hint (BPCER)**", *real[1:]))
    return table(("Instrument", "presentations", "without a hint (APCER)", "95 % interval"), rows)


def _instruments(attacks: Any) -> list[Mapping[str, Any]]:
    found = attacks.get("instruments", []) if isinstance(attacks, dict) else attacks
    return list(found or [])


def _real(real: Any, attacks: Mapping[str, Any]) -> Mapping[str, Any]:
    return real if isinstance(real, dict) else {**attacks, "presentations": "–"}


def _attack_row(counted: Mapping[str, Any], key: str) -> tuple[str, str, str, str]:
    name = _words(str(counted.get("instrument", "")))
    held_out = "" if counted.get("held_out", False) is False else " (held out)"
    interval = f"{percent(counted.get(f'{key}_low'))} to {percent(counted.get(f'{key}_high'))}"
    return name + held_out, str(counted["presentations"]), percent(counted.get(key)), interval


def _gallery_limits(models: Mapping[str, Mapping[str, Any]], drawn: Sequence[Evaluated]) -> Iterator[str]:
    """
    Yield what the manifest says of galleries: every entry that is not one of `SAID_OF_A_MODEL`.
    """
    yield "## How large a gallery may be"
    yield (
        "A false match rate of one pair becomes, in a gallery of N palms, about N times as much for everybody who "
        "asks. The threshold is set on drawn people; between two sets of people that were measured, the rate at one "
        "threshold moved by a factor of five to seven."
    )
    extra = {
        f"{name}: {_words(key)}": value
        for name, entry in models.items()
        for key, value in entry.items()
        if key not in SAID_OF_A_MODEL
    }
    if not extra:
        yield "The manifest holds no measured curve yet."
    for name, value in extra.items():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            head = tuple(dict.fromkeys(key for row in value for key in row))
            yield f"{name}:"
            yield table(tuple(map(_words, head)), [tuple(_value(row.get(key, "–")) for key in head) for row in value])
        else:
            yield f"* {name}: {_value(value)}"
    for each in drawn:
        matched = each.figures.verification[-1].matched
        yield f"* {each.name}: false matches at the threshold {rate_words(matched)}"


def _reproduce(drawn: Sequence[Evaluated], photographed: Sequence[Evaluated]) -> Iterator[str]:
    yield "## To reproduce"
    lines = []
    for each in drawn:
        what = each.figures.pictures
        style = each.name.removeprefix("drawn-").split("-")[0]
        counts = f"--people {what.payers} --shots {what.pictures // what.palms} --hands {what.palms // what.payers}"
        kind = f"--kind {what.kind}"
        lines.append(f".venv/bin/python training/draw_world.py --style {style} {kind} {counts} --out {what.folder}")
        lines.append(f".venv/bin/handsel evaluate {what.folder} {kind} --json docs/figures/{each.name}.json")
    for each in photographed:
        what = each.figures.pictures
        lines.append(
            f".venv/bin/handsel evaluate {what.folder} --kind {what.kind} --json docs/figures/{each.name}.json"
        )
    yield "\n".join(("```", "make setup", *lines, "make card", "```"))
    yield (
        "`training/fit_places.py` fits the whitening and sets the threshold. The photographs are not in this "
        "repository. Counts may differ by a few between machines whose libraries round differently."
    )


def _enrolled_from(figures: Figures, count: int) -> Verification | None:
    return next((each for each in figures.verification if each.enrolled_from == count), None)


def _accepted(fmr: float) -> Callable[[Verification], str]:
    def words(verification: Verification) -> str:
        return accepted_words(next(each for each in verification.at_fmr if each.fmr == fmr))

    return words


def _strictest(verification: Verification) -> str:
    return f"{accepted_words(verification.strictest)} at FMR ≤ {verification.strictest.fmr:.1e}"


FIGURE_ROWS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("pictures of", lambda each: {"hand": "whole hands", "roi": "ready squares"}[each.pictures.kind]),
    ("pictures", lambda each: str(each.pictures.pictures)),
    ("palms · people", lambda each: f"{each.pictures.palms} · {each.pictures.payers}"),
    (
        "label noise, not counted",
        lambda each: f"{each.pictures.ignored_pictures} · {each.pictures.ignored_pairs} pairs",
    ),
    ("failed to acquire", lambda each: rate_words(each.acquisition.not_acquired)),
    ("why", lambda each: ", ".join(f"{why} {count}" for why, count in each.acquisition.reasons.items()) or "–"),
    ("threshold", lambda each: f"{each.model.threshold:.4f}"),
)
VERIFICATION_ROWS: tuple[tuple[str, Callable[[Verification], str]], ...] = (
    ("pairs, same palm · different people", lambda each: f"{each.genuine_pairs} · {each.impostor_pairs}"),
    ("matched falsely at the threshold", lambda each: rate_words(each.matched)),
    ("missed at the threshold", lambda each: rate_words(each.missed)),
    ("missed, failures counted", lambda each: rate_words(each.missed_failures_counted)),
    ("enrolments that a till would begin anew", lambda each: str(each.enrolments_begun_anew)),
    ("equal error rate", lambda each: percent(each.equal_error_rate)),
    *((f"accepted at FMR {fmr:.0e}", _accepted(fmr)) for fmr in FMR_TARGETS),
    ("accepted at no false match", _strictest),
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """
    Return a table of Markdown.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: Any) -> str:
    """
    Return a value of a file in words.
    """
    if isinstance(value, dict):
        return ", ".join(f"{_words(str(key))} {_value(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def main() -> None:
    """
    Write the card.
    """
    CARD.write_text(card_text())
    print(CARD.relative_to(ROOT))


if __name__ == "__main__":
    main()
