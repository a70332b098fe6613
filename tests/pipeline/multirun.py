"""Multiruns in the tests' own process, and what one that is refused says."""

import sys
from pathlib import Path

import pytest

from ann2snn.pipeline.application import run


def sweep(monkeypatch: pytest.MonkeyPatch, step: str, *arguments: str) -> int:
    """Runs a multirun in this process; gives its exit code."""
    monkeypatch.setattr(sys, "argv", ["stage", "-m", *arguments])
    with pytest.raises(SystemExit) as end:
        run(step)
    return int(str(end.value.code))


def require_refused(capsys: pytest.CaptureFixture[str], message: str) -> None:
    """Passes if one line, with `message` in it, is all that was said, and nothing was stored."""
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not Path("store").exists()
