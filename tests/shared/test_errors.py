"""What a user or a machine caused is one line; a fault of the program is none."""

import errno
import importlib
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ann2snn import errors
from ann2snn.errors import errors_are_told, told
from ann2snn.settings import SettingError
from tests.pipeline.project import environment, make_project, stage_command

MIB = 2**20


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\nlines"), "two lines"),
        (OSError(errno.ENOSPC, "No space"), f"[Errno 28] No space; {errors.MAKE_ROOM}"),
        (MemoryError(), f"there is not enough memory (MemoryError); {errors.LESS_MEMORY}"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"),
         "ulimit -v leaves too little memory to load all libraries (libtorch_cpu.so: failed to map"
         " segment from shared object)"),
        (ImportError("cannot import name"), None),
        (SystemError("error return without exception set"), None),
        (RuntimeError("CUDA out of memory"),
         f"there is not enough memory (CUDA out of memory); {errors.LESS_MEMORY}"),
        (subprocess.CalledProcessError(255, ["dvc", "repro"]),
         "Command '['dvc', 'repro']' returned non-zero exit status 255."),
        (KeyError(1), None),
    ],
)  # fmt: skip
def test_what_a_machine_or_a_user_caused_is_told(
    error: Exception, line: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "address_limit", lambda: 2**31)
    assert told(error) == line


def test_a_library_that_is_not_loaded_for_another_reason_is_no_lack_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errors, "address_limit", lambda: None)
    error = OSError("libtorch_cpu.so: failed to map segment from shared object")
    assert told(error) == str(error)


def ended(error: Exception, misused: int = errors.FAILED) -> int:
    """The exit code of a program in which the error is raised."""
    with pytest.raises(SystemExit) as end, errors_are_told(misused):
        raise error
    return int(str(end.value.code))


def test_only_a_wrong_setting_ends_a_program_with_the_code_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = SettingError("steps must be at least 1, got 0")
    assert [ended(wrong), ended(wrong, 2), ended(ValueError("broken"), 2)] == [1, 2, 1]
    said = capsys.readouterr()
    assert said.err == f"error: {wrong}\n" * 2 + "error: broken\n"
    assert said.out == ""


def test_what_an_error_lists_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("two claims are wrong:")
    error.add_note("the first")
    error.add_note("the second")
    assert ended(error) == 1
    assert capsys.readouterr().err == "error: two claims are wrong:\n  the first\n  the second\n"


def test_a_fault_keeps_its_traceback_and_so_does_every_error_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(KeyError("gone"), 2) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith("KeyError: 'gone'\n")
    monkeypatch.setenv("ANN2SNN_TRACEBACK", "1")
    assert ended(ValueError("broken")) == 1
    assert capsys.readouterr().err.endswith("ValueError: broken\n")


STOPPED = """
import os, signal
from ann2snn.errors import errors_are_told
from ann2snn.stopping import watch
watch()
with errors_are_told():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except BaseException:
        raise ValueError("what other code makes of a signal")
"""


def test_a_signal_is_no_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED], env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr.startswith("stopped by SIGTERM: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "words", "code", "line"),
    [
        ("commands.accept", [], 1, "params.yaml is not in "),
        ("commands.check", [], 1, "/project has neither store/ nor artifacts/"),
        ("commands.demo", [], 1, "params.yaml is not in "),
        ("commands.gc", [], 2, "params.yaml is not in "),
        ("commands.readme", [], 1, "[Errno 2] No such file or directory: "),
        ("commands.reproduce", ["abcdef"], 2, "no result here has the key abcdef: "),
        ("commands.verify", [], 1, "git cannot clone the project in "),
        ("pipeline.report", [], 1, "no study under "),
        ("tracking.__main__", ["--uri=nosuch://x"], 1, "the MLflow URI must begin with "),
    ],
)
def test_a_command_that_cannot_work_here_ends_with_one_line(
    command: str, words: list[str], code: int, line: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(sys, "argv", [command, *words])
    with pytest.raises(SystemExit) as end:
        importlib.import_module(f"ann2snn.{command}").main()
    said = capsys.readouterr()
    assert (end.value.code, said.out, said.err.count("\n")) == (code, "", 1)
    assert said.err.startswith("error: ")
    assert line in said.err


STEP = stage_command("ann", "run.track=false", "ann.epochs=1")
SYNC = [sys.executable, "-m", "ann2snn.tracking"]
LEAST = "ulimit -v allows 500 MiB of addresses, at least 1024 are needed"


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="other systems do not hold to the limit, and other builds of PyTorch need less",
)
@pytest.mark.parametrize(
    ("command", "mebibytes", "line"),
    [
        (STEP, 500, LEAST),
        (SYNC, 500, LEAST),
        (STEP, 1100, "ulimit -v leaves too little memory to load all libraries ("),
    ],
)
def test_too_few_addresses_are_one_line(
    command: list[str], mebibytes: int, line: str, tmp_path: Path
) -> None:
    import resource

    done = subprocess.run(
        command, cwd=make_project(tmp_path / "project"), env=environment(), text=True,
        capture_output=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes * MIB,) * 2),
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {line}"), done.stderr
    assert done.stderr.count("\n") == 1
