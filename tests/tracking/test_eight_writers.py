"""Eight clones send the same results to one server at once, and the server is killed on the way.

ANN2SNN_MANY_RUNS is the number of runs, 61 by default; 1,000 take minutes.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ann2snn.records import Record
from ann2snn.tracking.answers import TrackingUnavailableError
from ann2snn.tracking.sync import sync
from tests.tracking.local_server import Server, postgres, require_each_once, runs_on
from tests.tracking.project_with_results import (
    RUNS,
    key_of,
    make_project,
    simulation_record,
    study_points,
)

MANY = int(os.environ.get("ANN2SNN_MANY_RUNS", "61"))
WRITERS = 8
SHARES = (0.3, 0.6)  # of the runs, at which the server is killed
SILENCE = 2.0  # seconds for which it is gone, beside those of its start
DELETED_ONLY = 2


def many_results(folder: Path, count: int) -> Path:
    """A project that has `count` runs: the usual results, and in its store simulated points."""
    make_project(folder)
    base = simulation_record(next(iter(study_points("ablation").values())))
    for number in range(count - RUNS):
        settings = {**base.settings, "simulation": {"steps": 20, "images": number, "seed": number}}
        record = Record(**{**base.__dict__, "key": key_of("many", number), "settings": settings})
        record.write(folder / "store" / "simulation" / record.key / "record.json")
    return folder


@dataclass
class Writers:
    """One process per clone, started again whenever it did not end well, as its user would."""

    clones: list[Path]
    uri: str
    ends: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.running = {clone: self.started(clone) for clone in self.clones}

    def started(self, clone: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "ann2snn.tracking", "--uri", self.uri]
        with (clone / "said").open("wb") as said:
            return subprocess.Popen(command, cwd=clone, stdout=said, stderr=said)

    def look(self) -> bool:
        """Notes who has ended; whether any is at work still."""
        for clone, process in list(self.running.items()):
            if process.poll() is None:
                continue
            del self.running[clone]
            said = (clone / "said").read_text(encoding="utf-8").strip()
            assert "Traceback" not in said, said
            if process.returncode == 0:
                self.ends["well"] += 1
                continue
            self.ends[said.splitlines()[-1].replace(self.uri, "URI")] += 1
            assert self.ends.total() < 20 * len(self.clones), self.ends
            self.running[clone] = self.started(clone)
        time.sleep(0.5)
        return bool(self.running)

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()


def shown(uri: str) -> int:
    """How many runs the server has; a look that it is too busy to answer in time says nothing."""
    try:
        return len(runs_on(uri))
    except TrackingUnavailableError:
        return 0


@pytest.mark.system
@pytest.mark.timeout(600 + 3 * MANY)
def test_eight_writers_and_a_server_that_is_killed_twice_make_each_run_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clones = [many_results(tmp_path / f"clone-{number}", MANY) for number in range(WRITERS)]
    with (
        postgres(tmp_path / "postgres") as database,
        Server(tmp_path / "server", "--backend-store-uri", database) as server,
    ):
        started, kills = time.monotonic(), []
        writers = Writers(clones, server.uri)
        try:
            for share in SHARES:
                while (there := shown(server.uri)) < share * MANY:
                    assert writers.look()
                server.kill()
                kills.append(f"{there} runs after {time.monotonic() - started:.0f} s")
                time.sleep(SILENCE)
                server.start()
            while writers.look():
                pass
        finally:
            writers.stop()
        seconds = time.monotonic() - started
        assert not [words for words in writers.ends if "Violation" in words]
        require_each_once(server.uri, MANY)
        deleted = len(runs_on(server.uri, DELETED_ONLY))
        began = time.monotonic()
        assert sync(clones[0], server.uri).kept == MANY
        again = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{MANY} runs, {WRITERS} writers: {seconds:.0f} s; a repeat: {again:.1f} s")
        print(f"killed at {', '.join(kills)}; started twice and deleted: {deleted}")
        print("\n".join(f"{count} ended: {words}" for words, count in writers.ends.items()))
