"""Results sent by a process of its own, so that a stage does not wait for MLflow."""

import subprocess
import sys
from pathlib import Path

LOG = Path("store") / "tracking.log"


def sync_in_background(project: Path) -> "subprocess.Popen[bytes]":
    """Starts `python -m ann2snn.tracking` in `project` and returns at once; LOG has its output.

    The process outlives its caller. Several at once wait for each other and send each run once.
    """
    log = project / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ann2snn.tracking"]
    with log.open("ab") as output:
        return subprocess.Popen(
            command, cwd=project, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
