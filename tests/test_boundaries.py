"""
Privacy is an import rule: what a party must never see, its process cannot even load the code for.

The rules are checked on real processes that have just enrolled a palm, been paid by it and refunded it, and been paid
with a card, not on what the sources say.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.wiring.actors import Customer, Shop, TillCamera, open_http
from handsel.wiring.demo import Demo, free_ports, set_up, start
from handsel.wiring.guests import drawn_guests
from handsel.wiring.story import tell_story

WRITE_DOWN = Path(__file__).parent / "journeys" / "loaded_modules"

# A prefix stands for the module and everything below it.
VISION = ("handsel.vision", "handsel.drawn", "cv2", "onnxruntime", "PIL")
ARRAYS = ("numpy", "numba")
DATABASES = ("sqlite3", "_sqlite3", "psycopg", "sqlalchemy")
MONEY = ("handsel.pay", "handsel.bank", "handsel.flows", "handsel.store")
FILES_OF_BANKS = ("sepaxml", "xmlschema", "defusedxml", "handsel.bank.read_statement", "handsel.bank.pain")
SIGNING = ("handsel.notes.issue", "handsel.notes.keep", "handsel.notes.blind_sign")  # With the private keys.

MAY_NOT_LOAD: dict[str, tuple[str, ...]] = {
    "issuer": (*VISION, *ARRAYS, *FILES_OF_BANKS, "handsel.till", "handsel.flows.acquiring", "handsel.store.acquirer"),
    "acquirer": (
        *VISION,
        *ARRAYS,
        *SIGNING,
        *FILES_OF_BANKS,
        "handsel.till",
        "handsel.flows.issuing",
        "handsel.store.issuer",
    ),
    "matcher-a": (
        *VISION,
        *MONEY,
        *SIGNING,
        "handsel.till",
        "handsel.notes",
        "handsel.matching.template",
        "handsel.matching.split",
        "handsel.matching.held_key",
    ),
    "till": (
        *MONEY,
        *DATABASES,
        *SIGNING,
        "handsel.matching.gallery",
        "handsel.matching.party",
        "handsel.matching.matcher",
    ),
}
MAY_NOT_LOAD["matcher-b"] = MAY_NOT_LOAD["matcher-c"] = MAY_NOT_LOAD["matcher-a"]

# Of the match, issuer and acquirer know the messages and how an alias is shared, and nothing else.
MATCHING_OF_BANKS = {"handsel.matching", "handsel.matching.message", "handsel.matching.alias"}

# So that a test that looked at the wrong process, or at none, fails.
MUST_LOAD = {
    "issuer": "handsel.flows.issuing.charge",
    "acquirer": "handsel.flows.acquiring.carry_charge",
    "matcher-a": "handsel.matching.party",
    "matcher-b": "handsel.matching.party",
    "matcher-c": "handsel.matching.party",
    "till": "handsel.vision.read_palm",
}


@pytest.fixture(scope="module")
def loaded_modules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """
    Tell the story on real processes, stop them, and return what each had loaded.
    """
    written = tmp_path_factory.mktemp("modules")
    ports = free_ports()
    demo = set_up(tmp_path_factory.mktemp("handsel"), ports)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(WRITE_DOWN))
        patch.setenv("TEST_LOADED_MODULES", str(written))
        supervisor = start(demo, ports, lambda _: None)
        try:
            tally = tell_story(demo, *drawn_guests(1, 0))
            assert pays_with_a_card(demo)
            process_ids = {name: supervisor.process_id(name) for name in supervisor.names()}
        finally:
            supervisor.stop()
    assert (tally.visits_paid, tally.refunded, tally.erased_pays) == (1, True, False)
    assert tally.paid_back_by_receipt
    return {name: set((written / f"{pid}.txt").read_text().split()) for name, pid in process_ids.items()}


def pays_with_a_card(demo: Demo) -> bool:
    """
    Have a card made, and pay with it.
    """
    guest = drawn_guests(2, 0)[0][1]
    with open_http() as http:
        till, shop = TillCamera(http, demo.till_api), Shop(http, demo)
        _, photograph = till.enrol_card(Customer(http, demo.issuer_api).prepare_card(), guest.enrolment)
        till.dismiss()
        shop.ask()
        return till.pay((lambda: photograph, *guest.visits[0])).screen == "paid"


def those_below(modules: set[str], prefixes: tuple[str, ...]) -> list[str]:
    """
    Return the modules that are, or lie below, one of `prefixes`.
    """
    return sorted(name for name in modules for prefix in prefixes if name == prefix or name.startswith(f"{prefix}."))


def test_a_forbidden_module_is_found() -> None:
    """
    The check can fail: a module below a forbidden prefix is named, a namesake is not.
    """
    assert those_below({"numpy.linalg", "numpydoc"}, ARRAYS) == ["numpy.linalg"]


@pytest.mark.journey
@pytest.mark.parametrize("party", sorted(MAY_NOT_LOAD))
def test_process_has_not_loaded_what_it_must_not_see(party: str, loaded_modules: dict[str, set[str]]) -> None:
    """
    After the whole story, no party's process holds the code for what it must never see.
    """
    modules = loaded_modules[party]

    assert MUST_LOAD[party] in modules
    assert those_below(modules, MAY_NOT_LOAD[party]) == []


@pytest.mark.journey
@pytest.mark.parametrize("bank", ["issuer", "acquirer"])
def test_banks_know_only_the_messages_of_the_match(bank: str, loaded_modules: dict[str, set[str]]) -> None:
    """
    Issuer and acquirer load of `matching` only what carries and shares, never what matches.
    """
    loaded = {
        name for name in loaded_modules[bank] if name == "handsel.matching" or name.startswith("handsel.matching.")
    }

    assert loaded <= MATCHING_OF_BANKS
