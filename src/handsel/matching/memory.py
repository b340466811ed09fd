"""
Keep the memory that a query has used for the next one.

A query takes and leaves tens of megabytes. The C library gives arrays of that size back to the system at once, and
takes others page by page, each cleared first: that costs a proved query a quarter of its time. It is told to keep them;
a matcher's process then stays as large as its largest query made it. What its start took is given back before.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # Their numbers in glibc's <malloc.h>.
_KEPT_BYTES_MAX = 1 << 30
_KEPT_ARRAY_BYTES_MAX = 1 << 28  # The largest message.


def keep_freed_memory() -> None:
    """
    Have the C library keep what this process frees from now on. Where it is not glibc, nothing is done.
    """
    library = ctypes.CDLL(None)
    set_option, give_back = getattr(library, "mallopt", None), getattr(library, "malloc_trim", None)
    if set_option is None or give_back is None:
        return
    give_back(0)
    set_option(_TRIM_THRESHOLD, _KEPT_BYTES_MAX)
    set_option(_MMAP_THRESHOLD, _KEPT_ARRAY_BYTES_MAX)
    set_option(_ARENA_MAX, 1)  # What one thread frees, another one takes.
