"""
Promises of restoring: who lost its rows gets just those back, nobody learns more, and who gives false ones is noticed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from handsel.errors import (
    BindingMismatch,
    EnvelopeInvalid,
    GalleriesDiffer,
    GalleryEmpty,
    GalleryFull,
    GalleryInUse,
    HandselError,
    NotVouched,
    PeerCheated,
    StoreFull,
)
from handsel.matching.columns import Columns
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.entry import ACTIVE, ERASED, PENDING, Entry
from handsel.matching.gallery import Gallery
from handsel.matching.kept import Kept, Shares
from handsel.matching.lockstep import Lockstep
from handsel.matching.masks import Masks, MaskStream
from handsel.matching.message import MATCHERS
from handsel.matching.piece import Piece
from handsel.matching.restoring import give, meet, take
from handsel.matching.rows import Row, Rows
from handsel.matching.voucher import Voucher, Vouchers
from tests.matching import ordered
from tests.matching.cheat import Outcome, Said, changing, play
from tests.matching.ordered import ISSUER, a_gallery, abort, commit, erase
from tests.matching.test_refresh import an_id, dialogues, enrol, keep, require_whole
from tests.matching.vouched import VOUCHERS, require_vouched, vouch, vouching

DIMS = 64
PALMS = 200
GONE = 199
NOW_MS = 1000
Galleries = dict[str, Gallery]
Lie = bytes | tuple[Entry, ...] | tuple[Voucher | None, ...]


@pytest.fixture(params=MATCHERS)
def lost(request: pytest.FixtureRequest) -> str:
    """
    Each of the three in turn.
    """
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The directories of three galleries with 199 palms, most of them in blocks, and one that was erased.
    """
    root = tmp_path_factory.mktemp("begun")
    opened = {name: a_gallery(root / name, me=name, dims=DIMS) for name in MATCHERS}
    for number in range(PALMS):
        enrol(opened, number)
    for gallery in opened.values():
        erase(gallery, an_id(GONE), now_ms=NOW_MS)
        gallery.close()
    return root


@pytest.fixture
def galleries(begun: Path, tmp_path: Path) -> Iterator[Galleries]:
    """
    These three galleries.
    """
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    opened = {name: a_gallery(tmp_path / name, me=name, dims=DIMS) for name in MATCHERS}
    yield opened
    for gallery in opened.values():
        gallery.close()


def wiped(galleries: Galleries, lost: str, tmp_path: Path) -> list[Row]:
    """
    Have one lose its gallery; return the rows that it held.
    """
    rows = all_rows(galleries[lost])
    galleries[lost].close()
    galleries[lost] = a_gallery(tmp_path / f"{lost}-anew", me=lost, dims=DIMS)
    return rows


def all_rows(gallery: Gallery) -> list[Row]:
    """
    Return the rows of a gallery.
    """
    rows = gallery.rows()
    return list(Columns.of(rows, start=0, stop=rows.count).rows())


def masks_of(name: str) -> Masks:
    """
    Return the masks of one attempt.
    """
    keys = {pair: bytes([number] * 32) for number, pair in enumerate(("ab", "bc", "ca"))}
    after, before = {"a": ("ab", "ca"), "b": ("bc", "ab"), "c": ("ca", "bc")}[name]
    return Masks(after=MaskStream(keys[after]), before=MaskStream(keys[before]))


def restore(name: str, lost: str, gallery: Gallery, *, subject: bytes = bytes(32)) -> Dialogue[int]:
    """
    Carry out one matcher's part; return how many rows there were.
    """
    seat = Seat(name)
    met = yield from meet(seat, lost, subject=subject, held=gallery, random_bytes=os.urandom, now_ms=NOW_MS)
    if name != lost:
        yield from give(seat, lost, met, held=gallery, masks=masks_of(name), random_bytes=os.urandom)
        return met.count
    told = list[tuple[int, int]]()
    yield from take(
        seat,
        met,
        restoration=gallery.restoring.begin(met.count, chain=met.chain),
        issuer=ISSUER.public(),
        masks=masks_of(name),
        random_bytes=os.urandom,
        progress=lambda done, count: told.append((done, count)),
        now_ms=NOW_MS,
    )
    assert not met.count or told[-1] == (met.count, met.count)
    return met.count


def restored(galleries: Mapping[str, Gallery], lost: str, **changed: Dialogue[int]) -> Outcome[int]:
    """
    Have all three carry out their parts, some of them changed.
    """
    dialogues = {name: restore(name, lost, gallery) for name, gallery in galleries.items() if name not in changed}
    outcome = play({**dialogues, **changed})
    for dialogue in (*dialogues.values(), *changed.values()):
        dialogue.close()
    return outcome


def helpers_of(lost: str) -> tuple[str, str]:
    """
    Return the names of the next one and of the one before.
    """
    return Seat(lost).others


def test_rows_are_just_those_that_were_lost(galleries: Galleries, lost: str, tmp_path: Path) -> None:
    before, entries = wiped(galleries, lost, tmp_path), set(galleries[helpers_of(lost)[0]].entries())

    outcome = restored(galleries, lost)

    assert outcome.answers == dict.fromkeys(MATCHERS, PALMS - 1)
    assert all_rows(galleries[lost]) == before
    assert set(galleries[lost].entries()) == entries
    require_whole(galleries, range(PALMS - 1))


def test_restored_rows_are_on_disk_and_grow_as_ever(galleries: Galleries, tmp_path: Path) -> None:
    before = wiped(galleries, "b", tmp_path)
    restored(galleries, "b")
    galleries["b"].close()

    galleries["b"] = a_gallery(tmp_path / "b-anew", me="b", dims=DIMS)
    assert all_rows(galleries["b"]) == before
    for gallery in galleries.values():
        erase(gallery, an_id(198), now_ms=NOW_MS)
    for number in range(PALMS, PALMS + 70):
        enrol(galleries, number)

    assert len({gallery.rows().digest for gallery in galleries.values()}) == 1
    assert galleries["b"].rows().count == 198 + 70


def test_small_galleries_are_restored_too(tmp_path: Path) -> None:
    for count in (0, 1, 64, 65):
        galleries = {name: a_gallery(tmp_path / f"{count}-{name}", me=name, dims=DIMS) for name in MATCHERS}
        for number in range(count):
            enrol(galleries, number)
        wiped(galleries, "a", tmp_path / str(count))

        assert restored(galleries, "a").answers == dict.fromkeys(MATCHERS, count)
        assert len({gallery.rows().digest for gallery in galleries.values()}) == 1
        for gallery in galleries.values():
            gallery.close()


def test_renewals_so_far_are_known_and_the_next_is_due(galleries: Galleries, tmp_path: Path) -> None:
    renew(galleries)
    wiped(galleries, "c", tmp_path)

    restored(galleries, "c")

    require_whole(galleries, range(PALMS - 1))
    assert galleries["c"].renewing.since_ms() == 1


def test_nobody_sends_what_says_anything_of_a_share(galleries: Galleries, tmp_path: Path) -> None:
    """
    What each of the two sends is uniform, and the shares of neither are in what the third receives.
    """
    wiped(galleries, "c", tmp_path)
    sent: dict[str, list[Piece]] = {"a": [], "b": []}

    def noting(name: str) -> Dialogue[int]:
        def note(_: int, message: Said) -> bytes:
            if (piece := piece_of(message)) is not None:
                sent[name].append(piece)
            return message.payload

        return changing(restore(name, "c", galleries[name]), note)

    restored(galleries, "c", a=noting("a"), b=noting("b"))

    for name in "ab":
        words = np.frombuffer(sent[name][0].templates, "<u2")
        assert abs(words.mean() - 32767.5) < 1000
        own = np.concatenate([np.frombuffer(row.template, "<u2") for row in all_rows(galleries[name])])
        assert abs(np.corrcoef(words, own)[0, 1]) < 0.05
        mine = np.concatenate([np.frombuffer(row.template, "<u2") for row in all_rows(galleries["c"])])
        assert abs(np.corrcoef(words, mine)[0, 1]) < 0.05


def piece_of(message: Said) -> Piece | None:
    """
    Return a message as the rows that it carries, if it does.
    """
    try:
        return msgspec.msgpack.decode(message.payload, type=Piece)
    except msgspec.MsgspecError:
        return None


def lying(dialogue: Dialogue[int], **lie: Lie) -> Dialogue[int]:
    """
    Give other rows than one's own, and be honest otherwise.
    """

    def change(_: int, message: Said) -> bytes:
        piece = piece_of(message)
        if piece is None or not piece.entries or piece.entries[0].state == PENDING:
            return message.payload
        return msgspec.msgpack.encode(msgspec.structs.replace(piece, **lie))

    return changing(dialogue, change)


def the_piece(galleries: Galleries, lost: str, liar: str) -> Piece:
    """
    Return what one would give, in an attempt whose masks are those of every attempt here.
    """
    found = list[Piece]()

    def note(_: int, message: Said) -> bytes:
        if (piece := piece_of(message)) is not None:
            found.append(piece)
        return b"" if piece_of(message) else message.payload

    restored(galleries, lost, **{liar: changing(restore(liar, lost, galleries[liar]), note)})
    return found[0]


def flipped(content: bytes, at: int) -> bytes:
    """
    Return bytes of which one bit is another.
    """
    return content[:at] + bytes([content[at] ^ 0x80]) + content[at + 1 :]


LIES = ["share", "last share", "alias", "missing", "forged", "of another", "position", "short"]


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("which", [0, 1], ids=["after", "before"])
def test_who_gives_anything_false_is_noticed_and_nothing_is_kept(
    galleries: Galleries, tmp_path: Path, lie: str, which: int
) -> None:
    lost, liar = "b", helpers_of("b")[which]
    wiped(galleries, lost, tmp_path)
    piece = the_piece(galleries, lost, liar)
    lies: dict[str, dict[str, Lie]] = {
        "share": {"templates": flipped(piece.templates, 2 * DIMS * 7 + 1)},
        "last share": {"templates": flipped(piece.templates, len(piece.templates) - 1)},
        "alias": {"aliases": flipped(piece.aliases, 16 * 9)},
        "missing": {"entries": piece.entries[:-1], "ids": piece.ids[:-16]},
        "forged": {"entries": (forged(piece.entries[0]), *piece.entries[1:])},
        "of another": {"entries": (piece.entries[1], piece.entries[0], *piece.entries[2:])},
        "position": {"positions": flipped(piece.positions, 1)},
        "short": {"templates": piece.templates[:-2]},
    }

    outcome = restored(galleries, lost, **{liar: lying(restore(liar, lost, galleries[liar]), **lies[lie])})

    assert type(outcome.raised[lost]) in (PeerCheated, EnvelopeInvalid)
    assert lost not in outcome.answers
    require_nothing_kept(galleries[lost], tmp_path / f"{lost}-anew")
    assert restored(galleries, lost).answers == dict.fromkeys(MATCHERS, PALMS - 1)


def forged(entry: Entry) -> Entry:
    """
    Return an entry with an order that somebody else signed.
    """
    order = ordered.signed("commit", entry.enrolment_id, position=entry.position or 0, by=ordered.STRANGER)
    return msgspec.structs.replace(entry, order=order)


@pytest.mark.parametrize("liar", ["a", "b"])
@pytest.mark.parametrize("when", ["enrolled", "renewed"])
def test_lie_that_is_told_to_all_alike_is_caught_by_what_was_vouched_for(
    galleries: Galleries, tmp_path: Path, liar: str, when: str
) -> None:
    """
    Two shares make a line, whatever they are: who goes on with a false one is not seen by the check of lines.
    """
    if when == "renewed":
        renew(galleries)
    before = wiped(galleries, "c", tmp_path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(galleries[liar], "rows", lambda: false_rows(galleries[liar]))

        outcome = restored(galleries, "c")

    assert type(outcome.raised["c"]) is PeerCheated
    assert "lies" in str(outcome.raised["c"])
    assert outcome.answers == {}
    require_nothing_kept(galleries["c"], tmp_path / "c-anew")
    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)
    assert all_rows(galleries["c"]) == before


def test_without_vouchers_that_lie_would_not_be_caught(
    galleries: Galleries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The check of lines alone takes it: what the test before shows is shown by vouchers, and nothing else.
    """
    wiped(galleries, "c", tmp_path)
    monkeypatch.setattr("handsel.matching.restoring.require_vouched", lambda *_, **__: None)
    false = false_rows(galleries["a"])
    monkeypatch.setattr(galleries["a"], "rows", lambda: false)

    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)


def false_rows(gallery: Gallery) -> Rows:
    """
    Return the rows of a gallery, of which one is false.
    """
    rows = gallery._holding.standing.rows
    templates = rows.segments[0].templates.copy()
    templates[3, 5] ^= 0x8000
    return replace(rows, segments=(replace(rows.segments[0], templates=templates), *rows.segments[1:]))


def require_nothing_kept(gallery: Gallery, directory: Path) -> None:
    """
    Require that nothing has come of a restore.
    """
    assert gallery.rows().count == 0
    assert gallery.entries() == ()
    assert len(list(directory.glob("blocks-*"))) == 1
    assert gallery._stored.select("SELECT count(*) FROM restored") == [(0,)]


def renew(galleries: Galleries) -> None:
    """
    Renew the shares of all three, as they do it themselves.
    """
    Lockstep(dialogues(galleries)).run()


FALSE_VOUCHERS = ["digest", "half", "both of another row", "none"]


@pytest.mark.parametrize("lie", FALSE_VOUCHERS)
@pytest.mark.parametrize("which", [0, 1], ids=["after", "before"])
def test_who_lies_about_a_voucher_is_refused(galleries: Galleries, tmp_path: Path, lie: str, which: int) -> None:
    lost, liar = "b", helpers_of("b")[which]
    wiped(galleries, lost, tmp_path)
    piece = the_piece(galleries, lost, liar)
    mine, other = piece.vouchers[7], piece.vouchers[8]
    assert mine is not None
    lies: dict[str, tuple[Voucher | None, type[HandselError]]] = {
        "digest": (Voucher(flipped(mine.digest, 3), mine.half), PeerCheated),
        "half": (Voucher(mine.digest, flipped(mine.half, 3)), PeerCheated),
        "both of another row": (other, PeerCheated),
        "none": (None, NotVouched),
    }
    said, failure = lies[lie]
    vouchers = (*piece.vouchers[:7], said, *piece.vouchers[8:])

    outcome = restored(galleries, lost, **{liar: lying(restore(liar, lost, galleries[liar]), vouchers=vouchers)})

    assert type(outcome.raised[lost]) is failure
    require_nothing_kept(galleries[lost], tmp_path / f"{lost}-anew")
    assert restored(galleries, lost).answers == dict.fromkeys(MATCHERS, PALMS - 1)


def test_who_shows_what_was_vouched_for_before_a_renewal_is_refused(galleries: Galleries, tmp_path: Path) -> None:
    """
    With the old share and its voucher, as whoever has kept a copy from before the renewal could.
    """
    old = wiped_copy(galleries, tmp_path)
    before = the_piece(old, "c", "a")
    for gallery in old.values():
        gallery.close()
    renew(galleries)
    wiped(galleries, "c", tmp_path)

    for lie in ({"vouchers": before.vouchers}, {"vouchers": before.vouchers, "templates": before.templates}):
        outcome = restored(galleries, "c", a=lying(restore("a", "c", galleries["a"]), **lie))

        assert type(outcome.raised["c"]) is PeerCheated
        require_nothing_kept(galleries["c"], tmp_path / "c-anew")


def wiped_copy(galleries: Galleries, tmp_path: Path) -> Galleries:
    """
    Return the three as they are, in directories of their own, of which c has lost its rows.
    """
    for name in MATCHERS:
        galleries[name].close()
        shutil.copytree(tmp_path / name, tmp_path / "copy" / name)
        galleries[name] = a_gallery(tmp_path / name, me=name, dims=DIMS)
    copies = {name: a_gallery(tmp_path / "copy" / name, me=name, dims=DIMS) for name in "ab"}
    return {**copies, "c": a_gallery(tmp_path / "copy" / "c-anew", me="c", dims=DIMS)}


def test_rows_of_all_ages_are_restored(galleries: Galleries, lost: str, tmp_path: Path) -> None:
    """
    Some were renewed, some came while they were being renewed, some after that, and some of each were erased.
    """
    seed = os.urandom(32)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
    told = {name: vouching(name, gallery, seed) for name, gallery in galleries.items()}
    enrol(galleries, PALMS)
    Lockstep(told).run()
    enrol(galleries, PALMS + 1)
    for gallery in galleries.values():
        erase(gallery, an_id(100), now_ms=NOW_MS)
        gallery.renewing.prepare()
        gallery.renewing.renew(now_ms=NOW_MS)
    enrol(galleries, PALMS + 2)
    for gallery in galleries.values():
        erase(gallery, an_id(PALMS), now_ms=NOW_MS)
        erase(gallery, an_id(4), now_ms=NOW_MS)
    before = wiped(galleries, lost, tmp_path)

    assert restored(galleries, lost).answers == dict.fromkeys(MATCHERS, len(before))
    assert all_rows(galleries[lost]) == before


def test_second_restore_waits_for_the_renewal_that_follows_the_first(galleries: Galleries, tmp_path: Path) -> None:
    """
    What c had vouched for to others is with them still; what others had to c is lost.
    """
    wiped(galleries, "c", tmp_path)
    restored(galleries, "c")
    wiped(galleries, "c", tmp_path / "again")
    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)
    of_a = galleries["a"]
    galleries["a"] = a_gallery(tmp_path / "a-anew", me="a", dims=DIMS)

    outcome = restored(galleries, "a")

    assert type(outcome.raised["a"]) is NotVouched
    assert "handsel renew" in str(outcome.raised["a"])
    require_nothing_kept(galleries["a"], tmp_path / "a-anew")
    galleries["a"].close()
    galleries["a"] = of_a
    renew(galleries)
    require_vouched(galleries)
    wiped(galleries, "a", tmp_path / "again")
    assert restored(galleries, "a").answers == dict.fromkeys(MATCHERS, PALMS - 1)


def test_rows_that_nobody_vouched_for_are_restored_once_they_were_renewed(galleries: Galleries, tmp_path: Path) -> None:
    """
    As those of an earlier version.
    """
    for gallery in galleries.values():
        gallery._stored.execute("DELETE FROM vouchers")
    kept = galleries["c"]
    galleries["c"] = a_gallery(tmp_path / "c-anew", me="c", dims=DIMS)
    assert type(restored(galleries, "c").raised["c"]) is NotVouched
    galleries["c"].close()
    galleries["c"] = kept

    renew(galleries)
    wiped(galleries, "c", tmp_path / "again")

    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)


def test_helper_that_renews_meanwhile_begins_again(galleries: Galleries, tmp_path: Path) -> None:
    seed = os.urandom(32)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
    vouch(galleries, seed)
    wiped(galleries, "c", tmp_path)

    def renew_first(number: int, message: Said) -> bytes:
        if number == 3:
            galleries["a"].renewing.renew(now_ms=NOW_MS)
        return message.payload

    outcome = restored(galleries, "c", a=changing(restore("a", "c", galleries["a"]), renew_first))

    assert type(outcome.raised["a"]) is GalleriesDiffer
    assert outcome.answers == {}
    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)
    require_whole(galleries, range(PALMS - 1))


def test_enrolment_that_is_said_to_be_erased_is_believed_by_its_order_only(
    galleries: Galleries, tmp_path: Path
) -> None:
    wiped(galleries, "c", tmp_path)
    piece = the_piece(galleries, "c", "a")
    one = piece.entries[4].enrolment_id
    silent, shown = Entry(one, ERASED, None), ordered.erased(one)
    for entry, failure in ((silent, GalleriesDiffer), (shown, None)):
        entries = (*piece.entries[:4], entry, *piece.entries[5:])

        outcome = restored(galleries, "c", a=lying(restore("a", "c", galleries["a"]), entries=entries))

        if failure is not None:
            assert type(outcome.raised["c"]) is failure
    # The order is the issuer's: whoever shows it, the row is gone.
    assert galleries["c"].rows().count == PALMS - 2
    assert shown in galleries["c"].entries()


def test_row_erased_while_others_come_stays_erased_and_is_on_no_disk(galleries: Galleries, tmp_path: Path) -> None:
    """
    The order reaches the third before, one of the two in the middle, and the other one after that.
    """
    rows = wiped(galleries, "c", tmp_path)
    erase(galleries["c"], an_id(7), now_ms=NOW_MS)

    def erase_first(number: int, message: Said) -> bytes:
        if number == 4:
            erase(galleries["a"], an_id(7), now_ms=NOW_MS)
            erase(galleries["a"], an_id(150), now_ms=NOW_MS)
        return message.payload

    outcome = restored(galleries, "c", a=changing(restore("a", "c", galleries["a"]), erase_first))

    assert outcome.answers.keys() == set(MATCHERS)
    states = {entry.enrolment_id: entry.state for entry in galleries["c"].entries()}
    assert states[an_id(7)] == ERASED
    content = b"".join(path.read_bytes() for path in (tmp_path / "c-anew").rglob("*") if path.is_file())
    assert rows[7].template not in content
    assert rows[8].template in content
    for name in "bc":
        erase(galleries[name], an_id(150), now_ms=NOW_MS)
    erase(galleries["b"], an_id(7), now_ms=NOW_MS)
    galleries["c"].close()
    galleries["c"] = a_gallery(tmp_path / "c-anew", me="c", dims=DIMS)
    assert len({gallery.rows().digest for gallery in galleries.values()}) == 1


def test_row_that_waits_is_restored_and_can_be_committed(galleries: Galleries, lost: str, tmp_path: Path) -> None:
    keep(galleries, PALMS)
    keep(galleries, PALMS + 1)
    before = galleries[lost]._stored.find(an_id(PALMS))
    wiped(galleries, lost, tmp_path)

    assert restored(galleries, lost).answers == dict.fromkeys(MATCHERS, PALMS - 1)

    kept = galleries[lost]._stored.find(an_id(PALMS))
    assert before is not None
    assert kept is not None
    assert (kept.state, kept.shares) == (PENDING, before.shares)
    for gallery in galleries.values():
        commit(gallery, an_id(PALMS), position=PALMS)
    require_whole(galleries, [*range(PALMS - 1), PALMS])
    renew(galleries)
    require_vouched(galleries)


def test_row_that_waits_at_one_of_the_two_alone_is_not_given(galleries: Galleries, tmp_path: Path) -> None:
    """
    Nor is one for which nobody has vouched, as one of an earlier version.
    """
    keep(galleries, PALMS)
    keep(galleries, PALMS + 1)
    keep(galleries, PALMS + 2)
    abort(galleries["b"], an_id(PALMS), now_ms=NOW_MS)
    galleries["a"]._stored.execute("DELETE FROM vouchers WHERE enrolment_id = ?", (an_id(PALMS + 1),))
    wiped(galleries, "c", tmp_path)

    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)

    states = {entry.enrolment_id: entry.state for entry in galleries["c"].entries()}
    assert states[an_id(PALMS)] == ERASED  # For b shows the order.
    assert an_id(PALMS + 1) not in states
    assert states[an_id(PALMS + 2)] == PENDING


def test_row_that_waits_and_was_aborted_here_meanwhile_stays_so(galleries: Galleries, tmp_path: Path) -> None:
    keep(galleries, PALMS)
    wiped(galleries, "c", tmp_path)
    abort(galleries["c"], an_id(PALMS), now_ms=NOW_MS)

    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)

    states = {entry.enrolment_id: entry.state for entry in galleries["c"].entries()}
    assert states[an_id(PALMS)] == ERASED


def test_false_row_that_waits_is_caught(galleries: Galleries, tmp_path: Path) -> None:
    keep(galleries, PALMS)
    wiped(galleries, "c", tmp_path)
    waiting = galleries["a"].waiting

    def false(limit: int) -> dict[bytes, tuple[Row, Vouchers]]:
        row, vouchers = waiting(limit)[an_id(PALMS)]
        return {an_id(PALMS): (replace(row, template=flipped(row.template, 5)), vouchers)}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(galleries["a"], "waiting", false)
        outcome = restored(galleries, "c")

    assert type(outcome.raised["c"]) is PeerCheated
    require_nothing_kept(galleries["c"], tmp_path / "c-anew")
    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)


@pytest.mark.parametrize("lie", ["twice", "another", "short"])
def test_ill_formed_rows_that_wait_are_refused(galleries: Galleries, tmp_path: Path, lie: str) -> None:
    """
    For the first it takes two liars: what both others give must be the same.
    """
    keep(galleries, PALMS)
    wiped(galleries, "c", tmp_path)

    def change(_: int, message: Said) -> bytes:
        piece = piece_of(message)
        if piece is None or piece.entries[0].state != PENDING:
            return message.payload
        fields = {name: 2 * getattr(piece, name) for name in Piece.__struct_fields__}
        if lie == "another":
            fields = {**msgspec.structs.asdict(piece), "ids": flipped(piece.ids, 3)}
        if lie == "short":
            fields = {**msgspec.structs.asdict(piece), "aliases": b""}
        return msgspec.msgpack.encode(Piece(**fields))

    liars = "ab" if lie == "twice" else "a"
    changed = {name: changing(restore(name, "c", galleries[name]), change) for name in liars}

    outcome = restored(galleries, "c", **changed)

    assert isinstance(outcome.raised["c"], PeerCheated | EnvelopeInvalid)
    require_nothing_kept(galleries["c"], tmp_path / "c-anew")


def test_row_committed_meanwhile_has_all_begin_again(galleries: Galleries, tmp_path: Path) -> None:
    keep(galleries, PALMS)
    wiped(galleries, "c", tmp_path)

    def commit_first(number: int, message: Said) -> bytes:
        if number == 4:
            commit(galleries["a"], an_id(PALMS), position=PALMS + 1)
        return message.payload

    outcome = restored(galleries, "c", a=changing(restore("a", "c", galleries["a"]), commit_first))

    assert type(outcome.raised["a"]) is GalleriesDiffer
    assert galleries["c"].rows().count == 0
    again = restored(galleries, "c")  # The two first tell each other of it.
    assert again.answers == dict.fromkeys(MATCHERS, PALMS)
    assert len({gallery.rows().digest for gallery in galleries.values()}) == 1


def test_helper_that_missed_a_renewal_catches_up_first(galleries: Galleries, tmp_path: Path) -> None:
    seed = os.urandom(32)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
    vouch(galleries, seed)
    galleries["a"].renewing.renew(now_ms=NOW_MS)
    wiped(galleries, "c", tmp_path)

    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)
    require_whole(galleries, range(PALMS - 1))


def test_row_without_an_order_is_not_restored(galleries: Galleries, tmp_path: Path) -> None:
    for gallery in galleries.values():
        kept = gallery._stored.find(an_id(3))
        assert kept is not None
        gallery._stored.write(Kept(kept.enrolment_id, ACTIVE, kept.position, 0, kept.is_sealed, kept.shares))
    wiped(galleries, "c", tmp_path)

    outcome = restored(galleries, "c")

    assert isinstance(outcome.raised["c"], GalleriesDiffer)
    assert "no order" in str(outcome.raised["c"])
    assert galleries["c"].rows().count == 0


def test_full_disk_at_the_end_leaves_nothing(
    galleries: Galleries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreFull("no space")

    wiped(galleries, "c", tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(galleries["c"]._holding, "record", full)
        assert isinstance(restored(galleries, "c").raised["c"], StoreFull)

    assert galleries["c"].rows().count == 0
    assert len(list((tmp_path / "c-anew").glob("blocks-*"))) == 1
    assert restored(galleries, "c").answers == dict.fromkeys(MATCHERS, PALMS - 1)


def test_gallery_that_holds_rows_is_not_written_over(galleries: Galleries) -> None:
    before = all_rows(galleries["c"])

    outcome = restored(galleries, "c")

    assert isinstance(outcome.raised["c"], GalleryInUse)
    assert all_rows(galleries["c"]) == before


def test_gallery_with_a_pending_row_is_not_written_over(tmp_path: Path) -> None:
    gallery = a_gallery(tmp_path / "a", me="a", dims=DIMS)
    gallery.keep_pending([(an_id(1), Shares(bytes(2 * DIMS), bytes(16), bytes(16)), VOUCHERS)], now_ms=NOW_MS)

    with pytest.raises(GalleryInUse):
        gallery.restoring.begin(1, chain=b"")
    gallery.close()


def test_more_rows_than_may_be_are_not_taken(galleries: Galleries, tmp_path: Path) -> None:
    galleries["c"].close()
    galleries["c"] = a_gallery(tmp_path / "c-anew", me="c", dims=DIMS, palms_max=PALMS - 2)

    assert isinstance(restored(galleries, "c").raised["c"], GalleryFull)


def test_matchers_with_other_orders_do_not_begin(galleries: Galleries, tmp_path: Path) -> None:
    wiped(galleries, "c", tmp_path)

    outcome = restored(galleries, "c", b=restore("b", "c", galleries["b"], subject=bytes([1] * 32)))

    assert {type(raised) for raised in outcome.raised.values()} == {BindingMismatch}


def test_empty_gallery_beside_full_ones_says_so(galleries: Galleries, tmp_path: Path) -> None:
    wiped(galleries, "c", tmp_path)
    theirs = galleries["a"].entries()

    assert not galleries["c"].has_lost_rows()
    with pytest.raises(PeerCheated):
        galleries["c"].advance((forged(theirs[0]),), now_ms=NOW_MS)
    assert not galleries["c"].has_lost_rows()
    for entries in (theirs, theirs[:1]):
        with pytest.raises(GalleryEmpty):
            galleries["c"].advance(entries, now_ms=NOW_MS)
    assert galleries["c"].has_lost_rows()
    restored(galleries, "c")
    assert not galleries["c"].has_lost_rows()


def test_errors_of_a_lost_gallery_may_be_asked_again() -> None:
    assert issubclass(GalleryEmpty, HandselError)
    assert GalleryEmpty.is_retryable
    assert not GalleryInUse.is_retryable
