"""
Measure how well the palms in a folder of labelled pictures are told apart: `handsel evaluate`.

It writes figures only, readable by the owner alone: no vector, no score, and no name of a picture or a person.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from handsel.cli.embed import check_writable, embed_all, find_images, open_embedder
from handsel.errors import BadInput
from handsel.evaluate.det_plot import curves_of, draw_det
from handsel.evaluate.evaluation import PICTURES_MAX, Evaluation, evaluate
from handsel.evaluate.figures import Figures, Model, Pictures, encode
from handsel.evaluate.label_noise import LabelNoise, no_noise, read_label_noise
from handsel.evaluate.people import folder_of, read_subjects
from handsel.evaluate.presentation import Presentation, Presented, Subject
from handsel.evaluate.table import figure_lines, percent, short_words

PLOT_SUFFIX = ".svg"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb `evaluate`.
    """
    text = "measure how well the palms in a folder of labelled pictures are told apart"
    parser = subparsers.add_parser("evaluate", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument(
        "directory",
        metavar="DIR",
        type=Path,
        help="folder of pictures DIR/<person>/<n>.jpg; DIR/people.csv may say more of the people",
    )
    parser.add_argument(
        "--kind", choices=("hand", "roi"), required=True, help="whole hands, or palm squares that are cropped already"
    )
    parser.add_argument(
        "--ignore", metavar="FILE", type=Path, help="what is labelled wrongly: one path, or two with a comma, a line"
    )
    parser.add_argument(
        "--json", metavar="OUT", type=Path, required=True, help="file to write; a DET plot is written beside it (.svg)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Evaluate what lies below `args.directory`, write the figures and the plot, and print a table.

    Whatever can be refused is refused before the first picture is read.
    """
    plot = args.json.with_suffix(PLOT_SUFFIX)
    if plot == args.json:
        raise BadInput(f"--json names a file of another kind than {PLOT_SUFFIX}, which the plot beside it has")
    for out in (args.json, plot):
        check_writable(out)
    paths = find_images(args.directory)
    if len(paths) > PICTURES_MAX:
        raise BadInput(f"there are more than {PICTURES_MAX} pictures below {args.directory}")
    names = [path.relative_to(args.directory).as_posix() for path in paths]
    subjects = read_subjects(args.directory, map(folder_of, names))
    noise = no_noise(len(names)) if args.ignore is None else read_label_noise(args.ignore, names)
    evaluation = _evaluate(args, paths, [subjects[folder_of(name)] for name in names], noise)
    write_private({args.json: encode(evaluation.figures), plot: plot_of(evaluation).encode()})
    for line in figure_lines(evaluation.figures):
        print(line)
    print(f"\nwritten: {args.json}, {plot}")
    return 0


def _evaluate(
    args: argparse.Namespace, paths: Sequence[Path], subjects: Sequence[Subject], noise: LabelNoise
) -> Evaluation:
    cv2.setNumThreads(1)
    model, embed = open_embedder(args.kind)
    counted = np.flatnonzero(~noise.pictures).tolist()
    outcomes = embed_all([paths[row] for row in counted], embed, root=args.directory)
    presented = Presented(
        rows=tuple(
            Presentation(paths[row].name, subjects[row], outcome.reading, outcome.status)
            for row, outcome in zip(counted, outcomes, strict=True)
        ),
        is_ignored=noise.pairs[np.ix_(counted, counted)],
    )
    pictures = Pictures(
        folder=args.directory.resolve().name,
        kind=args.kind,
        pictures=len(counted),
        palms=len(np.unique(presented.palms)),
        payers=len(np.unique(presented.payers)),
        ignored_pictures=int(noise.pictures.sum()),
        ignored_pairs=int(np.triu(presented.is_ignored, 1).sum()),
    )
    described = Model(model.model_id, model.dims, model.views, model.threshold)
    return evaluate(presented, pictures=pictures, model=described)


def plot_of(evaluation: Evaluation) -> str:
    """
    Return the DET plot of an evaluation, SVG.
    """
    figures = evaluation.figures
    return draw_det(
        curves_of(evaluation.trials),
        title=f"Detection error trade-off: {figures.pictures.folder}",
        description=description_of(figures),
    )


def description_of(figures: Figures) -> str:
    """
    Return in words what the plot shows, for whoever does not see it.
    """
    rates = "; ".join(
        f"enrolled from {each.enrolled_from}, the equal error rate is {percent(each.equal_error_rate)}, and "
        f"{short_words(each.missed)} are missed at the threshold"
        for each in figures.verification
    )
    what = figures.pictures
    return (
        f"False non-match rate over false match rate, {what.pictures} pictures of {what.palms} palms: {rates}. A curve "
        "ends where there are too few pairs to speak of a smaller false match rate."
    )


def write_private(files: dict[Path, bytes]) -> None:
    """
    Write each file in one step, readable by the owner alone. Raises `BadInput`.
    """
    for out, content in files.items():
        try:
            with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
                whole = Path(folder, "whole")
                whole.touch(mode=0o600)
                whole.write_bytes(content)
                whole.replace(out)
        except OSError as exc:
            raise BadInput(f"{out} cannot be written: {exc.strerror}") from exc
