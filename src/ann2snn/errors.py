"""Errors that a user or a machine caused, each told in one line, and how they end a program."""

import errno
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ann2snn.settings import SettingError
from ann2snn.stopping import stops_stay_stops

FAILED, MISUSED = 1, 2
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MAKE_ROOM = "make room there, and run the same command again: what was finished is kept"
NOT_LOADED = "failed to map segment"
"""What the loader of shared libraries says where it gets no memory."""
LESS_MEMORY = "a smaller simulation.block needs less"
NO_MEMORY = ("can't allocate memory", "CUDA out of memory", "can't start new thread")
LEAST_MEMORY = 2**30
"""Bytes of address space; PyTorch alone needs more."""


@contextmanager
def errors_are_told(misused: int = FAILED) -> Iterator[None]:
    """Ends the program for an error within: with `misused` for a wrong setting, else with FAILED.

    What a user or a machine caused is told in one line; a fault of the program keeps its traceback,
    and with ANN2SNN_TRACEBACK all do.
    """
    try:
        with stops_stay_stops():
            yield
    except Exception as error:
        reason = told(error)
        if reason is None or os.environ.get("ANN2SNN_TRACEBACK"):
            traceback.print_exc()
        else:
            print(f"error: {reason}", *getattr(error, "__notes__", ()), sep="\n  ", file=sys.stderr)
        sys.exit(misused if isinstance(error, SettingError) else FAILED)


def told(error: BaseException) -> str | None:
    """One line about an error that a user or a machine caused; None for a fault of the program. A
    program that was called and failed has said the rest itself."""
    text = " ".join(str(error).split()) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if _is_import(cause) and address_limit() is not None:
            return f"ulimit -v leaves too little memory to load all libraries ({text})"
        if isinstance(cause, OSError) or type(cause).__name__ == "SafetensorError":
            full = getattr(cause, "errno", None) in NO_ROOM or "os error 28" in str(cause)
            return f"{text}; {MAKE_ROOM}" if full else text
        if isinstance(cause, MemoryError) or any(words in str(cause) for words in NO_MEMORY):
            return f"there is not enough memory ({text}); {LESS_MEMORY}"
        cause = cause.__cause__
    return text if isinstance(error, ValueError | subprocess.CalledProcessError) else None


def _is_import(error: BaseException) -> bool:
    """Whether a library could not be loaded; without memory Python's own import system ends in a
    SystemError."""
    if isinstance(error, ImportError | OSError):
        return NOT_LOADED in str(error)
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, SystemError) and any("importlib" in each.filename for each in frames)


def require_memory() -> None:
    """Refuses to begin where libraries could not even be loaded: some of them crash then.

    Raises:
        OSError: this process may have too few addresses.
    """
    limit = address_limit()
    if limit is not None and limit < LEAST_MEMORY:
        least = LEAST_MEMORY // 2**20
        raise OSError(
            f"ulimit -v allows {limit // 2**20} MiB of addresses, at least {least} are needed"
        )


def address_limit() -> int | None:
    """The most bytes of addresses that this process may have; None for no limit."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft
