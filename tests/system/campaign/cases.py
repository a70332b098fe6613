"""Cases of a campaign: each is drawn by a seed and its number, and tells what went wrong in it."""

import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

FAULTS = ("silently wrong", "tracebacks", "lost", "doubled", "hung")
PATIENCE = 600
"""Seconds after which a case is one that hangs, on a machine that may have other work."""
Told = Iterator[tuple[str, str]]
Case = Callable[[random.Random, Path, Path], Told]
Table = dict[str, Counter[str]]


class HungError(BaseException):
    """A case took longer than PATIENCE."""


def run_cases(
    kind: str, case: Case, numbers: Iterable[int], seed: int, calm: Path, folder: Path
) -> Counter[str]:
    """The count of cases and of each fault of a kind; each fault is printed with its number, by
    which the same case is drawn again. `folder` is where a case may do as it likes."""
    found, begun = Counter(cases=0), time.monotonic()
    for number in numbers:
        place = folder / "case"
        shutil.rmtree(place, ignore_errors=True)
        draw = random.Random(f"{seed} {kind} {number}")
        draw.number = number  # type: ignore[attr-defined]
        found["cases"] += 1
        for fault, words in timed(case, draw, place, calm):
            found[fault] += 1
            print(f"{kind} {number} of seed {seed}: {fault}: {words}", flush=True)
        if found["cases"] % 10 == 0:
            print(f"{found['cases']} of {kind}: {time.monotonic() - begun:.0f} s", flush=True)
    return found


def timed(case: Case, draw: random.Random, place: Path, calm: Path) -> list[tuple[str, str]]:
    """The faults of a case, one of which may be that it does not end."""

    def ring(*_: object) -> None:
        raise HungError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(PATIENCE)
    try:
        return list(case(draw, place, calm))
    except HungError:
        return [("hung", f"after {PATIENCE} s")]
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def print_table(table: Table) -> None:
    """A line for each kind of case: how many, and how many of them had each fault."""
    columns = ("cases", *FAULTS)
    print(f"{'kind':22}" + "".join(f"{name:>16}" for name in columns))
    for kind, found in table.items():
        print(f"{kind:22}" + "".join(f"{found[name]:16}" for name in columns))
    total = sum(table.values(), Counter())
    print(f"{'all':22}" + "".join(f"{total[name]:16}" for name in columns), flush=True)
