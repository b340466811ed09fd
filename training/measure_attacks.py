"""
Set the levels of the attack hint on drawn real hands, and measure what it misses, instrument by instrument.

`fit` draws real hands and prints, for each cue, the median and the farthest: the levels at which the cue says nothing
and one half. No attack goes in. They are copied by hand into `vision/attack_hint.py`.

`measure` draws other real hands and attacks, four frames each, reads them as a till does, and counts as ISO/IEC 30107-3
does: BPCER, the share of real presentations with a hint, and APCER, for each instrument the share of attack
presentations without one, both of those of which a palm was read; with exact (Clopper-Pearson) 95 % intervals. The
till's screen is white, red, blue and white in the four frames; where `light_challenge` is on, a till's page shows other
colours: `till/light.py`. Each presentation is judged twice: without the answer to that light, as is the default,
and with it. Photographs of real hands in a folder (`<person>/<n>.jpg`) are only looked at: as they are, and copied once
more through the drawn screens.

Usage: python training/measure_attacks.py fit
       python training/measure_attacks.py measure [--presentations N] [--real N] [--photos DIR]     (20 minutes)
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from handsel.drawn.copy_of_hand import Instrument
from handsel.drawn.presentation import SHOWN, Colour, Presentation, draw_attack, draw_real, present_photo
from handsel.evaluate import interval as interval_of
from handsel.vision.attack_hint import HINT_MIN, Measures, judge, measure
from handsel.vision.eyes import open_reader
from handsel.vision.frame import Frame, decode_file
from handsel.vision.hand import WRIST
from handsel.vision.read_palm import PalmReader, PalmReading
from handsel.vision.sight import Sight, look_at

FIGURES = Path(__file__).resolve().parent.parent / "docs" / "figures" / "attacks.json"
WORKERS = 2
FIT_FIRST_SEED, FIT_PRESENTATIONS = 30_000_000, 80
FIRST_SEED, COPIED_FIRST_SEED = 50_000_000, 60_000_000
ATTACKS_OFFSET = 1_000_000
PRESENTATIONS, REAL_PRESENTATIONS = 40, 120
# A page in red and in blue between the usual white.
ASKED: tuple[Colour, ...] = ((1.0, 1.0, 1.0), (1.0, 0.1, 0.1), (0.1, 0.2, 1.0), (1.0, 1.0, 1.0))
# Those that the cues were made for; no level was set with any.
DESIGNED_ON = frozenset({Instrument.MONITOR, Instrument.COLOUR_PRINT, Instrument.LASER_PRINT})
RECAPTURED = (Instrument.MONITOR, Instrument.PHONE)
RECAPTURES = 6  # Photographs that are copied once more, with each instrument.
MIDDLE_TIP = 12  # Landmark.

T = TypeVar("T")


@dataclass(frozen=True)
class Task:
    """
    One presentation to be drawn; `instrument` is None for a real hand. `photo` is copied in place of a drawn hand.
    """

    seed: int
    instrument: Instrument | None
    till_colours: tuple[Colour, ...] = SHOWN
    photo: Path | None = None


def main() -> None:
    """
    Fit or measure, as the command line asks.
    """
    parser = argparse.ArgumentParser(description="Set the levels of the attack hint, or measure it.")
    parser.add_argument("what", choices=("fit", "measure"))
    parser.add_argument("--presentations", type=int, default=PRESENTATIONS, help="with each instrument")
    parser.add_argument("--real", type=int, default=REAL_PRESENTATIONS, help="drawn real hands")
    parser.add_argument("--photos", type=Path, help="folder of photographs <person>/<n>.jpg, to be looked at only")
    arguments = parser.parse_args()
    if arguments.what == "fit":
        _fit()
    else:
        _measure(arguments.presentations, arguments.real, arguments.photos)


def _fit() -> None:
    measured = _measured([Task(FIT_FIRST_SEED + i, None, ASKED) for i in range(FIT_PRESENTATIONS)])
    found = [each for each in measured if each is not None]
    farthest = {"periodic": max, "colour": min, "left": min, "answer": min}
    print(f"{len(found)} of {len(measured)} drawn real hands were read")
    for cue, end in farthest.items():
        values = [value for each in found if (value := getattr(each, cue)) is not None]
        print(f"{cue:9} median {np.median(values):.3f}   farthest {end(values):.3f}   of {len(values)}")


def _measure(count: int, real: int, photos: Path | None) -> None:
    command = f"python training/measure_attacks.py measure --presentations {count} --real {real}"
    figures: dict[str, Any] = {
        "command": command + (" --photos DIR" if photos else ""),
        "threshold": HINT_MIN,
        "confidence": interval_of.CONFIDENCE,
        "frames": len(SHOWN),
        "held_out": "the cues were designed for the instruments that are not; no level was set with any attack",
        **_count_all(count, real),
    }
    _write(figures)
    if photos:
        figures["photographs"] = _look_at_photographs(photos)
        _write(figures)


def _write(figures: dict[str, Any]) -> None:
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")


def _count_all(count: int, real: int) -> dict[str, Any]:
    """
    Return the errors without and with the answer to the till's light; every person is copied with every instrument.
    """
    kinds = tuple(Instrument)
    hands = _measured([Task(FIRST_SEED + i, None, ASKED) for i in range(real)])
    seeds = [FIRST_SEED + ATTACKS_OFFSET + i for i in range(count)]
    copies = _measured([Task(seed, kind, ASKED) for seed in seeds for kind in kinds])
    by_kind = {kind: copies[number :: len(kinds)] for number, kind in enumerate(kinds)}
    print("without the till's light")
    unasked = {kind: [_unasked(each) for each in measured] for kind, measured in by_kind.items()}
    figures = _by_instrument([_unasked(each) for each in hands], unasked)
    print("with the till's light")
    return {**figures, "with_till_light": _by_instrument(hands, by_kind)}


def _unasked(measures: Measures | None) -> Measures | None:
    return None if measures is None else replace(measures, answer=None)


def _by_instrument(hands: list[Measures | None], by_kind: dict[Instrument, list[Measures | None]]) -> dict[str, Any]:
    bpcer = counted("bpcer", hands, is_hinted=True)
    print(f"real hands      {_words(bpcer, 'bpcer')}", flush=True)
    instruments = []
    for kind, measured in by_kind.items():
        figures = counted("apcer", measured, is_hinted=False)
        print(f"{kind:15} {_words(figures, 'apcer')}", flush=True)
        instruments.append({"instrument": kind, "held_out": kind not in DESIGNED_ON, **figures})
    return {"bpcer": bpcer, "instruments": instruments}


def counted(name: str, measured: list[Measures | None], *, is_hinted: bool) -> dict[str, Any]:
    """
    Return the share of those presentations that were read of which the hint `is_hinted`, and what each cue alone did.
    """
    hints = [judge(each) for each in measured if each is not None]
    wrong = sum(hint.is_given == is_hinted for hint in hints)
    low, high = exact_interval(wrong, len(hints))
    cues = {
        cue: sum(getattr(hint, cue) >= HINT_MIN for hint in hints) for cue in ("periodic", "colourless", "flat", "dark")
    }
    return {
        "presentations": len(hints),
        "not_read": len(measured) - len(hints),
        "errors": wrong,
        name: round(wrong / len(hints), 4) if hints else None,
        f"{name}_low": round(low, 4),
        f"{name}_high": round(high, 4),
        "hints_by_cue": cues,
    }


def _words(figures_of: dict[str, Any], name: str) -> str:
    if figures_of[name] is None:
        return f"{name.upper()} not measured"
    low, high = 100 * figures_of[f"{name}_low"], 100 * figures_of[f"{name}_high"]
    share = 100 * figures_of[name]
    read, missed, cues = figures_of["presentations"], figures_of["not_read"], figures_of["hints_by_cue"]
    return f"{name.upper()} {share:5.1f} % ({low:.1f} to {high:.1f}) of {read}, {missed} not read; hints {cues}"


def exact_interval(count: int, of: int) -> tuple[float, float]:
    """
    Return the Clopper-Pearson interval of a share, `count` of `of`; of nothing, all that a share can be.
    """
    if of == 0:
        return 0.0, 1.0
    interval = interval_of.exact_interval(count, of)
    return interval.low, interval.high


def _look_at_photographs(photos: Path) -> dict[str, Any]:
    """
    Return what single frames say of photographs of real hands, and what is said of such photographs copied once more.
    """
    paths = sorted(photos.glob("*/*.jpg"))
    real = counted("bpcer", _with_pool(_measured_photo, paths), is_hinted=True)
    print(f"photographs     {_words(real, 'bpcer')}", flush=True)
    chosen = paths[:: max(1, len(paths) // RECAPTURES)]
    copied = []
    for instrument in RECAPTURED:
        tasks = [Task(COPIED_FIRST_SEED + i, instrument, photo=path) for i, path in enumerate(chosen)]
        figures = counted("apcer", _measured(tasks), is_hinted=False)
        print(f"copied, {instrument:12} {_words(figures, 'apcer')}", flush=True)
        copied.append({"instrument": instrument, **figures})
    return {"single_frames": real, "recaptured": copied}


def _measured(tasks: list[Task]) -> list[Measures | None]:
    return _with_pool(_measured_task, tasks)


def _with_pool(work: Callable[[T], Measures | None], tasks: list[T]) -> list[Measures | None]:
    with ProcessPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, tasks, chunksize=len(Instrument)))  # One person's copies, one after the other.


def _measured_task(task: Task) -> Measures | None:
    cv2.setNumThreads(1)
    if task.instrument is None:
        presentation = draw_real(task.seed, till_colours=task.till_colours)
    elif task.photo is None:
        presentation = draw_attack(task.seed, task.instrument, till_colours=task.till_colours)
    else:
        photo, length_px = _upright(task.photo)
        whole = np.ones(photo.shape[:2], np.float32)
        presentation = present_photo(photo, whole, task.instrument, length_px=length_px, seed=task.seed)
    return _measured_presentation(presentation)


def _measured_presentation(presentation: Presentation) -> Measures | None:
    """
    Return what is measured over the frames of which a palm was read; None where that is fewer than two.
    """
    read = list(_sights(presentation))
    if len(read) < 2:
        return None
    shown = None if presentation.till_colours == SHOWN else np.array([colour for _, colour in read])
    return measure(tuple(sight for sight, _ in read), shown=shown)


def _sights(presentation: Presentation) -> Iterator[tuple[Sight, Colour]]:
    for pixels, colour in zip(presentation.frames, presentation.till_colours, strict=True):
        reading = _reader().read(Frame(pixels=pixels))
        if isinstance(reading, PalmReading) and reading.sight is not None:
            yield reading.sight, colour


def _measured_photo(path: Path) -> Measures | None:
    cv2.setNumThreads(1)
    reading = _reader().read(decode_file(path.read_bytes()))
    return measure((reading.sight,)) if isinstance(reading, PalmReading) and reading.sight else None


def _upright(path: Path) -> tuple[Any, float]:
    """
    Return a photograph turned so that the fingers point up, the hand in its middle, and the hand's length in pixels.
    """
    frame = decode_file(path.read_bytes())
    hands = _reader().finder.find(frame)
    wrist, tip = hands[0].landmarks[[WRIST, MIDDLE_TIP]] if hands else np.array([(0, frame.height), (0, 0)], np.float32)
    along = tip - wrist
    angle = float(np.rad2deg(np.arctan2(along[0], -along[1])))
    middle = (wrist + tip) / 2
    turn = np.asarray(cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), angle, 1.0), np.float64)
    turn[:, 2] += np.array([frame.width, frame.height]) / 2 - middle
    size = (frame.width, frame.height)
    return cv2.warpAffine(frame.pixels, turn, size, borderMode=cv2.BORDER_REPLICATE), float(np.linalg.norm(along))


@cache
def _reader() -> PalmReader:
    reader = open_reader()
    return PalmReader(finder=reader.finder, model=reader.model, look=look_at)


if __name__ == "__main__":
    main()
