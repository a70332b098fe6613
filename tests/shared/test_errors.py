"""What a user or a machine caused is one line; a fault of the program is none."""

import errno
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from ann2snn import errors
from ann2snn.errors import told
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
