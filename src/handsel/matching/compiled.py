"""
Compile the loops over shares to machine code, once per machine.

The machine code is kept in Numba's cache: beside Python's own `.pyc` files, or, where the package's directory cannot be
written, in the user's cache directory (`NUMBA_CACHE_DIR` chooses another). Whoever can write there can change what a
matcher does, as with the `.pyc` files; so it must belong to the matcher's user. Where there is no such place, the loops
are compiled anew at every start, which takes some seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

LINE_BYTES = 64  # Of the cache, on all processors that matter here.
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


def _prefetch(_: Any, array: Any, __: Any) -> tuple[Any, Callable[..., Any]]:
    nothing, number = ir.VoidType(), ir.IntType(32)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        found = context.make_array(signature.args[0])(context, builder, given[0])
        place = builder.bitcast(builder.gep(found.data, [given[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(nothing, [place.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [place, number(0), number(2), number(1)])  # Second-level cache.
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


# Ask the processor for the cache line of `array[index]` before it is needed, in a compiled loop. It may lie behind the
# array's end: nothing is read then. Where rows are short, the processor does not see by itself that they are read one
# after another, and waits for each.
prefetch: Callable[[NDArray[Any], int], None] = intrinsic(_prefetch)
