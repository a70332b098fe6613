"""Compiling a function, and where its machine code is kept between runs.

numba's own cache looks at the file of a function alone and would run a stale kernel after an edit
of another file. So the name of the cache's folder is a hash of all sources beside the function, of
the versions of numba and llvmlite, and of the processor; a change of any leads to a fresh folder.
numba writes its files under temporary names and renames them, so processes may share the folder.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba

VARIABLE = "ANN2SNN_CACHE_DIR"
# Without numba's reference counts: kernels allocate nothing, and counting each array that goes into
# an inner function costs an atomic addition on a word that all threads share.
OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False}


def compiled(function: Callable[..., Any]) -> Any:
    """The function, compiled at its first call without the interpreter's lock, and kept on disk."""
    known = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder(Path(function.__code__.co_filename).parent))
    try:
        return numba.njit(cache=True, **OPTIONS)(function)
    finally:  # the setting is the whole process's, and other code has its own cache
        numba.config.CACHE_DIR = known


def folder(sources: Path) -> Path:
    """The folder for this version of the functions in `sources`, made if it can be; else one under
    the system's temporary folder.

    Raises:
        OSError: neither can be made, or others than the user own them (what lies there is run).
    """
    name = f"kernels-{fingerprint(sources)}"
    for parent in (user_cache() / "ann2snn", Path(tempfile.gettempdir()) / f"ann2snn-{_user()}"):
        path = parent / name
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            continue
        if os.access(path, os.W_OK) and _is_own(parent) and _is_own(path):
            return path
    raise OSError(f"no folder for compiled kernels can be made; set {VARIABLE} to one")


def _is_own(path: Path) -> bool:
    return sys.platform == "win32" or path.stat().st_uid == os.getuid()


def fingerprint(sources: Path) -> str:
    """Hash of all that the compiled functions of a folder depend on."""
    digest = hashlib.sha256()
    for path in (*sorted(sources.glob("*.py")), Path(__file__)):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    machine = llvmlite.binding.get_host_cpu_name()
    features = llvmlite.binding.get_host_cpu_features().flatten()
    digest.update(f"{numba.__version__} {llvmlite.__version__} {machine} {features}".encode())
    return digest.hexdigest()[:20]


def user_cache() -> Path:
    """The platform's folder for caches."""
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE])
    home = Path("~").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")


def _user() -> str:
    return hashlib.sha256(str(Path.home()).encode()).hexdigest()[:8]
