"""What a stage costs beside its work: its start, and its tracking. `python -m bench.stages`.

Digits in a folder of its own; each time is the least of several processes, those with and without
tracking in turn. The work is next to none (digits' network converted, its statistics there; one
image simulated for one step), so a stage's time is that to start and to end.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPETITIONS = 8
POINT = ["ann.epochs=1", "simulation.images=1", "simulation.steps=1"]


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary)
        shutil.copytree(ROOT / "conf", project / "conf")
        seconds([sys.executable, "-m", "ann2snn.pipeline.simulation", *POINT], project)
        torch = min(
            seconds([sys.executable, "-c", "import torch"], project) for _ in range(REPETITIONS)
        )
        print(f"import of torch: {torch:.2f} s")
        for step in ("conversion", "simulation"):
            times = [
                (one_stage(step, project, track=False), one_stage(step, project, track=True))
                for _ in range(REPETITIONS)
            ]
            plain, tracked = map(min, zip(*times, strict=True))
            print(
                f"{step}: {plain:.2f} s, {plain - torch:.2f} s above the import; tracking adds "
                f"{tracked - plain:.2f} s"
            )


def one_stage(step: str, project: Path, *, track: bool) -> float:
    """Seconds of the whole stage, its result not there before."""
    shutil.rmtree(project / "store" / step)
    command = [sys.executable, "-m", f"ann2snn.pipeline.{step}", *POINT, f"run.track={track}"]
    total = seconds(command, project)
    if track:  # ends when the process that tracks in the background has ended
        seconds([sys.executable, "-m", "ann2snn.tracking"], project)
    return total


def seconds(command: list[str], project: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    started = time.perf_counter()
    subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
