"""Errors that a user or a machine caused, each told in one line."""

import errno
import traceback

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MAKE_ROOM = "make room there, and run the same command again: what was finished is kept"
NOT_LOADED = "failed to map segment"
"""What the loader of shared libraries says where it gets no memory."""
LESS_MEMORY = "a smaller simulation.block needs less"
NO_MEMORY = ("can't allocate memory", "CUDA out of memory", "can't start new thread")
LEAST_MEMORY = 2**30
"""Bytes of address space; PyTorch alone needs more."""


def told(error: BaseException) -> str | None:
    """One line about an error that a user or a machine caused; None for a fault of the program."""
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
    return text if isinstance(error, ValueError) else None


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
