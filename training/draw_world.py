"""
Draw a world of people who do not exist, as pictures and `people.csv`, for `handsel evaluate` to be run on.

1. Each person has a seed; `--hands 2` gives both hands, as two folders of one payer.
2. Each shot is one picture: whole hands as a till's camera sees them, or palm squares with a finder's errors.
3. `people.csv` says payer, hand, tone of skin and age, so that figures can be broken down by them.

The seeds of worlds lie far above those of every fit: the first of a plain world is 70000000, of the other style
80000000, unless another is given. The same arguments give the same pictures.

Usage: python training/draw_world.py --people 250 --shots 4 --style other --out DIR   (about five minutes)
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2

from handsel.drawn.person import DrawnPerson
from handsel.drawn.who import Style, WhichHand

FIRST_SEEDS = {Style.PLAIN: 70_000_000, Style.OTHER: 80_000_000}
WORKERS = 2
FRAME_WIDTH, FRAME_HEIGHT = 640, 480  # As the frames on which the threshold was set.
JPEG_QUALITY = 95  # Of the file; the camera that is drawn has compressed once before.
PROGRESS_S = 10.0
COLUMNS = ("person", "payer", "hand", "tone", "age")


@dataclass(frozen=True)
class World:
    """
    Say what is drawn: whose pictures, how many of each hand, of what kind, and where they go.
    """

    seeds: range
    style: Style
    hands: tuple[WhichHand, ...]
    shots: int
    kind: str
    out: Path

    def people(self) -> list[DrawnPerson]:
        """
        Return every hand of every person.
        """
        return [DrawnPerson(seed, self.style, hand) for seed in self.seeds for hand in self.hands]


def folder_of(person: DrawnPerson) -> str:
    """
    Return the name of the folder of one hand.
    """
    return f"{person.seed}-{_side(person)}"


def draw_pictures(world: World, person: DrawnPerson) -> int:
    """
    Draw all pictures of one hand into its folder, and return how many.
    """
    folder = world.out / folder_of(person)
    folder.mkdir()
    for shot in range(world.shots):
        if world.kind == "roi":
            path, picture = folder / f"{shot + 1}.png", person.square(shot)
        else:
            frame = person.frame(shot, width=FRAME_WIDTH, height=FRAME_HEIGHT)
            path, picture = folder / f"{shot + 1}.jpg", frame[..., ::-1]  # OpenCV writes blue first.
        if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
            raise SystemExit(f"{path} cannot be written")
    return world.shots


def write_people(world: World) -> None:
    """
    Write `people.csv`, a line for each folder.
    """
    with (world.out / "people.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(COLUMNS)
        for person in world.people():
            tone, age = f"{person.skin.tone:.3f}", f"{person.age:.1f}"
            lines.writerow((folder_of(person), person.seed, _side(person), tone, age))


def draw_world(world: World) -> int:
    """
    Draw all of `world` with all workers, and return how many pictures there are.
    """
    world.out.mkdir(parents=True)
    people = world.people()
    with ProcessPoolExecutor(max_workers=WORKERS, initializer=cv2.setNumThreads, initargs=(1,)) as workers:
        counts = workers.map(draw_pictures, [world] * len(people), people, chunksize=4)
        total = sum(with_progress(counts, total=len(people)))
    write_people(world)  # Last: a world without it was not finished.
    return total


def with_progress(counts: Iterable[int], *, total: int) -> Iterable[int]:
    """
    Yield `counts`, saying every few seconds how far it is.
    """
    said_at = time.monotonic()
    for number, count in enumerate(counts, start=1):
        yield count
        if time.monotonic() - said_at >= PROGRESS_S or number == total:
            said_at = time.monotonic()
            print(f"drawn: {number} of {total} hands", flush=True)


def parse(words: Sequence[str] | None = None) -> World:
    """
    Return what the command line asks for.
    """
    parser = argparse.ArgumentParser(description="Draw a world of people who do not exist, to be evaluated.")
    parser.add_argument("--people", type=int, required=True, metavar="N", help="how many people")
    parser.add_argument("--shots", type=int, default=4, metavar="K", help="pictures of each hand (default 4)")
    parser.add_argument("--first-seed", type=int, metavar="S", help="of the first person; the others follow")
    parser.add_argument("--style", type=Style, choices=tuple(Style), default=Style.PLAIN, help="which painter")
    parser.add_argument("--hands", type=int, choices=(1, 2), default=1, help="hands of each person (default 1)")
    parser.add_argument("--kind", choices=("hand", "roi"), default="hand", help="whole hands, or palm squares")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that does not exist yet")
    args = parser.parse_args(words)
    first = FIRST_SEEDS[args.style] if args.first_seed is None else args.first_seed
    if args.people < 1 or args.shots < 1 or first < 0:
        parser.error("--people and --shots are 1 or more, --first-seed is 0 or more")
    if args.out.exists():
        parser.error(f"{args.out} exists already")
    seeds = range(first, first + args.people)
    return World(seeds, args.style, tuple(WhichHand)[: args.hands], args.shots, args.kind, args.out)


def _side(person: DrawnPerson) -> str:
    return "right" if person.is_right_handed else "left"


def main() -> None:
    """
    Draw, and say what was drawn.
    """
    world = parse()
    started = time.monotonic()
    total = draw_world(world)
    print(f"{world.out}: {total} pictures of {len(world.people())} hands in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
