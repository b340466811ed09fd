"""
Say which threshold a gallery needs, and whether the model's curve supports it: `handsel capacity`.
"""

from __future__ import annotations

import argparse

from handsel.curve import FPIR, PALMS, GalleryTooLarge, ImpostorCurve, plan_gallery
from handsel.vision.eyes import open_model

REFUSED = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "say which threshold a gallery needs, whether it is supported, and what narrows it"
    parser = subparsers.add_parser("capacity", help=text, description=text[0].upper() + text[1:] + ".")
    add_gallery_options(parser, palms=PALMS, fpir=FPIR)
    parser.set_defaults(run=run)


def add_gallery_options(parser: argparse.ArgumentParser, *, palms: int | None, fpir: float | None) -> None:
    """
    Add the two options that describe a gallery, with these defaults.
    """
    kept = "" if palms is not None else f"default {PALMS}; where it was set up before, as it was"
    parser.add_argument(
        "--palms", type=int, default=palms, metavar="N", help=f"palms that one gallery is to hold{_bracketed(kept)}"
    )
    kept = "" if fpir is not None else f"default {FPIR}; where it was set up before, as it was"
    parser.add_argument(
        "--fpir",
        type=float,
        default=fpir,
        metavar="SHARE",
        help=f"share of palms enrolled nowhere that may match anybody{_bracketed(kept)}",
    )


def run(args: argparse.Namespace) -> int:
    """
    Print the plan and return 0, or what is refused and what narrows it, and return 1.
    """
    curve = open_model().curve
    plan = plan_gallery(curve, palms=args.palms, fpir=args.fpir)
    for line in reach_lines(curve, fpir=args.fpir):
        print(line)
    if isinstance(plan, GalleryTooLarge):
        print(f"Refused: {plan.text}")
        return REFUSED
    print(f"{plan.palms} palms at an FPIR of {plan.fpir:g} need a false match rate of {plan.rate:.1e}:")
    print(f"  threshold {plan.threshold:.4f}, {curve.margin:g} of it the margin for real people")
    settings = f"threshold = {plan.threshold:.4f}, palms_max = {plan.palms}, fpir = {plan.fpir:g}"
    print(f"  settings of all parties: {settings}")
    return 0


def reach_lines(curve: ImpostorCurve, *, fpir: float) -> tuple[str, ...]:
    """
    Return in words what was measured and how far it reaches.
    """
    return (
        f"Measured: {curve.trials} trials of drawn impostors, believed down to a false match rate of "
        f"{curve.rate_min:.1e}.",
        f"At an FPIR of {fpir:g} that supports {curve.palms_max(fpir=fpir)} palms in one gallery.",
    )


def _bracketed(text: str) -> str:
    return f" ({text})" if text else ""
