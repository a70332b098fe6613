"""Sends results in a process of its own, so that a stage does not wait for MLflow."""

import subprocess
import sys
from pathlib import Path

LOG = Path("store") / "tracking.log"


def sync_in_background(project: Path) -> "subprocess.Popen[bytes]":
    """Starts `python -m ann2snn.tracking` in `project` and returns at once; its words are in LOG.

    The process outlives its caller. Several at once wait for each other and send each run once.
    """
    log = project / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as words:
        return subprocess.Popen(
            [sys.executable, "-m", "ann2snn.tracking"],
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
