"""A fault or a kill loses at most the block that was at work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ann2snn import convert
from ann2snn.simulation.event import threads as event
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.simulation.simulate import run_blocks
from ann2snn.spec import SpikingSpec, load_spec, save_spec
from tests import zoo

IMAGES, BLOCK = 60, 5
ROOT = Path(__file__).parents[2]
KILLED = """
import sys
from pathlib import Path
import numpy as np
from ann2snn.simulation.simulate import run_blocks
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.spec import load_spec
folder = Path(sys.argv[1])
images = np.load(folder / "images.npy")
settings = SimulationSettings(
    steps=int(sys.argv[2]), block=int(sys.argv[3]), precision="float64"
)
run_blocks(load_spec(folder / "spec.safetensors"), images, np.zeros(len(images), np.int64),
              settings, partial=folder / "partial")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spec, images, and an empty folder for finished blocks."""
    module, shape = zoo.build("plain_conv")
    images = np.asarray(zoo.images(shape, IMAGES))
    np.save(tmp_path / "images.npy", images)
    save_spec(convert(module, images), tmp_path / "spec.safetensors")
    (tmp_path / "partial").mkdir()
    return tmp_path


def simulated(folder: Path, steps: int, *, partial: bool) -> dict[str, list[float]]:
    images = np.load(folder / "images.npy")
    result = run_blocks(
        load_spec(folder / "spec.safetensors"), images, np.zeros(len(images), np.int64),
        SimulationSettings(steps=steps, block=BLOCK, precision="float64"),
        partial=folder / "partial" if partial else None,
    )  # fmt: skip
    return result.curves()


def watched(monkeypatch: pytest.MonkeyPatch, fault_at: int = -1) -> list[int]:
    """The first image of every block that the event engine starts; one at `fault_at` fails."""
    started: list[int] = []
    real = event.simulate_block

    def simulate_block(spec: SpikingSpec, images: Any, indices: Any, **rest: Any) -> Any:
        started.append(int(indices[0]))
        if fault_at in indices:
            raise MemoryError("no room")
        return real(spec, images, indices, **rest)

    monkeypatch.setattr(event, "simulate_block", simulate_block)
    return started


def test_a_fault_names_its_images_and_loses_its_block_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        watched(patch, fault_at=31)
        with pytest.raises(RuntimeError, match="simulation of images 30 to 34 failed: no room"):
            simulated(folder, 20, partial=True)
    started = watched(monkeypatch)
    again = simulated(folder, 20, partial=True)
    assert started == list(range(30, IMAGES, BLOCK))
    assert again == simulated(folder, 20, partial=False)


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, None])
def test_a_block_that_a_power_cut_left_unreadable_is_computed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    whole = simulated(folder, 20, partial=True)
    parts = sorted((folder / "partial").iterdir(), key=lambda part: int(part.stem.split("-")[1]))
    parts[7].write_bytes(parts[7].read_bytes()[:-10] if content is None else content)
    started = watched(monkeypatch)
    assert simulated(folder, 20, partial=True) == whole
    assert started == [7 * BLOCK]


def test_a_killed_simulation_goes_on_from_its_last_block(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 2000
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), str(steps), str(BLOCK)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    deadline = time.monotonic() + 300
    while len(list((folder / "partial").glob("*.safetensors"))) < 2:
        assert process.poll() is None, "the simulation ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = len(list((folder / "partial").glob("*.safetensors")))
    assert kept < IMAGES // BLOCK
    started = watched(monkeypatch)
    again = simulated(folder, steps, partial=True)
    assert started == list(range(kept * BLOCK, IMAGES, BLOCK))
    assert again == simulated(folder, steps, partial=False)
