"""What needs a process of its own: peak memory, compilation, a later start.

`python -m bench.worker QUESTION FOLDER ARGUMENTS...` prints one JSON object.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ann2snn.spec import load_spec
from bench.mode import MODES
from bench.network import Measured, measured

Answer = dict[str, Any]


def status_mb(field: str) -> float:
    """A size of this process as Linux counts it: VmRSS, what is resident, or VmHWM, the largest
    that was since `forget_peak`."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status has no {field}")


def forget_peak() -> None:
    """From here on VmHWM counts anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def peak_above(run: Callable[[], object]) -> float:
    """The largest resident size while `run` runs, above what was resident before, in MB."""
    forget_peak()
    before = status_mb("VmRSS")
    run()
    return status_mb("VmHWM") - before


def import_all_of_numba() -> None:
    """What numba imports when a first kernel runs: packages of the interpreter, as all others."""
    from numba.core.registry import cpu_target

    cpu_target.target_context.refresh()


def memory(network: Measured, tool: str, mode: str, batch: str, images: str, steps: str) -> Answer:
    """Peak of a run above the interpreter with its packages, the network and the images."""
    chosen = next(m for m in MODES if (m.tool, m.mode) == (tool, mode))
    simulation = chosen.build(network, int(batch))
    given = network.images[: int(images)]
    import_all_of_numba()
    return {"peak_mb": peak_above(lambda: simulation(given, int(steps)))}


def blocks(network: Measured, images: str, steps: str) -> Answer:
    """Peak of `simulate` over many images, as the pipeline runs it."""
    from ann2snn import simulate

    import_all_of_numba()
    count = int(images)
    chosen, labels = network.images[:count], network.labels[:count]
    results = []
    peak = peak_above(
        lambda: results.append(simulate(network.spec, chosen, labels, steps=int(steps)))
    )
    (result,) = results
    return {
        "images": count,
        "steps": int(steps),
        "peak_mb": peak,
        "accuracy": float(result.accuracy()[-1]),
        "exact": result.certificate.exact,
        "repeated_in_float64": result.repeated,
    }


def spec_memory(network: Measured, path: str) -> Answer:
    """Peak of a spec's simulation with the default setting, above weights and images: 64 images,
    32 steps."""
    from ann2snn.simulation.settings import SimulationSettings
    from ann2snn.simulation.simulate import certain_block, decided

    import_all_of_numba()
    spec = load_spec(Path(path))
    images = network.images[:64]
    settings = decided(SimulationSettings(steps=32, engine="event"), spec, images)
    return {"peak_mb": peak_above(lambda: certain_block(spec, images, np.arange(64), settings))}


def start(network: Measured) -> Answer:
    """Seconds of the first image's first step, imports done: kernels are compiled or loaded. Apart
    from these, numba's own imports, most of which it puts off until a first kernel runs."""
    from ann2snn.simulation.event import threads as event

    started = time.perf_counter()
    import_all_of_numba()
    imports = time.perf_counter() - started

    def once() -> float:
        started = time.perf_counter()
        event.simulate_block(network.spec, network.images[:1], np.zeros(1, np.int64), steps=1,
                             seed=0, threads=1)  # fmt: skip
        return time.perf_counter() - started

    first = once()
    return {"seconds": first - once(), "numba_imports_s": imports}


def statistics(network: Measured, images: str) -> Answer:
    """The activation statistics over calibration images against the plain forward pass."""
    from ann2snn.conversion.calibration import collect
    from ann2snn.conversion.trace import analog_graph

    count = int(images)
    chosen = network.images[np.arange(count) % len(network.images)]
    module = network.module

    def plain() -> float:
        started = time.perf_counter()
        with torch.no_grad():
            for i in range(0, count, 100):
                module(torch.from_numpy(chosen[i : i + 100]).float() / 255)
        return time.perf_counter() - started

    def collected() -> float:
        started = time.perf_counter()
        collect(analog_graph(module, chosen.shape[1:]), chosen, 255)
        return time.perf_counter() - started

    plain()
    pairs = [(plain(), collected()) for _ in range(4)]
    forward, seconds = (min(pair[i] for pair in pairs) for i in (0, 1))
    forget_peak()
    collected()
    return {"images": count, "forward_s": forward, "seconds": seconds, "ratio": seconds / forward,
            "peak_mb": status_mb("VmHWM")}  # fmt: skip


QUESTIONS: dict[str, Callable[..., Answer]] = {
    "memory": memory, "spec_memory": spec_memory, "blocks": blocks, "start": start,
    "statistics": statistics,
}  # fmt: skip


def main() -> None:
    question, folder, threads, *arguments = sys.argv[1:]
    torch.set_num_threads(int(threads))
    print(json.dumps(QUESTIONS[question](measured(Path(folder)), *arguments)))


if __name__ == "__main__":
    main()
