"""
Compile the loops over shares to machine code, once per machine.

The machine code is kept in Numba's cache: beside Python's own `.pyc` files, or, where the package's directory cannot be
written, in the user's cache directory (`NUMBA_CACHE_DIR` chooses another). Whoever can write there can change what a
matcher does, as with the `.pyc` files; so it must belong to the matcher's user. Where there is no such place, the loops
are compiled anew at every start, which takes some seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """
    Return `function`, which will be compiled at its first call and then runs without holding Python's lock.
    """
    machine: F
    try:
        machine = numba.njit(cache=True, nogil=True, boundscheck=False)(function)
    except RuntimeError:  # Numba finds no directory to keep the machine code in.
        machine = numba.njit(nogil=True, boundscheck=False)(function)
    return machine
