"""The time to an answer: until answers are within half a point of the analog network's accuracy, in
its forward passes.

Ours: few steps with signed spikes, with and without early exit; beside it binary spikes, and the
peers at the steps that they need, with their own max-pools and, as twins, with ours.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn import SpikingSpec, convert
from ann2snn.simulation.answers import early_exit, leads
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.simulation.simulate import certain_block
from bench.growth import with_rates
from bench.mode import FORWARD
from bench.network import Measured, cifar10
from bench.networks import time_of
from bench.timing import Timed

Row = dict[str, Any]
Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

WITHIN = 0.5  # points below the analog network
FEW, LONGEST, BINARY = 8, 16, 200  # steps: without exit, with exit at most, of binary spikes
MARGINS = tuple(np.arange(0.25, 8.01, 0.25))
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
        enough = self.curve >= self.analog - WITHIN
        lasting = np.flatnonzero(~enough)
        first = 0 if not len(lasting) else int(lasting[-1]) + 1
        return first + 1 if first < len(self.curve) else None


def for_few_steps(network: Measured, calibration: Images) -> SpikingSpec:
    """The conversion of `experiment=few_steps`."""
    return convert(
        network.module, calibration, spikes="signed", initial_potential=0.5, output="potential",
        normalization="squared_error", for_steps=FEW, calibration="bias",
    )  # fmt: skip


def answer_rows(network: Measured, timed: list[Timed], smoke: bool) -> tuple[list[Row], Row]:
    """The table's rows, and what they give as single facts: work before the first step, and the
    time of signed spikes over that of as many binary ones. `timed` are the modes of one thread."""
    torch.set_num_threads(1)
    dataset = cifar10()
    count, own = (20, 4) if smoke else (len(network.labels), TIMED)
    images, labels = network.images[:count], network.labels[:count]
    few = for_few_steps(network, np.array(dataset.train_images[dataset.calibration][:count]))
    place = dataset.validation[:count]
    validation = np.array(dataset.train_images[place])
    margin = chosen_margin(few, validation, analog_answers(network, validation))
    right = analog_answers(network, images) == labels
    analog = 100 * float(right.mean())
    plain = SimulationSettings(steps=FEW, engine="event", threads=1)
    leaving = replace(plain, steps=LONGEST, exit_margin=margin)
    long = replace(plain, steps=20 if smoke else BINARY)
    binary, pooled = (
        Answers(accuracy_curve(spec, images, labels, long), analog)
        for spec in (network.spec, network.specs["spikes"])
    )
    needed = binary.needed or long.steps
    ways: dict[str, Callable[[], object]] = {
        "forward": lambda: FORWARD.build(network, own)(network.images[:own], 1),
        "without": lambda: blocked(few, network.images[:own], plain),
        "with": lambda: blocked(few, network.images[:own], leaving),
        "binary": lambda: blocked(network.spec, network.images[:own], replace(long, steps=needed)),
        "one": lambda: blocked(few, network.images[:own], replace(plain, steps=1)),
    }
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(1 if smoke else REPETITIONS):
        for name, run in ways.items():
            least[name] = min(least[name], time_of(run) / own)
    every = replace(plain, threads=0)
    taken = blocked(few, images, replace(leaving, threads=0))
    answers = taken.outputs.sum(1).argmax(1)
    shared = {"table": "answers", "threads": 1, "network": network.name, "images": count,
              "dataset": network.dataset, "analog_accuracy": analog}  # fmt: skip

    def row(tool: str, mode: str, steps: int | None, accuracy: float, seconds: float | None,
            **more: Any) -> Row:  # fmt: skip
        passes = None if seconds is None else round(seconds / least["forward"], 4)
        return shared | {"tool": tool, "mode": mode, "steps": steps, "passes": passes,
                         "accuracy": accuracy} | more  # fmt: skip

    rows = [
        row("ann2snn", "signed spikes, early exit", LONGEST,
            100 * float((answers == labels).mean()), least["with"],
            mean_steps=round(float(taken.taken.mean()), 2), margin=margin),
        row("ann2snn", "signed spikes", FEW,
            float(accuracy_curve(few, images, labels, every)[-1]), least["without"]),
        row("ann2snn", "binary spikes", binary.needed, float(binary.curve[needed - 1]),
            least["binary"] if binary.needed else None),
        *peer_answers(timed, row, binary, pooled),
    ]  # fmt: skip
    facts = {
        "before_first_step_ms": 1e3
        * (least["one"] - (least["without"] - least["one"]) / (FEW - 1)),
        "signed_over_binary": signed_over_binary(few, network.spec, network.images[:own], smoke),
    }
    return rows, facts


def peer_answers(
    timed: list[Timed], row: Callable[..., Row], binary: Answers, pooled: Answers
) -> list[Row]:
    """The fastest mode of each peer at the steps that it needs: with its own max-pools, and at best
    with ours, if these cost it nothing."""
    forward = next(each for each in timed if each.mode == FORWARD)
    peers = [each for each in timed if each.mode.tool not in ("torch", "ann2snn", "plain torch")]
    rows = []
    for tool in dict.fromkeys(each.mode.tool for each in peers):
        best = min((each for each in peers if each.mode.tool == tool), key=lambda e: e.microseconds)
        for pools, found in (("its max-pools", pooled), ("max-pools as ours", binary)):
            needed = found.needed
            made = row(tool, f"{best.mode.mode}, {pools}", needed, float(found.curve.max()), None)
            if needed:
                passes = needed * best.microseconds / forward.microseconds
                made |= {"passes": round(passes, 2), "accuracy": float(found.curve[needed - 1])}
            rows.append(made)
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


def chosen_margin(spec: SpikingSpec, images: Images, analog: Labels) -> float:
    """The least margin at which validation images give the analog network's answer as often as
    after `FEW` steps."""
    settings = SimulationSettings(steps=LONGEST, engine="event", threads=0)
    potential = blocked(spec, images, settings).outputs.cumsum(1)
    wanted = (potential[:, FEW - 1].argmax(1) == analog).mean()
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
    settings = SimulationSettings(steps=LONGEST, engine="event", threads=1)

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
