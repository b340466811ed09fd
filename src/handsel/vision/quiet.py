"""
Keep a native library's chatter out of standard error, and nothing else.

MediaPipe's C++ writes to file descriptor 2 whatever its settings say; a till's log is for the till.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDERR_FD = 2
# Lines of Abseil's form, "W0000 00:00:1795416728.87 6266 file.cc:114] …", and two that come without it.
CHATTER = re.compile(rb"^(?:[IWE]\d{4} \d\d:\d\d:|WARNING: All log messages before absl|INFO: Created TensorFlow Lite)")


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """
    Hold back what is written to standard error meanwhile, and then write all of it but the chatter.
    """
    sys.stderr.flush()
    kept = os.dup(STDERR_FD)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), STDERR_FD)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, STDERR_FD)
            os.close(kept)
            held.seek(0)
            for line in held:
                if not CHATTER.match(line):
                    os.write(STDERR_FD, line)
