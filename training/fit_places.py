"""
Fit a model's whitening and its curve of impostors, on palms that a program drew and on nothing else.

1. Draw 750 people, four palm squares each, and fit mean and whitening on them.
2. Draw 510 other people's whole hands, five pictures each, and read them as the product does: hand finder, square,
   lines. Each two that follow one another are merged and ask with nine views, and the mean of the person's other three
   is what is enrolled: a million trials of different people. A trial's score is the best of its views.
3. Say which score is reached how often: seen quantiles down to one trial in 500, and from there the upper tail
   (generalised Pareto over the best 0.2 %, fitted by probability-weighted moments), as far as the trials bear.
4. Write the model's .npz and its entry in `manifest.toml`. The same versions of the libraries give the same bytes.

The model is the aligned places, whose net is trained and exported before (`training/README.md`), or the untrained code.

The trial is drawn in another way than what was fitted on: hands, light and frames instead of squares. What all hands
share there, the fit has not seen, and it lifts every score, as it does between real palms.

Usage: OMP_NUM_THREADS=1 python -m training.fit_places [--model places-432]     (about eight minutes on two cores)
       … --people 40 --models DIR                          (a minute, to see that it works; not a model to use)
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from training.read_squares import READERS

from handsel.curve import FPIR, PALMS, ImpostorCurve, plan_gallery, rate_min
from handsel.drawn.person import DrawnPerson
from handsel.matching.scale import SCALE
from handsel.matching.template import quantise
from handsel.vision import aligned_places, places
from handsel.vision.eyes import open_finder
from handsel.vision.frame import Frame
from handsel.vision.hand import HandFinder
from handsel.vision.manifest import MANIFEST
from handsel.vision.places import DIMS, VIEWS, fit_whitening, spread_views, whiten
from handsel.vision.roi import crop_roi, place_square

MODELS = Path(__file__).resolve().parent.parent / "src" / "handsel" / "models"
WORKERS = 2
FIT_FIRST_SEED, FIT_PEOPLE, FIT_SHOTS = 10_000_000, 750, 4
IMPOSTOR_FIRST_SEED, IMPOSTOR_PEOPLE, IMPOSTOR_SHOTS = 20_000_000, 510, 5
PROBE_SHOTS = 2  # As `CHARGE_FRAMES` of the till; the others make an enrolment.
FRAME_WIDTH, FRAME_HEIGHT = 640, 480
TAIL_SHARE = 0.002
RATE_MAX, POINTS_PER_DECADE = 1e-2, 4
# Of cosine. Real palms share more than drawn ones do: on the photographs for testing the mean score of different people
# lies 0.055 higher. The margin is twice that, rounded up: chosen with them in sight, fitted on nothing.
MARGIN = 0.12
MARGIN_SOURCE = (
    "Where a drawn score stands for a real one: real palms share more than drawn ones do, so that the whole curve lies "
    "too low for them, and the margin lifts it: on the photographs for testing the mean score of different people lies "
    "0.055 higher, and the margin is twice that, rounded up. How far a rate moves from one set of real people to "
    "another (a factor of 5 to 7 was seen) is not in the curve; the margin is worth more than that. What the tail does "
    "beyond one in a thousand was not seen on the photographs: there it rests on drawn people alone."
)
REACH_SOURCE = (
    "Trusted down to 0.3 / trials: the rule of three bounds what the trials show at 3 / trials, and the fitted tail is "
    "believed for one decade beyond, no further, since there its shape would be mostly a guess."
)

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """
    Scores of drawn people against each other and against themselves, each float32 (N,).
    """

    impostor: Numbers
    genuine: Numbers


def fit_samples(seed: int, *, model: str) -> Numbers:
    """
    Return the samples, as seen, of one person's squares for the fit: float32 (FIT_SHOTS, D).
    """
    person = DrawnPerson(seed)
    return np.stack([READERS[model](person.square(shot))[0] for shot in range(FIT_SHOTS)])


@cache
def finder() -> HandFinder:
    """
    Return this process's hand finder.
    """
    return open_finder()


def seen_square(person: DrawnPerson, shot: int) -> NDArray[np.uint8] | None:
    """
    Return the palm square, grey, that the product cuts out of a drawn picture, or None where it finds no single hand.
    """
    frame = Frame(pixels=person.frame(shot, width=FRAME_WIDTH, height=FRAME_HEIGHT))
    hands = finder().find(frame)
    placement = place_square(hands[0]) if len(hands) == 1 else None
    return None if placement is None else crop_roi(frame, placement).grey()


def trial_samples(seed: int, *, model: str) -> Numbers:
    """
    Return the samples of one person for the trial: every view of all shots, (shots · V, D); the first of V is as seen.

    All are NaN where the finder does not find one hand in every shot.
    """
    person = DrawnPerson(seed)
    squares = [square for shot in range(IMPOSTOR_SHOTS) if (square := seen_square(person, shot)) is not None]
    if len(squares) < IMPOSTOR_SHOTS:
        return np.full((IMPOSTOR_SHOTS * VIEWS, DIMS), np.nan, np.float32)
    return np.concatenate([READERS[model](square) for square in squares])


def drawn(draw: Callable[[int], Numbers], seeds: range, *, label: str) -> Numbers:
    """
    Return what `draw` gives for every seed, in order, float32 (N, rows, D), and say how far it is.
    """
    with ProcessPoolExecutor(max_workers=WORKERS, initializer=cv2.setNumThreads, initargs=(1,)) as workers:
        return np.stack(list(with_progress(workers.map(draw, seeds, chunksize=10), total=len(seeds), label=label)))


def with_progress(results: Iterable[Numbers], *, total: int, label: str) -> Iterator[Numbers]:
    """
    Yield `results`, printing a line for each tenth of them.
    """
    for count, result in enumerate(results, start=1):
        if count % max(1, total // 10) == 0:
            print(f"{label}: {count} of {total} people", flush=True)
        yield result


def score_all(vectors: Numbers) -> Scores:
    """
    Return the best score over the views of every two merged shots, against every person enrolled from the others.

    `vectors` (people, shots, V, D) are whitened; the first view of a shot is as seen. Both are rounded, as matchers
    round them: a dot product of integers over SCALE².
    """
    people, shots = vectors.shape[:2]
    others = ~np.eye(people, dtype=bool)
    impostor, genuine = [], []
    for shot in range(shots):
        asked = [(shot + step) % shots for step in range(PROBE_SHOTS)]
        probes = rounded(vectors[:, asked].mean(axis=1))  # (people, V, D)
        enrolled = rounded(np.delete(vectors[:, :, 0], asked, axis=1).mean(axis=1))  # (people, D)
        best = np.max([view @ enrolled.T for view in probes.transpose(1, 0, 2)], axis=0)  # (people, people)
        impostor.append(best[others])
        genuine.append(np.diag(best))
    return Scores(impostor=np.concatenate(impostor), genuine=np.concatenate(genuine))


def rounded(rows: Numbers) -> Numbers:
    """
    Return rows of any norm as their quantised unit vectors, over SCALE.
    """
    units = np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)
    return np.asarray(quantise(units) / np.float32(SCALE), np.float32)


@dataclass(frozen=True)
class Tail:
    """
    A generalised Pareto tail above `start`, which the share `share` of all scores exceeds.
    """

    start: float
    share: float
    scale: float
    shape: float

    def score_at(self, rate: float) -> float:
        """
        Return the score that the share `rate` of all pairs reaches.
        """
        odds = rate / self.share
        if abs(self.shape) < 1e-6:
            return self.start - self.scale * float(np.log(odds))
        return self.start + self.scale * float(np.expm1(-self.shape * np.log(odds))) / self.shape


def fit_tail(scores: Numbers, *, share: float) -> Tail:
    """
    Return the tail over the best `share` of `scores`, by probability-weighted moments.

    Source: Hosking and Wallis, Technometrics 29 (1987), 339–349; their k is minus `shape`.
    """
    ordered = np.sort(scores.astype(np.float64))
    count = int(len(ordered) * share)
    start = float(ordered[-count - 1])
    excess = ordered[-count:] - start
    weights = 1 - (np.arange(1, count + 1) - 0.35) / count
    first, second = float(excess.mean()), float((weights * excess).mean())
    shape = 2 - first / (first - 2 * second)
    return Tail(start=start, share=share, scale=2 * first * second / (first - 2 * second), shape=shape)


def archive(arrays: dict[str, Numbers]) -> bytes:
    """
    Return `arrays` as the bytes of an .npz file without a date in it.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as stored:
        for name, array in arrays.items():
            one = io.BytesIO()
            np.save(one, np.ascontiguousarray(array, np.float32), allow_pickle=False)
            stored.writestr(zipfile.ZipInfo(f"{name}.npy", date_time=(2026, 1, 1, 0, 0, 0)), one.getvalue())
    return content.getvalue()


def measure_curve(scores: Numbers, *, source: str) -> ImpostorCurve:
    """
    Return the curve of the impostors' `scores`, each point 10^(1/4) times as rare as the one before it.
    """
    tail, least = fit_tail(scores, share=TAIL_SHARE), rate_min(len(scores))
    steps = int(np.ceil(POINTS_PER_DECADE * np.log10(RATE_MAX / least) - 1e-9))
    rates = [max(RATE_MAX * 10 ** (-step / POINTS_PER_DECADE), least) for step in range(steps + 1)]
    seen = [float(np.quantile(scores, 1 - rate)) if rate > TAIL_SHARE else tail.score_at(rate) for rate in rates]
    points = tuple((float(f"{rate:.6g}"), round(score, 4)) for rate, score in zip(rates, seen, strict=True))
    return ImpostorCurve(len(scores), points, MARGIN, source, MARGIN_SOURCE, REACH_SOURCE)


def curve_source(scores: Numbers) -> str:
    """
    Return in words how the curve came about.
    """
    return (
        f"Best of nine views of one drawn palm, two pictures merged, against another drawn person enrolled from three: "
        f"{len(scores)} trials of whole hands, read and rounded as the product does (seeds from "
        f"{IMPOSTOR_FIRST_SEED}). "
        f"Seen quantiles down to {TAIL_SHARE:g}, then a generalised Pareto tail over the best {100 * TAIL_SHARE:g} %; "
        f"largest seen {scores.max():.4f}."
    )


def manifest_text(content: bytes, arrays: dict[str, Numbers], *, model: str, curve: ImpostorCurve) -> str:
    """
    Return the manifest, TOML.
    """
    shapes = ", ".join(f"{name} = {list(array.shape)}" for name, array in arrays.items())
    recipe = (
        f"training/fit_places.py: whitening fitted on {FIT_PEOPLE * FIT_SHOTS} squares of {FIT_PEOPLE} drawn people "
        f"(seeds from {FIT_FIRST_SEED}). No real palm and no statistic of one."
    )
    return "\n".join(
        (
            f"[{model}]",
            f'file = "{model}.npz"',
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
            f"arrays = {{ {shapes} }}",
            f'recipe = "{recipe}"',
            "",
            f"[{model}.curve]  # How often a drawn impostor reaches which score, before the margin is added.",
            f"trials = {curve.trials}",
            f"margin = {curve.margin}",
            "points = [  # False match rate of one probe with all its views against one row; score.",
            *(f"    [{rate:.6g}, {score:.4f}]," for rate, score in curve.points),
            "]",
            f"source = {json.dumps(curve.source)}",
            f"margin_source = {json.dumps(curve.margin_source)}",
            f"reach_source = {json.dumps(curve.reach_source)}",
            "",
        )
    )


def other_entries(manifest: str, model: str) -> str:
    """
    Return a manifest without the entry of `model`, which is written anew.
    """
    parts = re.split(r"(?m)^(?=\[)", manifest)
    return "".join(part for part in parts if not part.startswith((f"[{model}]", f"[{model}.")))


def report(scores: Scores, curve: ImpostorCurve) -> None:
    """
    Print what was seen, what the curve says, and what the threshold of the default gallery costs drawn people.
    """
    for rate, score in curve.points:
        seen = "" if rate < 1 / curve.trials else f", seen {float(np.quantile(scores.impostor, 1 - rate)):.4f}"
        print(f"FMR {rate:.1e}: {score:.4f}{seen}")
    tail = fit_tail(scores.impostor, share=TAIL_SHARE)
    print(f"{len(scores.impostor)} impostors: mean {scores.impostor.mean():.4f}, largest {scores.impostor.max():.4f}")
    print(f"tail: starts at {tail.start:.4f}, scale {tail.scale:.4f}, shape {tail.shape:.3f}")
    low, middle = np.quantile(scores.genuine, (0.01, 0.5))
    print(
        f"{len(scores.genuine)} genuine scores: smallest {scores.genuine.min():.3f}, 1 % {low:.3f}, median {middle:.3f}"
    )
    threshold = curve.score_at(max(FPIR / PALMS, curve.rate_min)) + curve.margin
    lost = 100 * float(np.mean(scores.genuine < threshold))
    print(f"threshold {threshold:.4f}, margin {curve.margin} included: {lost:.2f} % of the drawn people miss it")
    print(f"{PALMS} palms at FPIR {FPIR:g}: {plan_gallery(curve, palms=PALMS, fpir=FPIR)}")


def main() -> None:
    """
    Fit, measure, write, and print the figures.
    """
    parser = argparse.ArgumentParser(description="Fit a model's whitening and its curve of impostors on drawn palms.")
    parser.add_argument("--model", choices=list(READERS), default=aligned_places.MODEL_NAME)
    parser.add_argument("--people", type=int, default=IMPOSTOR_PEOPLE, help="drawn people of the trial")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder to write to")
    args = parser.parse_args()
    fit_seeds = range(FIT_FIRST_SEED, FIT_FIRST_SEED + FIT_PEOPLE)
    trial_seeds = range(IMPOSTOR_FIRST_SEED, IMPOSTOR_FIRST_SEED + args.people)
    samples = drawn(partial(fit_samples, model=args.model), fit_seeds, label="fit")
    mean, matrix = fit_whitening(samples.reshape(-1, DIMS))
    trials = drawn(partial(trial_samples, model=args.model), trial_seeds, label="trial")
    found = np.asarray(~np.isnan(trials).any(axis=(1, 2)))
    print(f"trial: the finder found one hand in all pictures of {found.sum()} of {args.people} people")
    vectors = whiten(trials[found].reshape(-1, DIMS), mean=mean, matrix=matrix)
    scores = score_all(vectors.reshape(-1, IMPOSTOR_SHOTS, VIEWS, DIMS))
    curve = measure_curve(scores.impostor, source=curve_source(scores.impostor))
    report(scores, curve)
    arrays = {"mean": mean, "matrix": matrix}
    if args.model == places.MODEL_NAME:
        arrays["views"] = np.array([(view.turn_deg, view.x, view.y) for view in spread_views()], np.float32)
    write_model(args.models, arrays, model=args.model, curve=curve)


def write_model(directory: Path, arrays: dict[str, Numbers], *, model: str, curve: ImpostorCurve) -> None:
    """
    Write the arrays and the manifest that names them.
    """
    content = archive(arrays)
    directory.mkdir(exist_ok=True)
    (directory / f"{model}.npz").write_bytes(content)
    manifest = directory / MANIFEST
    others = other_entries(manifest.read_text(), model) if manifest.exists() else ""
    manifest.write_text(others + manifest_text(content, arrays, model=model, curve=curve))


if __name__ == "__main__":
    main()
