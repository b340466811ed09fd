"""
The performance card says what the committed files say, and nothing where a file is not there.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.performance_card import CARD, FIGURES, MANIFEST, card_text, table

from handsel.errors import BadInput
from handsel.evaluate.evaluation import evaluate
from handsel.evaluate.figures import Model, Pictures, decode, encode
from tests.evaluate.made_up import crowd

MODEL_ID = "tiny-0123abcd"
ENTRY = (
    '[tiny]\nfile = "tiny.npz"\nsha256 = "0123abcd99"\nthreshold = 0.5\nrecipe = "Drawn."\nthreshold_source = "Seen."\n'
)


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    """
    Return a folder with one evaluation of made-up people.
    """
    people = crowd(1, palms=12, pictures=4)
    pictures = Pictures("world", "hand", 48, 12, 6, 0, 0)
    found = evaluate(people, pictures=pictures, model=Model(MODEL_ID, 8, 3, 0.9)).figures
    (tmp_path / "drawn-plain.json").write_bytes(encode(found))
    (tmp_path / "manifest.toml").write_text(ENTRY)
    return tmp_path


def test_the_committed_card_is_what_the_committed_figures_make() -> None:
    """
    Run `make card` where this fails.
    """
    assert CARD.read_text() == card_text(FIGURES, MANIFEST)


def test_every_committed_figure_is_small_and_of_counts_only() -> None:
    for path in FIGURES.glob("*.json"):
        assert path.stat().st_size < 60_000
        if path.name.startswith(("drawn-", "photographs")):
            assert encode(decode(path.read_bytes())) == path.read_bytes()


def test_what_was_not_measured_is_said(figures: Path) -> None:
    card = card_text(figures, figures / "manifest.toml")

    assert card.count("Not measured yet.") == 3
    assert "The manifest holds no measured curve yet." in card
    assert "another model" not in card


def test_the_rates_of_an_evaluation_stand_in_the_card(figures: Path) -> None:
    verification = decode((figures / "drawn-plain.json").read_bytes()).verification[0]

    card = card_text(figures, figures / "manifest.toml")

    assert f"| missed at the threshold | {verification.missed.errors} of {verification.missed.trials} = " in card
    assert "too few pairs: it takes 3000000" in card
    assert "--style plain --kind hand --people 6 --shots 4 --hands 2 --out world" in card


def test_the_committed_figures_are_of_the_models_in_use() -> None:
    assert "measured with another model" not in CARD.read_text()


def test_figures_of_another_model_are_told_apart(figures: Path) -> None:
    (figures / "manifest.toml").write_text(ENTRY.replace("0123abcd99", "ffff0000"))

    assert f"measured with another model, `{MODEL_ID}`" in card_text(figures, figures / "manifest.toml")


def test_what_the_manifest_says_of_galleries_is_rendered(figures: Path) -> None:
    curve = "largest_gallery = 1000\nfmr_curve = [{ score = 0.3, fmr = 1e-6 }, { score = 0.4, fmr = 1e-8 }]\n"
    (figures / "manifest.toml").write_text(ENTRY + curve)

    card = card_text(figures, figures / "manifest.toml")

    assert "| score | fmr |\n| --- | --- |\n| 0.3 | 1e-06 |\n| 0.4 | 1e-08 |" in card
    assert "* tiny: largest gallery: 1000" in card


def test_attacks_are_rendered_by_instrument_beside_the_real_hands(figures: Path) -> None:
    counted = {"presentations": 30, "apcer": 0.1, "apcer_low": 0.02, "apcer_high": 0.27}
    attacks = {
        "command": "python measure.py",
        "bpcer": {"presentations": 100, "bpcer": 0.03, "bpcer_low": 0.006, "bpcer_high": 0.085},
        "instruments": [
            {"instrument": "colour_print", **counted},
            {"instrument": "phone", "held_out": True, **counted},
        ],
        "with_till_light": {"instruments": [{"instrument": "mask", **counted}]},
    }
    (figures / "attacks.json").write_text(json.dumps(attacks))

    card = card_text(figures, figures / "manifest.toml")

    assert "| colour print | 30 | 10 % | 2 % to 27 % |" in card
    assert "| phone (held out) | 30 | 10 % | 2 % to 27 % |" in card
    assert "| **real hands with a hint (BPCER)** | 100 | 3 % | 0.6 % to 8.5 % |" in card
    assert "With till light:" in card and "| mask | 30 |" in card
    assert "* command: python measure.py" in card


def test_a_training_is_rendered_as_it_was_logged(figures: Path) -> None:
    (figures / "training.json").write_text('{"hours": 1.5, "seeds": [1, 2], "hardware": {"cores": 2}}')

    card = card_text(figures, figures / "manifest.toml")

    assert "| hours | 1.5 |" in card and "| seeds | 1, 2 |" in card and "| hardware | cores 2 |" in card


def test_a_file_that_holds_no_figures_is_refused(figures: Path) -> None:
    (figures / "drawn-other.json").write_text("{}")

    with pytest.raises(BadInput):
        card_text(figures, figures / "manifest.toml")


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(("a",), [("b|c",)]) == "| a |\n| --- |\n| b\\|c |"
