"""Commands where the disk is full or can only be read, or files, descriptors or memory run out."""

import os
import random
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.campaign.calm import COMMANDS, copied
from tests.system.campaign.cases import Told
from tests.system.campaign.stops import Limits, begun, ended, repeated, take_results

CLEAR = ("error: ", ": failed: ", "Killed")
ENDS_WITHIN = 300.0
ROOM = 256 * 2**20


def full_disk(draw: random.Random, place: Path, calm: Path) -> Told:
    """A disk that has some room, and then no more."""
    room = 2 ** draw.randrange(12, 21)
    with disk(place):
        name = _prepared(draw, place, calm)
        state = os.statvfs(place)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        _resize(place, used + room)
        yield from _met(place, f"{name} with {room} bytes of disk", name)
        _resize(place, ROOM)
        yield from repeated(place, calm, name, f"{name} after {room} bytes of disk")


def read_only(draw: random.Random, place: Path, calm: Path) -> Told:
    """A disk that nothing can be written to."""
    with disk(place):
        name = _prepared(draw, place, calm)
        _mount("-o", "remount,ro", str(place))
        yield from _met(place, f"{name} on a disk that can only be read", name)
        _mount("-o", "remount,rw", str(place))
        yield from repeated(place, calm, name, f"{name} after a disk that could only be read")


def short_files(draw: random.Random, place: Path, calm: Path) -> Told:
    """No file may be longer than some bytes, as with a quota."""
    yield from _limited(draw, place, calm, resource.RLIMIT_FSIZE, 2 ** draw.randrange(6, 21))


def few_descriptors(draw: random.Random, place: Path, calm: Path) -> Told:
    """Few files may be open at once."""
    yield from _limited(draw, place, calm, resource.RLIMIT_NOFILE, draw.randrange(10, 64))


def little_memory(draw: random.Random, place: Path, calm: Path) -> Told:
    """There is less memory than the command takes, or little more."""
    most = draw.randrange(100, 3000) * 2**20
    yield from _limited(draw, place, calm, resource.RLIMIT_AS, most)


FAULTY = (full_disk, read_only, short_files, few_descriptors, little_memory)


def machine_fault(draw: random.Random, place: Path, calm: Path) -> Told:
    """One fault of the machine after the other."""
    yield from FAULTY[draw.number % len(FAULTY)](draw, place, calm)  # type: ignore[attr-defined]


def _prepared(draw: random.Random, place: Path, calm: Path) -> str:
    name = draw.choice(COMMANDS)
    copied(calm, place)
    take_results(draw, place, name)
    return name


def _limited(draw: random.Random, place: Path, calm: Path, which: int, most: int) -> Told:
    name = _prepared(draw, place, calm)
    words = f"{name} within {most} of limit {which}"
    yield from _met(place, words, name, ((which, most),))
    yield from repeated(place, calm, name, words)


def _met(place: Path, words: str, name: str, limits: Limits = ()) -> Told:
    """Whether a command that meets a fault ends by itself with one message, or well."""
    code, said = ended(begun(place, name, limits=limits), ENDS_WITHIN)
    words += f": {code}: {said[-1500:]}"
    if code is None:
        yield "hung", words
    elif "Traceback" in said:
        yield "tracebacks", words
    elif code != 0 and not any(clear in said for clear in CLEAR):
        yield "tracebacks", f"no message: {words}"


@contextmanager
def disk(place: Path) -> Iterator[None]:
    """A disk of its own at `place`, in memory."""
    place.mkdir(parents=True)
    _mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _resize(place: Path, size: int) -> None:
    _mount("-o", f"remount,size={size}", str(place))


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)
