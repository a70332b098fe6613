"""The time to an answer: until answers are within half a point of the analog network's accuracy, in
its forward passes.

Ours: few steps with signed spikes, single ones and bursts, with and without early exit; beside them
binary spikes, and the peers at the steps that they need, with their own max-pools and with ours.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn import SpikingSpec, convert
from ann2snn.numerics.steps_to_level import lasting_step_at
from ann2snn.simulation.answers import early_exit, leads
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.simulation.simulate import certain_block
from bench.growth import with_rates
from bench.mode import FORWARD, Images
from bench.network import Measured, cifar10
from bench.networks import time_of
from bench.timing import Timed

Row = dict[str, Any]
Labels = npt.NDArray[np.int64]

WITHIN = 0.5  # points below the analog network
FEW = {"signed": 8, "burst": 5}  # steps without exit; with exit twice as many at most
NAMES = {"signed": "signed spikes", "burst": "bursts"}
BINARY = 200  # steps of binary spikes
MARGINS = tuple(np.arange(1, 129) / 16)
TIMED = 250  # images, one thread
REPETITIONS = 5


@dataclass(frozen=True)
class Answers:
    """Accuracy by step on some images, and the analog network's on the same."""

    curve: npt.NDArray[np.float64]
    analog: float

    @property
    def needed(self) -> int | None:
        """The first step from which the accuracy stays within `WITHIN` of the analog network's."""
        return lasting_step_at(self.curve.tolist(), self.analog - WITHIN)


def for_few_steps(network: Measured, calibration: Images, kind: str) -> SpikingSpec:
    """What validation images choose for so few steps (studies cifar10-few-selection-8 and
    cifar10-burst-selection-5)."""
    if kind == "burst":
        return convert(network.module, calibration, for_steps=FEW[kind])
    return convert(
        network.module, calibration, spikes=kind, initial_potential=0.5, output="potential",
        normalization="squared_error", calibration="bias", for_steps=FEW[kind],
    )  # fmt: skip


@dataclass(frozen=True)
class Way:
    """A way to an answer: a spec, with the settings that it runs by on one thread."""

    mode: str
    spec: SpikingSpec
    settings: SimulationSettings


def answer_rows(network: Measured, timed: list[Timed], smoke: bool) -> tuple[list[Row], Row]:
    """The table's rows, and what they give as single facts: work before the first step, and the
    time of signed spikes over that of as many binary ones. `timed` are the modes of one thread."""
    torch.set_num_threads(1)
    dataset = cifar10()
    count, own = (20, 4) if smoke else (len(network.labels), TIMED)
    images, labels = network.images[:count], network.labels[:count]
    calibration = np.array(dataset.train_images[dataset.calibration][:count])
    validation = np.array(dataset.train_images[dataset.validation[:count]])
    wanted = analog_answers(network, validation)
    analog = 100 * float((analog_answers(network, images) == labels).mean())
    ways = []
    for kind, steps in FEW.items():
        spec = for_few_steps(network, calibration, kind)
        plain = SimulationSettings(steps=steps, engine="event", threads=1)
        margin = chosen_margin(spec, steps, validation, wanted)
        leaving = replace(plain, steps=2 * steps, exit_margin=margin)
        ways += [Way(f"{NAMES[kind]}, early exit", spec, leaving),
                 Way(NAMES[kind], spec, plain)]  # fmt: skip
    signed = ways[1]
    long = replace(signed.settings, steps=20 if smoke else BINARY)
    binary, pooled = (
        Answers(accuracy_curve(spec, images, labels, long), analog)
        for spec in (network.spec, network.specs["spikes"])
    )
    if binary.needed:
        settings = replace(long, steps=binary.needed)
        ways.append(Way("binary spikes", network.spec, settings))
    some = network.images[:own]
    one = replace(signed.settings, steps=1)
    runs: dict[str, Callable[[], object]] = {
        **{
            f"forward {size}": partial(FORWARD.build(network, size), some, 1)
            for size in FORWARD.batches
        },
        "one step": partial(blocked, signed.spec, some, one),
        **{way.mode: partial(blocked, way.spec, some, way.settings) for way in ways},
    }
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(1 if smoke else REPETITIONS):
        for name, run in runs.items():
            least[name] = min(least[name], time_of(run) / own)
    forward = min(least[f"forward {size}"] for size in FORWARD.batches)
    shared = {"table": "answers", "threads": 1, "network": network.name, "images": count,
              "dataset": network.dataset, "analog_accuracy": analog}  # fmt: skip
    rows = []
    for way in ways:
        block = blocked(way.spec, images, replace(way.settings, threads=0))
        right = block.outputs.sum(1).argmax(1) == labels
        rows.append(shared | {
            "tool": "ann2snn", "mode": way.mode, "steps": way.settings.steps,
            "mean_steps": round(float(block.taken.mean()), 2), "margin": way.settings.exit_margin,
            "accuracy": round(100 * float(right.mean()), 2),
            "passes": round(least[way.mode] / forward, 4),
        })  # fmt: skip
    rows += [shared | row for row in peer_answers(timed, binary, pooled)]
    a_step = (least[signed.mode] - least["one step"]) / (signed.settings.steps - 1)
    facts = {
        "before_first_step_ms": 1e3 * (least["one step"] - a_step),
        "signed_over_binary": signed_over_binary(signed.spec, network.spec, some, smoke),
    }
    return rows, facts


def peer_answers(timed: list[Timed], binary: Answers, pooled: Answers) -> list[Row]:
    """The fastest mode of each peer at the steps that it needs: with its own max-pools, and at best
    with ours, if these cost it nothing."""
    forward = next(each for each in timed if each.mode == FORWARD)
    peers = [each for each in timed if each.mode.tool not in ("torch", "ann2snn", "plain torch")]
    rows: list[Row] = []
    for tool in dict.fromkeys(each.mode.tool for each in peers):
        best = min((each for each in peers if each.mode.tool == tool), key=lambda e: e.microseconds)
        for pools, found in (("its max-pools", pooled), ("max-pools as ours", binary)):
            needed = found.needed
            passes = needed and round(needed * best.microseconds / forward.microseconds, 2)
            accuracy = found.curve[needed - 1] if needed else found.curve.max()
            rows.append({"tool": tool, "mode": f"{best.mode.mode}, {pools}", "steps": needed,
                         "accuracy": round(float(accuracy), 2), "passes": passes})  # fmt: skip
    return rows


def blocked(spec: SpikingSpec, images: Images, settings: SimulationSettings) -> Any:
    """The block of these images."""
    return certain_block(spec, images, np.arange(len(images)), settings)[0]


def analog_answers(network: Measured, images: Images) -> Labels:
    scores = FORWARD.build(network, 250)(images, 1)
    found: Labels = scores.argmax(1)
    return found


def accuracy_curve(
    spec: SpikingSpec, images: Images, labels: Labels, settings: SimulationSettings
) -> npt.NDArray[np.float64]:
    """The accuracy after each step, in percent, by all cores."""
    right = np.zeros(settings.steps)
    for start in range(0, len(images), 500):
        part = slice(start, start + 500)
        outputs = blocked(spec, images[part], replace(settings, threads=0)).outputs
        right += (outputs.cumsum(1).argmax(2) == labels[part, None]).sum(0)
    return 100 * right / len(images)


def chosen_margin(spec: SpikingSpec, steps: int, images: Images, analog: Labels) -> float:
    """The least margin at which validation images, after twice as many steps at most, give the
    analog network's answer as often as all do after `steps`."""
    settings = SimulationSettings(steps=2 * steps, engine="event", threads=0)
    potential = blocked(spec, images, settings).outputs.cumsum(1)
    wanted = (potential[:, steps - 1].argmax(1) == analog).mean()
    lead = leads(potential)
    for margin in MARGINS:
        answers, _ = early_exit(potential, lead, margin)
        if (answers == analog).mean() >= wanted:
            return float(margin)
    return float(MARGINS[-1])


def signed_over_binary(
    signed: SpikingSpec, binary: SpikingSpec, images: Images, smoke: bool
) -> float:
    """The event engine's time with signed spikes over that with as many binary ones, 16 steps, one
    thread: the rates of the binary network are raised until it sends as many."""
    settings = SimulationSettings(steps=16, engine="event", threads=1)

    def sent(spec: SpikingSpec) -> int:
        return sum(int(found.sum()) for found in blocked(spec, images, settings).spikes.values())

    wanted, low, high = sent(signed), 0.25, 8.0
    for _ in range(3 if smoke else 12):
        factor = (low * high) ** 0.5
        low, high = (factor, high) if sent(with_rates(binary, factor)) < wanted else (low, factor)
    equal = with_rates(binary, (low * high) ** 0.5)
    least = [float("inf")] * 2
    for _ in range(1 if smoke else 2 * REPETITIONS):
        for place, spec in enumerate((signed, equal)):
            seconds = time_of(partial(blocked, spec, images, settings))
            least[place] = min(least[place], seconds)
    return least[0] / least[1]
