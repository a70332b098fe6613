"""Kills, signals, damage and hostile files by a seed and a count, over stages and kinds of files.

`python -m tests.system.campaign --count 100 --seed 0` prints the table: for each kind its cases,
and how many of them ended silently wrong, with a traceback, with a result lost or made twice, or
hung. All but the first are to be zero.
"""

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from ann2snn.data.image_file import pixels
from ann2snn.pipeline.application import run
from ann2snn.records import Store
from ann2snn.spec import load_spec
from tests.pipeline.project import QUICK, environment, make_project, result_files, stage_command

FAULTS = ("silently wrong", "tracebacks", "lost", "doubled", "hung")
ARGUMENTS = ["run.track=false", *QUICK, "simulation.block=20"]
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 300
Table = dict[str, Counter[str]]


class HungError(BaseException):
    """A case took longer than PATIENCE."""


def campaign(count: int, seed: int, folder: Path) -> Table:
    """The faults of `count` damaged files, as many hostile ones, and a tenth as many kills and
    signals, by kind."""
    calm = make_project(folder / "calm")
    for step, more in (("ann", ["run.publish=digits"]), ("data", ["run.publish=digits"]),
                       ("simulation", [])):  # fmt: skip
        code, said = called(calm, step, *more)
        assert code == 0, said
    table: Table = {}
    for kind, cases, case in (
        ("damaged result", count, damaged_result),
        ("hostile spec", count, hostile_spec),
        ("hostile image", count, hostile_image),
        ("kill or signal", max(1, count // 10), stopped),
    ):
        found = table.setdefault(kind, Counter(cases=0))
        for number in range(cases):
            place = folder / "case"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(calm, place)
            draw = random.Random(f"{seed} {kind} {number}")
            found["cases"] += 1
            for fault, words in timed(case, draw, place, calm):
                found[fault] += 1
                print(f"{kind} {number} of seed {seed}: {fault}: {words}", flush=True)
    return table


def timed(
    case: Callable[[random.Random, Path, Path], Iterator[tuple[str, str]]],
    draw: random.Random, place: Path, calm: Path,
) -> list[tuple[str, str]]:  # fmt: skip
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


def called(project: Path, step: str, *more: str) -> tuple[int, str]:
    """Exit code and words of a step that runs in this process."""
    said, here, argv = io.StringIO(), Path.cwd(), sys.argv
    os.chdir(project)
    sys.argv = ["stage", *ARGUMENTS, *more]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            run(step)
        return 0, said.getvalue()
    except SystemExit as end:
        return int(str(end.code or 0)), said.getvalue()
    finally:
        os.chdir(here)
        sys.argv = argv


def spoil(draw: random.Random, path: Path, others: list[Path]) -> str:
    """Damages a file in one of the ways that disks, copies and people do."""
    content = bytearray(path.read_bytes())
    way = draw.choice(("flip", "cut", "empty", "noise", "gone", "exchanged", "longer"))
    if way == "flip" and content:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    elif way == "cut":
        del content[draw.randrange(len(content) + 1) :]
    elif way == "empty":
        content.clear()
    elif way == "noise":
        content[:] = draw.randbytes(len(content))
    elif way == "exchanged":
        content[:] = draw.choice(others).read_bytes()
    elif way == "longer":
        content += draw.randbytes(9)
    path.write_bytes(content)
    if way == "gone":
        path.unlink()
    return way


def damaged_result(draw: random.Random, place: Path, calm: Path) -> Iterator[tuple[str, str]]:
    """A file of store or artifacts is damaged, what was made from it may be gone."""
    files = sorted(
        path
        for path in [*place.glob("store/*/*/*"), *place.glob("artifacts/**/*")]
        if path.is_file() and "locks" not in path.parts
    )
    victim = draw.choice(files)
    way = spoil(draw, victim, files)
    for step in ("simulation", "conversion", "statistics", "ann"):
        if draw.random() < 0.5 and f"store/{step}/" not in victim.as_posix():
            shutil.rmtree(place / "store" / step, ignore_errors=True)
    words = f"{victim.relative_to(place)} {way}"
    code, said = called(place, "simulation")
    if "Traceback" in said:
        yield "tracebacks", f"{words}: {said[-300:]}"
    elif code != 0:
        if "error: " not in said or victim.name not in said:
            yield "lost", f"{words}: exit {code}: {said[-300:]}"
        return
    yield from compared(place, calm, words)


def compared(place: Path, calm: Path, words: str) -> Iterator[tuple[str, str]]:
    """Whether every simulation is there, once, with the bytes of the undisturbed one, and of the
    rest, which nothing may have read, no damaged record would be believed."""
    store = Store(place / "store")
    mine = {k: v for k, v in result_files(place).items() if "." not in k.split("/")[1]}
    for name, content in result_files(calm).items():
        step, key = name.split("/")[:2]
        if (
            name in mine
            and mine[name] != content
            and (step == "simulation" or store.has(step, key))
        ):
            yield "silently wrong", f"{words}: {name}"
        elif name not in mine and name.startswith("simulation/"):
            yield "lost", f"{words}: {name}"
    if set(mine) - set(result_files(calm)):
        yield "doubled", f"{words}: {sorted(set(mine) - set(result_files(calm)))}"


def stopped(draw: random.Random, place: Path, calm: Path) -> Iterator[tuple[str, str]]:
    """A step is stopped on its way, what it kept may be damaged then, and it runs again."""
    shutil.rmtree(place / "artifacts", ignore_errors=True)
    step = draw.choice(("data", "ann", "simulation", "simulation"))
    for name in ("ann", "simulation", "conversion", "statistics", "data"):
        if draw.random() < 0.6:
            shutil.rmtree(place / "store" / name, ignore_errors=True)
    number = draw.choice(SIGNALS)
    process = subprocess.Popen(
        stage_command(step, *(["-m"] if draw.random() < 0.3 else []), *ARGUMENTS),
        cwd=place, env=environment(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    time.sleep(draw.uniform(0.1, 12))
    words = f"{step} {signal.Signals(number).name}"
    process.send_signal(number)
    try:
        _, said = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        yield "hung", words
        return
    right = -number if number == signal.SIGKILL else 128 + number
    if process.returncode not in (0, right):
        yield "silently wrong", f"{words}: exit {process.returncode}: {said[-300:]}"
    if "Traceback" in said:
        yield "tracebacks", f"{words}: {said[-300:]}"
    kept = sorted(path for path in place.glob("store/*/*.partial/*") if path.is_file())
    if kept and draw.random() < 0.5:
        words += f", {spoil(draw, draw.choice(kept), kept)}"
    code, said = called(place, "simulation")
    if code != 0:
        yield "tracebacks" if "Traceback" in said else "lost", f"{words}: {said[-300:]}"
    yield from compared(place, calm, words)


STRANGE: tuple[Any, ...] = (
    None,
    [],
    {},
    "",
    "x",
    True,
    -1,
    0,
    2,
    1.5,
    1e300,
    10**30,
    [[0, 10**9]],
    [-1, -4],
)


def hostile_spec(draw: random.Random, place: Path, calm: Path) -> Iterator[tuple[str, str]]:
    """A spec file whose metadata say something strange in one place is loaded, or refused."""
    (path,) = place.glob("store/conversion/*/spec.safetensors")
    with safe_open(path, framework="numpy") as file:
        content = json.loads(file.metadata()["spec"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    inner, words = content, ""
    while isinstance(inner, dict | list) and inner:
        key = draw.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        words += f"/{key}"
        if not isinstance(inner[key], dict | list) or draw.random() < 0.3:
            inner[key] = draw.choice(STRANGE)
            words += f" {inner[key]!r}"
            break
        inner = inner[key]
    if draw.random() < 0.2:
        name = draw.choice(list(tensors))
        tensors[name] = draw.choice(
            (tensors[name].astype(np.int32), tensors[name] * np.nan, tensors[name].reshape(-1)[:0])
        )
    save_file(tensors, path, metadata={"spec": json.dumps(content)})
    yield from refused(lambda: load_spec(path), path.name, words)


def hostile_image(draw: random.Random, place: Path, calm: Path) -> Iterator[tuple[str, str]]:
    """An image file that was damaged is read, or refused with its name."""
    image = Image.fromarray(np.frombuffer(draw.randbytes(192), np.uint8).reshape(8, 8, 3))
    content = io.BytesIO()
    kind = draw.choice(("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"))
    image.save(content, kind)
    path = place / "image"
    path.write_bytes(content.getvalue())
    way = spoil(draw, path, [path])
    if path.exists():
        damaged = path.read_bytes()
        yield from refused(lambda: pixels(damaged, "image.file"), "image.file", f"{kind} {way}")


def refused(act: Callable[[], object], name: str, words: str) -> Iterator[tuple[str, str]]:
    try:
        act()
    except ValueError as error:
        if name not in str(error):
            yield "tracebacks", f"{words}: no name in {error}"
    except Exception as error:
        yield "tracebacks", f"{words}: {error!r}"


def print_table(table: Table) -> None:
    print(f"{'kind':16}" + "".join(f"{name:>16}" for name in ("cases", *FAULTS)))
    for kind, found in table.items():
        print(f"{kind:16}" + "".join(f"{found[name]:16}" for name in ("cases", *FAULTS)))


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.system.campaign", description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        table = campaign(chosen.count, chosen.seed, Path(folder))
    print_table(table)
    sys.exit(any(found[fault] for found in table.values() for fault in FAULTS))


if __name__ == "__main__":
    main()
