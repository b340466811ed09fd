"""
Draw people who do not exist: `handsel draw hand`, `square`, `camera`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from handsel.drawn.camera import film, write_mjpeg
from handsel.drawn.person import DrawnPerson
from handsel.errors import BadInput

SUFFIXES = (".png", ".jpg", ".jpeg")
SIDE_PX_MIN, SIDE_PX_MAX = 64, 4096
SEED_MAX = 2**63 - 1
SHOT_MAX = 2**31 - 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add `draw` with its three kinds.
    """
    parser = subparsers.add_parser("draw", help="draw the hand of a person who does not exist")
    kinds = parser.add_subparsers(dest="kind", metavar="kind", required=True)
    for kind, text in (
        ("hand", "draw a picture of a whole hand (.png, .jpg)"),
        ("square", "draw an aligned palm square, grey, 128 pixels a side (.png, .jpg)"),
        ("camera", "film a visit: the hand comes in, holds, leaves (.mjpeg, for a browser's fake camera)"),
    ):
        one = kinds.add_parser(kind, help=text, description=text[0].upper() + text[1:] + ".")
        one.add_argument("--person", type=int, required=True, metavar="SEED", help="which person: any whole number")
        one.add_argument("--shot", type=int, default=0, metavar="N", help="which picture of the person (default 0)")
        one.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write it")
        if kind != "square":
            width, height = (960, 720) if kind == "hand" else (640, 480)
            one.add_argument("--width", type=int, default=width, help=f"pixels across (default {width})")
            one.add_argument("--height", type=int, default=height, help=f"pixels down (default {height})")
        one.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Draw what was asked for, and say where it is.
    """
    if not (0 <= args.person <= SEED_MAX and 0 <= args.shot <= SHOT_MAX):
        raise BadInput("--person and --shot are whole numbers from 0 on")
    if args.kind != "square" and not all(SIDE_PX_MIN <= side <= SIDE_PX_MAX for side in (args.width, args.height)):
        raise BadInput(f"--width and --height are {SIDE_PX_MIN} to {SIDE_PX_MAX} pixels")
    if args.kind == "camera":
        _film(args)
    else:
        _picture(args)
    print(args.out)
    return 0


def _film(args: argparse.Namespace) -> None:
    frames = film(DrawnPerson(args.person), args.shot, width=args.width, height=args.height)
    write_mjpeg(args.out, frames)


def _picture(args: argparse.Namespace) -> None:
    if args.out.suffix.lower() not in SUFFIXES:
        raise BadInput(f"--out ends in {', '.join(SUFFIXES)}")
    person = DrawnPerson(args.person)
    if args.kind == "square":
        picture = person.square(args.shot)
    else:
        # OpenCV writes blue first.
        picture = person.frame(args.shot, width=args.width, height=args.height)[..., ::-1]
    content = cv2.imencode(args.out.suffix.lower(), picture)[1].tobytes()
    try:
        args.out.write_bytes(content)
    except OSError as exc:
        raise BadInput(f"{args.out} cannot be written") from exc
