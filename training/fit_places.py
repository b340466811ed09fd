"""
Fit a model's whitening and its threshold, on palms that a program drew and on nothing else.

1. Draw 750 people, four palm squares each, and fit mean and whitening on them.
2. Draw 510 other people's whole hands, four pictures each, and read them as the product does: hand finder, square,
   lines. Each picture in turn asks with nine views, and the mean of the person's other three is what is enrolled: a
   million trials of different people. A trial's score is the best of its views.
3. From the upper tail of those scores, extrapolate the score that one pair in a million reaches (generalised Pareto
   tail over the best 0.2 %, fitted by probability-weighted moments), and add the margin.
4. Write the model's .npz and its entry in `manifest.toml`. The same versions of the libraries give the same bytes.

The model is the aligned places, whose net is trained and exported before (`training/README.md`), or the untrained code.

The trial is drawn in another way than what was fitted on: hands, light and frames instead of squares. What all hands
share there, the fit has not seen, and it lifts every score, as it does between real palms.

Usage: OMP_NUM_THREADS=1 python -m training.fit_places [--model places-432]     (about eight minutes on two cores)
"""

from __future__ import annotations

import argparse
import hashlib
import io
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

from handsel.drawn.person import DrawnPerson
from handsel.vision import aligned_places, places
from handsel.vision.frame import Frame
from handsel.vision.hand import MediaPipeHandFinder
from handsel.vision.manifest import MANIFEST
from handsel.vision.places import DIMS, VIEWS, fit_whitening, spread_views, whiten
from handsel.vision.roi import crop_roi, place_square

MODELS = Path(__file__).resolve().parent.parent / "src" / "handsel" / "models"
WORKERS = 2
FIT_FIRST_SEED, FIT_PEOPLE, FIT_SHOTS = 10_000_000, 750, 4
IMPOSTOR_FIRST_SEED, IMPOSTOR_PEOPLE, IMPOSTOR_SHOTS = 20_000_000, 510, 4
FRAME_WIDTH, FRAME_HEIGHT = 640, 480
FMR = 1e-6
TAIL_SHARE = 0.002
# Of cosine. Real palms share more than drawn ones do: on the photographs for testing the mean score of different people
# lies 0.055 higher. The margin is twice that, rounded up: chosen with them in sight, fitted on nothing.
MARGIN = 0.12

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
def finder() -> MediaPipeHandFinder:
    """
    Return this process's hand finder.
    """
    return MediaPipeHandFinder()


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
    Return the samples of one person for the trial: every view of four shots, (4 · V, D); the first of V is as seen.

    All are NaN where the finder does not find one hand in all four.
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
    Return the best score over the views of every shot, against every person enrolled from the other shots.

    `vectors` (people, shots, V, D) are whitened; the first view of a shot is as seen.
    """
    people, shots = vectors.shape[:2]
    others = ~np.eye(people, dtype=bool)
    impostor, genuine = [], []
    for shot in range(shots):
        enrolled = np.delete(vectors[:, :, 0], shot, axis=1).mean(axis=1)  # (people, D)
        enrolled /= np.linalg.norm(enrolled, axis=1, keepdims=True)
        best = np.max([view @ enrolled.T for view in vectors[:, shot].transpose(1, 0, 2)], axis=0)  # (people, people)
        impostor.append(best[others])
        genuine.append(np.diag(best))
    return Scores(impostor=np.concatenate(impostor), genuine=np.concatenate(genuine))


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


def manifest_text(content: bytes, arrays: dict[str, Numbers], *, model: str, threshold: float, source: str) -> str:
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
            f"threshold = {threshold:.4f}",
            f'recipe = "{recipe}"',
            f'threshold_source = "{source}"',
            "",
        )
    )


def other_entries(manifest: str, model: str) -> str:
    """
    Return a manifest without the entry of `model`, which is written anew.
    """
    parts = re.split(r"(?m)^(?=\[)", manifest)
    return "".join(part for part in parts if not part.startswith((f"[{model}]", f"[{model}.")))


def report(scores: Scores, tail: Tail) -> None:
    """
    Print what was seen and what the tail says, for false match rates from one in a hundred on.
    """
    for rate in (1e-2, 1e-3, 1e-4, 1e-5, FMR):
        seen = float(np.quantile(scores.impostor, 1 - rate))
        beyond = f", tail {tail.score_at(rate):.4f}" if rate < TAIL_SHARE else ""
        print(f"FMR {rate:.0e}: seen {seen:.4f}{beyond}")
    print(f"{len(scores.impostor)} impostors: mean {scores.impostor.mean():.4f}, largest {scores.impostor.max():.4f}")
    print(f"tail: starts at {tail.start:.4f}, scale {tail.scale:.4f}, shape {tail.shape:.3f}")
    low, middle = np.quantile(scores.genuine, (0.01, 0.5))
    print(
        f"{len(scores.genuine)} genuine scores: smallest {scores.genuine.min():.3f}, 1 % {low:.3f}, median {middle:.3f}"
    )


def main() -> None:
    """
    Fit, measure, write, and print the figures.
    """
    options = argparse.ArgumentParser(description="Fit a model's whitening and its threshold on drawn palms.")
    options.add_argument("--model", choices=list(READERS), default=aligned_places.MODEL_NAME)
    model = options.parse_args().model
    samples = drawn(partial(fit_samples, model=model), range(FIT_FIRST_SEED, FIT_FIRST_SEED + FIT_PEOPLE), label="fit")
    mean, matrix = fit_whitening(samples.reshape(-1, DIMS))
    trials = drawn(
        partial(trial_samples, model=model),
        range(IMPOSTOR_FIRST_SEED, IMPOSTOR_FIRST_SEED + IMPOSTOR_PEOPLE),
        label="trial",
    )
    found = ~np.isnan(trials).any(axis=(1, 2))
    print(f"trial: the finder found one hand in all four pictures of {found.sum()} of {len(found)} people")
    vectors = whiten(trials[found].reshape(-1, DIMS), mean=mean, matrix=matrix)
    scores = score_all(vectors.reshape(-1, IMPOSTOR_SHOTS, VIEWS, DIMS))
    tail = fit_tail(scores.impostor, share=TAIL_SHARE)
    report(scores, tail)
    threshold = round(tail.score_at(FMR) + MARGIN, 4)
    lost = 100 * float(np.mean(scores.genuine < threshold))
    print(f"threshold {threshold:.4f}, margin {MARGIN} included: {lost:.2f} % of the drawn people miss it")
    source = (
        f"Score that one pair of different drawn people in a million reaches, {tail.score_at(FMR):.4f} (generalised "
        f"Pareto tail over the best {100 * TAIL_SHARE:g} % of {len(scores.impostor)} trials, drawn whole hands read as "
        f"the product reads them, enrolled from three, best of nine views, seeds from {IMPOSTOR_FIRST_SEED}; largest "
        f"seen {scores.impostor.max():.4f}), plus a margin of {MARGIN:.2f} because real palms are more alike "
        f"(on the photographs for testing the mean score of different people lies 0.055 higher)"
    )
    write_model(mean, matrix, model=model, threshold=threshold, source=source)


def write_model(mean: Numbers, matrix: Numbers, *, model: str, threshold: float, source: str) -> None:
    """
    Write the arrays and the manifest that names them.
    """
    arrays = {"mean": mean, "matrix": matrix}
    if model == places.MODEL_NAME:
        arrays["views"] = np.array([(view.turn_deg, view.x, view.y) for view in spread_views()], np.float32)
    content = archive(arrays)
    MODELS.mkdir(exist_ok=True)
    (MODELS / f"{model}.npz").write_bytes(content)
    entry = manifest_text(content, arrays, model=model, threshold=threshold, source=source)
    (MODELS / MANIFEST).write_text(other_entries((MODELS / MANIFEST).read_text(), model) + entry)


if __name__ == "__main__":
    main()
