"""Signs of life: a line that renews itself on a terminal, lines in a log, nothing if not shown."""

import itertools
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ann2snn import progress as module
from ann2snn.progress import Progress
from tests.pipeline.project import QUICK, ROOT, environment, make_project, stage_command

SILENT = 5.0  # seconds


def test_a_line_tells_what_is_done_how_long_it_took_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    shown = Progress("simulating", 1000, "images", shown=False)
    assert shown.line() == "simulating: 0 of 1000 images, 0:00"
    shown.starts_at(200)  # of an earlier run: no sign of speed
    clock[0] += 60
    assert shown.line() == "simulating: 200 of 1000 images, 1:00"
    shown.count(400)
    assert shown.line() == "simulating: 400 of 1000 images, 1:00, about 3:00 left"
    clock[0] += 3600
    assert Progress("loading", shown=False).line() == "loading: 0:00"
    assert shown.line().startswith("simulating: 400 of 1000 images, 1:01:00, about 3:03:00")


def test_a_log_gets_whole_lines_of_the_innermost_and_nothing_if_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "UNWATCHED", 0.02)
    with Progress("outer"), Progress("inner", 3, "blocks") as inner:
        inner.count(2)
        time.sleep(0.2)
    said = capsys.readouterr().err.splitlines()
    assert said
    assert all(line.startswith("inner: ") for line in said[1:]), "the outer may speak before it"
    assert "2 of 3 blocks" in said[-1]
    with Progress("silent", shown=False):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_what_counts_by_itself_is_asked() -> None:
    shown = Progress("sweeping", 4, "points", shown=False, counted=lambda: 3)
    assert shown.line().startswith("sweeping: 3 of 4 points, 0:00")


def moments(command: list[str], folder: Path) -> tuple[list[float], bytes]:
    """When a program on a terminal of its own writes anything, its end included, and what."""
    main, terminal = pty.openpty()
    found, said = [time.monotonic()], b""
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    while True:
        try:
            new = os.read(main, 4096)
        except OSError:  # the terminal's other end is closed
            new = b""
        found.append(time.monotonic())
        if not new:
            break
        said += new
    os.close(main)
    assert process.wait() == 0, said.decode()
    return found, said


@pytest.mark.system  # its limit is of seconds, which a busy machine takes to start a process
def test_on_a_terminal_no_simulation_is_silent_for_five_seconds(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    command = stage_command("simulation", *QUICK, "run.track=false")
    found, said = moments(command, project)
    assert max(b - a for a, b in itertools.pairwise(found)) < SILENT
    assert b"\rtraining digits_cnn: " in said
    assert said.startswith(b"simulation: data digits, network digits_cnn")
    assert b"record: store/simulation/" in said
    _, said = moments([*command, "run.progress=false"], make_project(tmp_path / "other"))
    assert b"\r " not in said
    assert b"training" not in said


@pytest.mark.system
def test_on_a_terminal_no_sweep_and_no_sync_is_silent_for_five_seconds(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    points = ["conversion.percentile=99,99.9", "run.name=s", "run.track=false"]
    found, said = moments(stage_command("simulation", "-m", *QUICK, *points), project)
    assert max(b - a for a, b in itertools.pairwise(found)) < SILENT
    assert b"99.9" in said
    found, said = moments([sys.executable, "-m", "ann2snn.tracking"], project)
    assert max(b - a for a, b in itertools.pairwise(found)) < SILENT
    assert said


@pytest.mark.system
@pytest.mark.timeout(1200)
def test_on_a_terminal_no_demo_is_silent_for_five_seconds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ann2snn.commands.demo", str(tmp_path / "demo")]
    found, said = moments(command, ROOT)
    assert max(b - a for a, b in itertools.pairwise(found)) < SILENT
    assert b"Running stage 'ann@digits'" in said
    assert b"figures and tables: " in said
