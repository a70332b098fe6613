"""Commands that are killed or asked to stop on their way, and go on when they are called again."""

import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.pipeline.project import environment, heed_all
from tests.system.campaign.calm import COMMANDS, STEPS, SYNC, called, command_of, compared, copied
from tests.system.campaign.cases import PATIENCE, Told
from tests.system.campaign.damage import spoil

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNS = ("store/*/*.new", "store/*/*.partial/*", "store/sweeps/*/points/*", "mlflow.db")
"""What shows that a command is in the midst of its work."""
Limits = Sequence[tuple[int, int]]
LONGEST = 10.0
ENDS_WITHIN = 120.0


def killed(draw: random.Random, place: Path, calm: Path) -> Told:
    """A command is killed with -9."""
    yield from _stopped(draw, place, calm, signal.SIGKILL)


def signalled(draw: random.Random, place: Path, calm: Path) -> Told:
    """A command is asked to stop by Ctrl-C, by a scheduler or by a terminal that closes."""
    yield from _stopped(draw, place, calm, draw.choice(SIGNALS))


def _stopped(draw: random.Random, place: Path, calm: Path, number: signal.Signals) -> Told:
    name = COMMANDS[draw.number % len(COMMANDS)]  # type: ignore[attr-defined]
    copied(calm, place, runs=name == SYNC and draw.random() < 0.3)
    take_results(draw, place, name)
    words = f"{name} {number.name}"
    process = begun(place, name)
    if number != signal.SIGKILL:
        wait_for_watch(process)
    wait_for_moment(draw, place, process)
    process.send_signal(number)
    code, said = ended(process, ENDS_WITHIN)
    if code is None:
        yield "hung", words
        return
    right = -number if number == signal.SIGKILL else 128 + number
    words += f" ({code})"
    if code not in (0, right):
        yield "silently wrong", f"{words}: {said[-300:]}"
    if "Traceback" in said:
        yield "tracebacks", f"{words}: {said[-2000:]}"
    kept = sorted(path for path in place.glob("store/*/*.partial/*") if path.is_file())
    if kept and draw.random() < 0.5:
        words += f", {spoil(draw, draw.choice(kept), kept)}"
    yield from repeated(place, calm, name, words)


def take_results(draw: random.Random, place: Path, name: str) -> None:
    """Removes what a command is to make, and some of what it makes that from."""
    if name == SYNC:
        return
    shutil.rmtree(place / "artifacts")
    shutil.rmtree(place / "store" / "sweeps")
    for step in STEPS:
        if draw.random() < 0.6 or step == (name if name in STEPS else "simulation"):
            shutil.rmtree(place / "store" / step)


def begun(
    place: Path, name: str, *more: str, limits: Limits = (), **variables: str
) -> "subprocess.Popen[str]":
    """A command of its own session, which heeds signals as in a terminal, within limits of the
    kernel on what it may have."""

    def prepare() -> None:
        heed_all()
        for which, most in limits:
            resource.setrlimit(which, (most, most))

    return subprocess.Popen(
        [*command_of(name), *more], cwd=place, env={**environment(), **variables}, text=True,
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=prepare,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]", seconds: float) -> tuple[int | None, str]:
    """Exit code and words of a command; it is killed, and has no exit code, after so long."""
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, ""
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said


def wait_for_watch(process: "subprocess.Popen[str]") -> None:
    """Waits until Python itself has begun and the program has taken over the signals."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        lines = status.read_text().splitlines()
        (caught,) = (int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.02)


def wait_for_moment(draw: random.Random, place: Path, process: "subprocess.Popen[str]") -> None:
    """Waits for some time, or until there is a sign of work and then for a moment."""
    if draw.random() < 0.4:
        end = time.monotonic() + draw.uniform(0.1, LONGEST)
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        return
    sign = draw.choice(SIGNS)
    end = time.monotonic() + ENDS_WITHIN
    while process.poll() is None and time.monotonic() < end and not list(place.glob(sign)):
        time.sleep(0.01)
    time.sleep(draw.choice((0.0, 0.05, 0.3, 1.0)))


def repeated(place: Path, calm: Path, name: str, words: str) -> Told:
    """The same command runs to its end, with the results of the calm project."""
    code: int | None
    if name in STEPS or name == "serial":
        code, said = called(place, name)
    else:
        code, said = ended(begun(place, name), PATIENCE)
    if code != 0:
        yield "tracebacks" if "Traceback" in said else "lost", f"{words}: {code}: {said[-2000:]}"
        return
    yield from compared(place, calm, name, words)
