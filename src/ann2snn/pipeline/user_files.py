"""What a user gives for the analog network, by its content: a weights file, code of their own.

A path and a module's name stay when the file behind them changes; results are keyed by what these
hashes see. Nothing is imported to take them, so what is missing is refused before anything loads.
"""

import hashlib
import importlib.util
import os
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from ann2snn.ann.settings import AnnSettings
from ann2snn.pipeline.source_code import code_hash
from ann2snn.records import Json, file_sha256
from ann2snn.settings import SettingError


def given(settings: AnnSettings) -> Json:
    """`weights` and `start` as the sha256 of the file in place of its path, and for a
    user's network `network_code`, the hash of its source; nothing where none is used.

    Raises:
        SettingError: there is no such file or module, or its source cannot be read.
    """
    found: Json = {}
    for toggle in ("weights", "start"):
        named = getattr(settings, toggle)
        if named:
            path = Path(named)
            if not path.is_file():
                raise SettingError(f"ann.{toggle} must be a file, there is none at {named!r}")
            state = path.stat()
            found[toggle] = _sha256(path.absolute(), state.st_size, state.st_mtime_ns)
    if ":" in settings.network:
        found["network_code"] = _network_code(settings.network)
    return found


@cache
def _sha256(path: Path, size: int, changed: int) -> str:  # noqa: ARG001
    """The hash of a file, taken once while neither its size nor its time changes."""
    return file_sha256(path)


@cache
def _network_code(network: str) -> str:
    """The hash of what stands in the package that a user's network comes from: all Python files of
    the outermost one with an `__init__.py`, or of the folder that holds the module if there is
    none; of a module outside any folder, its file alone. What it imports from elsewhere does not
    count, nor do comments, hidden folders and virtual environments. Taken once a process, as Python
    imports a module once.
    """
    module = network.partition(":")[0]
    specs = _specs(module, network)
    source = Path(specs[-1].origin or "")
    packages = [spec for spec in specs if spec.submodule_search_locations and spec.origin]
    if packages:
        root = Path(packages[0].origin or "").parent
    elif len(specs) > 1:
        root = source.parent
    else:
        return _hash_of([source], source.parent, source, network)
    return _hash_of(sorted(_python_files(root)), root, source, network)


def _python_files(root: Path) -> Iterator[Path]:
    for folder, inner, names in os.walk(root):
        here = Path(folder)
        inner[:] = [
            name
            for name in inner
            if not name.startswith(".") and not (here / name / "pyvenv.cfg").is_file()
        ]
        yield from (here / name for name in names if name.endswith(".py"))


def _specs(module: str, network: str) -> list[ModuleSpec]:
    """Where a module and the packages above it are found, outermost first."""
    parts = module.split(".")
    specs: list[ModuleSpec] = []
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        try:
            if not specs:
                spec = importlib.util.find_spec(name)
            else:
                spec = PathFinder.find_spec(name, specs[-1].submodule_search_locations or [])
        except ValueError:  # a name such as __main__, which Python cannot find again
            spec = None
        if spec is None:
            raise SettingError(
                f"ann.network {network}: there is no module {name}; is its folder on PYTHONPATH?"
            )
        specs.append(spec)
    if not Path(specs[-1].origin or "").is_file():
        raise SettingError(
            f"ann.network {network}: {module} must be a Python file that can be read, it comes from"
            f" {specs[-1].origin or 'a folder without __init__.py'}"
        )
    return specs


def _hash_of(files: list[Path], root: Path, module: Path, network: str) -> str:
    """The hash of the files; one that is not Python counts by its bytes, unless it is the module
    itself, which then cannot be imported."""
    digest = hashlib.sha256()
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                content = code_hash([file], root)
        except (SyntaxError, ValueError) as error:
            if file == module:
                raise SettingError(
                    f"ann.network {network}: {name} is not Python: {error}"
                ) from error
            content = file_sha256(file)
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()
