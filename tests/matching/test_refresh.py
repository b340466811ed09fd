"""
Promises of a renewal: palms and aliases stay, shares do not, and three that are killed in between end alike.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Semaphore
from typing import cast

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.errors import BodyInvalid, GalleriesDiffer, OrderTooOld, PeerCheated, StoreFull
from handsel.log import Log
from handsel.matching.blocks import Blocks
from handsel.matching.columns import Columns
from handsel.matching.dialogue import Dialogue, Receive, Seat
from handsel.matching.gallery import Gallery
from handsel.matching.kept import Shares
from handsel.matching.latest_order import AHEAD_MS_MAX
from handsel.matching.lockstep import Lockstep
from handsel.matching.message import MATCHERS, Order
from handsel.matching.opening import agree
from handsel.matching.peers import Peers
from handsel.matching.refresh import Freshness, Refresher
from handsel.matching.renewal import SEED_BYTES, digest_of_seed, next_chain
from handsel.matching.renewing import LONG_AGO_MS, Renewing
from handsel.matching.ring import POINTS, Words, invert, multiply, multiply_words, subtract, weight_at_zero
from handsel.matching.rows import from_planes
from handsel.matching.sealing import BlockWriter
from handsel.matching.signed_order import SignedOrder
from handsel.matching.split import split_rows, to_wire
from handsel.matching.voucher import DIGEST_BYTES
from tests.matching.cheat import Said, changing, play
from tests.matching.ordered import ISSUER, a_gallery, commit, erase
from tests.matching.three import Three, palm
from tests.matching.vouched import require_vouched, vouch, vouchers_of, vouching

DIMS = 64
NOW_MS = 1000
WAIT_S = 20.0
Galleries = Mapping[str, Gallery]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The directories of three galleries with 200 palms, most of them in blocks.
    """
    root = tmp_path_factory.mktemp("begun")
    opened = {name: a_gallery(root / name, me=name, dims=DIMS, palms_max=1000) for name in MATCHERS}
    for number in range(200):
        enrol(opened, number)
    for gallery in opened.values():
        gallery.close()
    return root


@pytest.fixture
def galleries(begun: Path, tmp_path: Path) -> Iterator[Galleries]:
    """
    These three galleries.
    """
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    opened = {name: a_gallery(tmp_path / name, me=name, dims=DIMS, palms_max=1000) for name in MATCHERS}
    yield opened
    for gallery in opened.values():
        gallery.close()


def an_id(number: int) -> bytes:
    """
    Return the id of an enrolment.
    """
    return number.to_bytes(16, "big")


def alias_of(number: int) -> bytes:
    """
    Return the alias that belongs to an enrolment.
    """
    return np.random.default_rng(number).bytes(16)


def enrol(galleries: Galleries, number: int) -> None:
    """
    Keep and commit a palm at all three.
    """
    keep(galleries, number)
    for gallery in galleries.values():
        commit(gallery, an_id(number), position=number + 1)


def keep(galleries: Galleries, number: int) -> None:
    """
    Keep a palm as pending at all three.
    """
    first, second = os.urandom(16), os.urandom(16)
    parts = [first, second, xor(alias_of(number), xor(first, second))]
    shares = {
        name: Shares(to_wire(share), parts[index], xor(parts[index], parts[(index + 1) % 3]))
        for index, (name, share) in enumerate(zip(MATCHERS, split_rows(palm(number)), strict=True))
    }
    for name, vouchers in vouchers_of(an_id(number), shares).items():
        galleries[name].keep_pending([(an_id(number), shares[name], vouchers)], now_ms=NOW_MS)


def xor(a: bytes, b: bytes) -> bytes:
    """
    Return a ^ b.
    """
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def templates(gallery: Gallery) -> Words:
    """
    Return a matcher's shares of all palms, (N, D).
    """
    rows = gallery.rows()
    return cast(Words, np.concatenate([segment.templates for segment in rows.segments])[: rows.count])


def require_whole(galleries: Galleries, numbers: Sequence[int]) -> None:
    """
    Require that the three hold the palms and aliases of these enrolments, and agree on it.
    """
    assert len({gallery.rows().digest for gallery in galleries.values()}) == 1
    shares = [templates(galleries[name]) for name in MATCHERS]
    joined = sum(multiply_words(share, weight_at_zero(index)) for index, share in enumerate(shares))
    assert np.array_equal(np.asarray(joined, np.uint16).view(np.int16), np.stack([palm(number) for number in numbers]))
    own = [np.concatenate([from_planes(one.own) for one in galleries[name].rows().segments]) for name in MATCHERS]
    pair = [np.concatenate([from_planes(one.pair) for one in galleries[name].rows().segments]) for name in MATCHERS]
    aliases = (own[0] ^ own[1] ^ own[2])[: len(numbers)]
    assert [alias.tobytes() for alias in aliases] == [alias_of(number) for number in numbers]
    assert all(np.array_equal(pair[i], own[i] ^ own[(i + 1) % 3]) for i in range(3))


def renewals(gallery: Gallery) -> int:
    """
    Return how often the shares of a gallery were renewed.
    """
    count: int = gallery._stored.select("SELECT count FROM renewals")[0][0]
    return count


def dialogues(galleries: Galleries) -> dict[str, Dialogue[None]]:
    """
    Return the three dialogues of one renewal.
    """
    return {name: whole(refresher(name, gallery)) for name, gallery in galleries.items()}


def refresher(name: str, gallery: Gallery) -> Refresher:
    """
    Return who would renew one gallery, and reaches nobody.
    """
    log = Log("matcher", io.StringIO())
    return Refresher(name, cast(Peers, None), gallery, every_ms=1, clock=lambda: NOW_MS, log=log)


def whole(refresher: Refresher) -> Dialogue[None]:
    """
    Carry out both parts of a renewal.
    """
    begun = yield from refresher.begin()
    yield from refresher.complete(begun)


def agreed(galleries: Galleries) -> None:
    """
    Have the three begin a query.
    """
    Lockstep(
        {
            name: agree(name, subject=bytes(32), held=gallery, random_bytes=os.urandom, now_ms=NOW_MS)
            for name, gallery in galleries.items()
        }
    ).run()


def stopped_before(dialogue: Dialogue[None], message: int) -> Dialogue[None]:
    """
    Carry a dialogue on until it would receive its message of that number, and end it there.
    """
    asked, received = next(dialogue), 0
    while True:
        if isinstance(asked, Receive):
            received += 1
            if received == message:
                dialogue.close()
                return
        asked = dialogue.send((yield asked))


def test_palms_and_aliases_stay_and_every_share_is_another(galleries: Galleries) -> None:
    before = {name: templates(gallery) for name, gallery in galleries.items()}

    Lockstep(dialogues(galleries)).run()

    require_whole(galleries, range(200))
    require_vouched(galleries)
    for name, gallery in galleries.items():
        assert renewals(gallery) == 1
        assert gallery.renewing.since_ms() == NOW_MS
        assert np.mean(before[name] == templates(gallery)) < 0.01


def joined(one: Words, other: Words) -> NDArray[np.int16]:
    """
    Return what a's and b's shares say together: a line has two points.
    """
    at_a, at_b = POINTS[:2]
    weight_a = multiply(at_b, invert(subtract(at_b, at_a)))
    weight_b = multiply(at_a, invert(subtract(at_a, at_b)))
    whole = multiply_words(one, weight_a) + multiply_words(other, weight_b)
    return whole.view(np.int16)


def test_shares_of_before_and_after_are_worthless_together(galleries: Galleries) -> None:
    palms = np.stack([palm(number) for number in range(200)])
    before = [templates(galleries[name]) for name in "ab"]
    Lockstep(dialogues(galleries)).run()
    after = [templates(galleries[name]) for name in "ab"]

    assert np.array_equal(joined(*before), palms)
    assert np.array_equal(joined(*after), palms)
    for mixed in (joined(before[0], after[1]), joined(after[0], before[1])):
        assert np.mean(mixed == palms) < 0.001
        assert abs(np.corrcoef(mixed.ravel(), palms.ravel())[0, 1]) < 0.05


def test_old_shares_are_on_no_disk(galleries: Galleries, tmp_path: Path) -> None:
    before = templates(galleries["a"])

    Lockstep(dialogues(galleries)).run()

    content = b"".join(path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert not any(row.tobytes() in content for row in before)
    assert any(row.tobytes() in content for row in templates(galleries["a"]))


def test_renewals_follow_each_other_and_a_restart(galleries: Galleries, tmp_path: Path) -> None:
    for _ in range(2):
        Lockstep(dialogues(galleries)).run()
    for gallery in galleries.values():
        gallery.close()

    again = {name: a_gallery(tmp_path / name, me=name, dims=DIMS, palms_max=1000) for name in MATCHERS}

    assert renewals(again["c"]) == 2
    require_whole(again, range(200))
    require_vouched(again)
    for gallery in again.values():
        gallery.close()


def test_who_was_killed_before_it_renewed_catches_up_at_the_next_query(galleries: Galleries, tmp_path: Path) -> None:
    told = dialogues(galleries)
    counted = {**told, "c": stopped_before(told["c"], _last_message(galleries, tmp_path))}
    Lockstep(counted).run()
    assert [renewals(galleries[name]) for name in MATCHERS] == [1, 1, 0]

    agreed(galleries)

    assert renewals(galleries["c"]) == 1
    require_whole(galleries, range(200))
    require_vouched(galleries)


def _last_message(galleries: Galleries, tmp_path: Path) -> int:
    """
    Return the number of the last message that a matcher receives in a renewal.
    """
    others = {name: a_gallery(tmp_path / f"count-{name}", me=name, dims=DIMS, palms_max=10) for name in MATCHERS}
    enrol(others, 0)
    count = 0

    def counting(dialogue: Dialogue[None]) -> Dialogue[None]:
        nonlocal count
        asked = next(dialogue)
        while True:
            count += isinstance(asked, Receive)
            try:
                asked = dialogue.send((yield asked))
            except StopIteration:
                return

    told = dialogues(others)
    Lockstep({**told, "c": counting(told["c"])}).run()
    for gallery in others.values():
        gallery.close()
    return count


def test_when_shares_were_renewed_is_known_until_it_is_ordered_again(galleries: Galleries) -> None:
    told = refresher("a", galleries["a"])
    never = told.freshness()
    told.after_query()  # From now on their age counts.
    counted = told.freshness()

    Lockstep(dialogues(galleries)).run()
    renewed = told.freshness()
    galleries["a"].renewing.make_due(*an_order(NOW_MS))

    assert never == counted == Freshness(None, is_ordered=False, every_ms=1)
    assert renewed == Freshness(NOW_MS, is_ordered=False, every_ms=1)
    assert told.freshness() == Freshness(None, is_ordered=True, every_ms=1)
    told.close()


def test_row_that_becomes_active_while_seeds_are_kept_is_renewed_by_nobody(galleries: Galleries) -> None:
    seed, digest = os.urandom(SEED_BYTES), galleries["a"].rows().digest
    keep(galleries, 200)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=digest)
    galleries["a"].renewing.renew(now_ms=NOW_MS)
    commit(galleries["a"], an_id(200), position=201)
    commit(galleries["b"], an_id(200), position=201)
    galleries["b"].renewing.renew(now_ms=NOW_MS)

    agreed(galleries)

    require_whole(galleries, range(201))


def test_seed_for_other_rows_is_not_kept(galleries: Galleries) -> None:
    digest = galleries["a"].rows().digest
    enrol(galleries, 200)

    with pytest.raises(GalleriesDiffer):
        galleries["a"].renewing.keep_seed(os.urandom(SEED_BYTES), digest=digest)


def test_new_seed_replaces_one_that_not_all_have_kept(galleries: Galleries) -> None:
    for name in "ab":
        galleries[name].renewing.keep_seed(os.urandom(SEED_BYTES), digest=galleries[name].rows().digest)
    enrol(galleries, 200)

    Lockstep(dialogues(galleries)).run()

    require_whole(galleries, range(201))


def test_erased_row_stays_erased_through_a_renewal(galleries: Galleries) -> None:
    seed = os.urandom(SEED_BYTES)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
        erase(gallery, an_id(199), now_ms=NOW_MS)
        gallery.renewing.renew(now_ms=NOW_MS)

    require_whole(galleries, range(199))


def test_who_missed_a_renewal_is_not_matched_with(galleries: Galleries) -> None:
    seed = os.urandom(SEED_BYTES)
    for name in "ab":
        galleries[name].renewing.keep_seed(seed, digest=galleries[name].rows().digest)
        galleries[name].renewing.renew(now_ms=NOW_MS)

    with pytest.raises(GalleriesDiffer):
        agreed(galleries)


def test_one_peer_s_word_renews_nothing(galleries: Galleries) -> None:
    seed = os.urandom(SEED_BYTES)
    for name in "ab":
        galleries[name].renewing.keep_seed(seed, digest=galleries[name].rows().digest)
    ahead, mine = next_chain(b"", seed), digest_of_seed(seed)

    for others in ([(ahead, b""), (b"", b"")], [(ahead, b""), (b"", bytes(32))], [(b"", mine), (b"", mine)]):
        galleries["a"].catch_up(others, now_ms=NOW_MS)
        assert renewals(galleries["a"]) == 0
    galleries["a"].catch_up([(ahead, b""), (b"", mine)], now_ms=NOW_MS)
    galleries["b"].catch_up([(ahead, b""), (ahead, b"")], now_ms=NOW_MS)

    assert [renewals(galleries[name]) for name in "ab"] == [1, 1]


def test_shares_that_do_not_belong_together_have_other_digests(galleries: Galleries) -> None:
    for gallery in galleries.values():
        gallery.renewing.keep_seed(os.urandom(SEED_BYTES), digest=gallery.rows().digest)
        gallery.renewing.renew(now_ms=NOW_MS)

    assert len({gallery.rows().digest for gallery in galleries.values()}) == 3


def test_seed_and_old_shares_that_a_kill_left_in_the_log_go_at_the_start(tmp_path: Path) -> None:
    gallery = a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=1000)
    enrol({"a": gallery, "b": gallery_of(tmp_path, "b"), "c": gallery_of(tmp_path, "c")}, 1)
    before, seed = templates(gallery)[0].tobytes(), os.urandom(SEED_BYTES)
    gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
    gallery._stored.forget_log = lambda: None  # type: ignore[method-assign]
    gallery.renewing.renew(now_ms=NOW_MS)
    gallery.close()

    a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=1000).close()

    content = b"".join(path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert before not in content
    assert seed not in content


def gallery_of(tmp_path: Path, name: str) -> Gallery:
    """
    Return an empty gallery of another matcher.
    """
    return a_gallery(tmp_path / name, me=name, dims=DIMS, palms_max=1000)


def test_rows_that_come_and_go_while_blocks_are_written_are_neither_lost_nor_back(galleries: Galleries) -> None:
    """
    Between the seed and the switch 70 rows are committed, so that a block is sealed, and rows are erased: of the tail,
    and one that was vouched for. Each row that is left is vouched for.
    """
    seed, digest = os.urandom(SEED_BYTES), galleries["a"].rows().digest
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=digest)
    vouch(galleries, seed)
    enrol(galleries, 200)  # Before the writing begins,
    for gallery in galleries.values():
        gallery.renewing.prepare()
    for number in range(201, 270):  # and after it.
        enrol(galleries, number)
    for gallery in galleries.values():
        erase(gallery, an_id(269), now_ms=NOW_MS)
        erase(gallery, an_id(199), now_ms=NOW_MS)
        gallery.renewing.renew(now_ms=NOW_MS)

    assert {1} == {renewals(gallery) for gallery in galleries.values()}
    assert {NOW_MS} == {gallery.renewing.since_ms() for gallery in galleries.values()}
    require_whole(galleries, [*range(199), *range(200, 269)])
    require_vouched(galleries)


@pytest.mark.parametrize("name", MATCHERS)
def test_row_erased_while_it_is_being_written_stays_erased(
    galleries: Galleries, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    At one of the three the erasure comes in the middle of the writing, at the others after it.
    """
    seed, written = os.urandom(SEED_BYTES), list[int]()
    add = BlockWriter.add

    def erase_first(writer: BlockWriter, columns: Columns) -> None:
        written.append(len(columns))
        if len(written) == 1:
            erase(galleries[name], an_id(7), now_ms=NOW_MS)
        add(writer, columns)

    monkeypatch.setattr("handsel.matching.standing.AT_ONCE_BLOCKS", 1)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
    with monkeypatch.context() as patched:
        patched.setattr(BlockWriter, "add", erase_first)
        galleries[name].renewing.prepare()
    for other in set(MATCHERS) - {name}:
        galleries[other].renewing.prepare()
        erase(galleries[other], an_id(7), now_ms=NOW_MS)
    for gallery in galleries.values():
        gallery.renewing.renew(now_ms=NOW_MS)

    assert len({gallery.rows().digest for gallery in galleries.values()}) == 1
    assert {199} == {gallery.rows().count for gallery in galleries.values()}
    ids = {one.tobytes() for one in galleries[name].rows().ids}
    assert an_id(7) not in ids
    for one in MATCHERS:
        assert len(list((tmp_path / one).glob("blocks-*"))) == 1


def test_rows_are_vouched_for_from_their_enrolment_on_and_by_nothing_old_later(galleries: Galleries) -> None:
    require_vouched(galleries)
    enrolled = galleries["a"].vouchers(0, 1000, chain=b"")

    Lockstep(dialogues(galleries)).run()
    first = galleries["a"].vouchers(0, 1000, chain=galleries["a"].rows().chain)
    Lockstep(dialogues(galleries)).run()
    second = galleries["a"].vouchers(0, 1000, chain=galleries["a"].rows().chain)

    require_vouched(galleries)
    told = [{one.after.digest for one in each.values()} for each in (enrolled, first, second)]
    assert not (told[0] & told[1] or told[1] & told[2] or told[0] & told[2])
    kept = galleries["a"]._stored.select("SELECT (SELECT count(*) FROM vouchers), count(*) FROM renewed_vouchers")
    assert kept == [(0, 1)]


def test_old_vouchers_are_on_no_disk(galleries: Galleries, tmp_path: Path) -> None:
    Lockstep(dialogues(galleries)).run()
    chain = galleries["a"].rows().chain
    old = [one for both in galleries["a"].vouchers(0, 1000, chain=chain).values() for one in (both.after, both.before)]
    erase(galleries["a"], an_id(3), now_ms=NOW_MS)
    content = b"".join(path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert old[6].digest not in content
    assert old[7].digest not in content
    assert old[8].digest in content
    for name in "bc":
        erase(galleries[name], an_id(3), now_ms=NOW_MS)

    Lockstep(dialogues(galleries)).run()

    content = b"".join(path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert not any(one.digest in content or one.half in content for one in old)


def test_row_erased_before_its_voucher_comes_gets_none(galleries: Galleries) -> None:
    seed = os.urandom(SEED_BYTES)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
    told = {name: vouching(name, gallery, seed) for name, gallery in galleries.items()}
    for gallery in galleries.values():
        erase(gallery, an_id(5), now_ms=NOW_MS)
    Lockstep(told).run()

    for gallery in galleries.values():
        gallery.renewing.renew(now_ms=NOW_MS)

    require_vouched(galleries)
    assert {NOW_MS} == {gallery.renewing.since_ms() for gallery in galleries.values()}


def test_rows_that_were_renewed_without_vouchers_are_renewed_again_next(galleries: Galleries) -> None:
    seed = os.urandom(SEED_BYTES)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
        gallery.renewing.renew(now_ms=NOW_MS)

    assert {LONG_AGO_MS} == {gallery.renewing.since_ms() for gallery in galleries.values()}
    assert galleries["a"].vouchers(0, 1000, chain=galleries["a"].rows().chain) == {}


def test_vouchers_of_a_seed_that_is_replaced_are_forgotten(galleries: Galleries) -> None:
    seeds = [os.urandom(SEED_BYTES), os.urandom(SEED_BYTES)]
    for seed in seeds:
        for gallery in galleries.values():
            gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)
        galleries["a"].renewing.forget_old_vouched()
        vouch(galleries, seed)

    kept = {chain for (chain,) in galleries["a"]._stored.select("SELECT chain FROM renewed_vouchers")}

    assert kept == {next_chain(b"", seeds[1])}
    require_vouched(galleries)  # Those of their enrolment count until the switch.


@pytest.mark.parametrize("liar", MATCHERS)
def test_who_vouches_to_both_others_differently_is_caught_and_nobody_switches(galleries: Galleries, liar: str) -> None:
    told = dialogues(galleries)
    to = Seat(liar).after

    def change(_: int, message: Said) -> bytes:
        is_piece = message.to == to and len(message.payload) == 200 * DIGEST_BYTES
        return bytes(DIGEST_BYTES) + message.payload[DIGEST_BYTES:] if is_piece else message.payload

    outcome = play({**told, liar: changing(told[liar], change)})

    assert type(outcome.raised[to]) is PeerCheated
    assert outcome.answers == {}
    assert {0} == {renewals(gallery) for gallery in galleries.values()}


def test_rows_are_matched_as_before_until_the_switch(galleries: Galleries) -> None:
    gallery = galleries["a"]
    before, shares = gallery.rows().digest, templates(gallery)
    gallery.renewing.keep_seed(os.urandom(SEED_BYTES), digest=before)

    gallery.renewing.prepare()

    assert gallery.rows().digest == before
    assert np.array_equal(templates(gallery), shares)
    gallery.renewing.renew(now_ms=NOW_MS)
    assert gallery.rows().digest != before
    assert not np.array_equal(templates(gallery), shares)


def test_blocks_that_were_prepared_with_another_seed_are_not_used(galleries: Galleries, tmp_path: Path) -> None:
    for gallery in galleries.values():
        gallery.renewing.keep_seed(os.urandom(SEED_BYTES), digest=gallery.rows().digest)
        gallery.renewing.prepare()

    Lockstep(dialogues(galleries)).run()

    require_whole(galleries, range(200))
    assert len(list((tmp_path / "a").glob("blocks-*"))) == 1


def test_full_disk_while_blocks_are_written_leaves_what_there_was(
    galleries: Galleries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreFull("no space")

    before = galleries["a"].rows().digest
    with monkeypatch.context() as patched:
        patched.setattr(Blocks, "write", full)
        with pytest.raises(StoreFull):
            Lockstep(dialogues(galleries)).run()

    assert galleries["a"].rows().digest == before
    assert len(list((tmp_path / "a").glob("blocks-*"))) == 1
    Lockstep(dialogues(galleries)).run()
    require_whole(galleries, range(200))


class Slowly:
    """
    Hold up whoever writes renewed rows beside, until it is told to go on.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go_on = Semaphore(0), Event()
        prepare = Renewing.prepare

        def prepare_slowly(renewing: Renewing) -> None:
            self.begun.release()
            assert self.go_on.wait(WAIT_S)
            prepare(renewing)

        monkeypatch.setattr(Renewing, "prepare", prepare_slowly)


def test_queries_are_answered_and_palms_come_and_go_while_a_renewal_writes(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly = Slowly(monkeypatch)
    first = three.enrol(palm(1), alias_of(1), position=1)
    three.enrol(palm(2), alias_of(2), position=2)
    three.order("renew", "0" * 31 + "1")
    assert three.alias_of(palm(1)) == alias_of(1)
    for _ in MATCHERS:
        assert slowly.begun.acquire(timeout=WAIT_S)

    assert three.alias_of(palm(1)) == alias_of(1)
    three.enrol(palm(3), alias_of(3), position=3)
    three.order("erase", first)
    assert [three.alias_of(palm(number)) for number in (1, 2, 3)] == [None, alias_of(2), alias_of(3)]
    assert [renewals(matcher._gallery) for matcher in three.matchers.values()] == [0, 0, 0]
    slowly.go_on.set()
    for matcher in three.matchers.values():
        matcher._refresher._background.submit(int).result()

    assert [renewals(matcher._gallery) for matcher in three.matchers.values()] == [1, 1, 1]
    assert [three.alias_of(palm(number)) for number in (1, 2, 3)] == [None, alias_of(2), alias_of(3)]


def an_order(at_ms: int, number: int = 1) -> tuple[Order, SignedOrder]:
    """
    Return an order to renew, in the clear and signed.
    """
    order = Order("renew", an_id(number).hex(), 0, at_ms)
    body = msgspec.msgpack.encode(order)
    return order, SignedOrder(body, ISSUER.signature(body))


def test_order_to_renew_is_heeded_once_and_confirmed_again(galleries: Galleries, tmp_path: Path) -> None:
    gallery, latest = galleries["a"], an_order(NOW_MS)
    gallery.renewing.make_due(*latest)
    assert gallery.renewing.since_ms() == LONG_AGO_MS
    gallery.renewing.count_from(NOW_MS)
    gallery.close()

    again = a_gallery(tmp_path / "a", me="a", dims=DIMS)
    again.renewing.make_due(*latest)

    assert again.renewing.since_ms() == NOW_MS
    again.close()


def test_order_to_renew_that_a_later_one_followed_is_refused(galleries: Galleries) -> None:
    gallery = galleries["a"]
    gallery.renewing.make_due(*an_order(NOW_MS))
    gallery.renewing.count_from(NOW_MS)

    for at_ms in (0, NOW_MS - 1, NOW_MS):
        with pytest.raises(OrderTooOld):
            gallery.renewing.make_due(*an_order(at_ms, number=2))
    assert gallery.renewing.since_ms() == NOW_MS
    gallery.renewing.make_due(*an_order(NOW_MS + 1, number=2))

    assert gallery.renewing.since_ms() == LONG_AGO_MS
    with pytest.raises(OrderTooOld):
        gallery.renewing.make_due(*an_order(NOW_MS))


def test_order_from_the_future_is_refused_and_one_from_an_hour_ago_is_not(three: Three) -> None:
    now_ms = three.clock()
    for at_ms, is_taken in ((now_ms - 3_600_000, True), (now_ms + 2 * AHEAD_MS_MAX, False), (now_ms, True)):
        body = msgspec.msgpack.encode(Order("renew", "0" * 32, 0, at_ms))
        if is_taken:
            three.matchers["a"].carry_out(body, three.issuer.signature(body))
        else:
            with pytest.raises(BodyInvalid):
                three.matchers["a"].carry_out(body, three.issuer.signature(body))


def test_matchers_renew_after_the_query_that_follows_an_order(three: Three) -> None:
    three.enrol(palm(1), alias_of(1), position=1)
    three.order("renew", "0" * 31 + "1")

    assert three.alias_of(palm(1)) == alias_of(1)
    for matcher in three.matchers.values():
        matcher._refresher._background.submit(int).result()

    assert [renewals(matcher._gallery) for matcher in three.matchers.values()] == [1, 1, 1]
    assert three.alias_of(palm(1)) == alias_of(1)
