"""The sums that are kept of each block of images, and their joining into a result."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ann2snn.mechanisms.outputs import OUTPUTS, UNDECIDED, Received
from ann2snn.simulation.answers import early_exit, first_lasting_step, leads, rank_counts
from ann2snn.simulation.certificate import certify
from ann2snn.simulation.checks import Request
from ann2snn.simulation.comparison import BY_STEP, Comparison, comparison
from ann2snn.simulation.engines import ENGINES
from ann2snn.simulation.image_block import Block
from ann2snn.simulation.result import SimulationResult
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.spec import SpikingSpec

MARGINS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
Arrays = dict[str, np.ndarray]
Indices = npt.NDArray[np.int64]


def summary(
    spec: SpikingSpec,
    block: Block,
    labels: np.ndarray | None,
    places: Indices,
    settings: SimulationSettings,
    request: Request,
) -> Arrays:
    """The numbers that are kept of a block: sums over its images by step, and a few per image;
    without labels, none that count right answers."""
    own = None if labels is None else labels[places]
    part: Arrays = {}
    potential = block.outputs.cumsum(1)
    received = Received(block.outputs, potential, places, settings.seed)
    # an image that has left keeps its answer
    steps = np.minimum(np.arange(settings.steps), block.taken[:, None] - 1)
    for name, row in OUTPUTS.items():
        answer = np.take_along_axis(row.answers(spec.output, received), steps, 1)
        part[f"undecided/{name}"] = (answer == UNDECIDED).sum(0)
        part[f"prediction/{name}"] = answer[:, -1].astype(np.int64)
        if own is not None:
            right = answer == own[:, None]
            part[f"right/{name}"] = right.sum(0)
            part[f"lasting/{name}"] = first_lasting_step(right).astype(np.int64)
    if own is not None:
        part["ranks/potential"] = rank_counts(potential, own)
    lead = leads(potential)
    for margin in margins(settings):
        answer, step = early_exit(potential, lead, margin)
        part[f"exit_answer/{margin}"] = answer.astype(np.int64)
        part[f"exit_step/{margin}"] = step.astype(np.int64)
    if settings.exit_margin:
        part["taken/steps"] = block.taken
    for kind in ("spikes", "negative", "synops", "pool_operations"):
        for node, counts in getattr(block, kind).items():
            part[f"{kind}/{node}"] = counts.sum(0)
    for node, largest in block.largest.items():
        part[f"largest/{node}"] = largest.max(keepdims=True)
    if request.potentials:
        part["potentials/output"] = potential
    for node, trains in block.trains.items():
        part[f"trains/{node}"] = trains
    return part | block.compared


def margins(settings: SimulationSettings) -> list[float]:
    """Those of the curve of early exit: where images leave at a margin, the steps to larger ones
    are not simulated."""
    return [m for m in MARGINS if not settings.exit_margin or m <= settings.exit_margin]


ByName = Callable[[str, Callable[[list[np.ndarray]], Any]], dict[str, Any]]


def joined(
    spec: SpikingSpec,
    parts: list[Arrays],
    labels: Indices | None,
    settings: SimulationSettings,
    request: Request,
) -> SimulationResult:
    """The result of all blocks in their order."""

    def by_name(kind: str, join: Callable[[list[np.ndarray]], Any]) -> dict[str, Any]:
        names = [name.split("/", 1)[1] for name in parts[0] if name.startswith(f"{kind}/")]
        return {name: join([part[f"{kind}/{name}"] for part in parts]) for name in names}

    def total(arrays: list[np.ndarray]) -> np.ndarray:
        return np.asarray(np.sum(arrays, axis=0))

    repeated = int(by_name("repeated", total)["images"][0])
    narrow = ENGINES[settings.engine].narrow
    precision = narrow if settings.precision == "auto" else settings.precision
    largest = by_name("largest", lambda arrays: float(np.max(arrays)))
    answers, steps = by_name("exit_answer", np.concatenate), by_name("exit_step", np.concatenate)
    return SimulationResult(
        spec=spec,
        steps=settings.steps,
        labels=labels,
        right=by_name("right", total),
        ranks=by_name("ranks", total).get("potential"),
        undecided=by_name("undecided", total),
        predictions=by_name("prediction", np.concatenate),
        lasting=by_name("lasting", np.concatenate),
        exits={margin: (answers[str(margin)], steps[str(margin)]) for margin in margins(settings)},
        spikes=by_name("spikes", total),
        negative=by_name("negative", total),
        synops=by_name("synops", total),
        pool_operations=by_name("pool_operations", total),
        certificate=certify(spec, largest, settings.steps, "float64" if repeated else precision),
        engine=settings.engine,
        precision=precision,
        repeated=repeated,
        taken=by_name("taken", np.concatenate).get("steps"),
        potentials=by_name("potentials", np.concatenate).get("output"),
        trains=by_name("trains", np.concatenate),
        recorded=request.units,
        comparisons=_comparisons(by_name, total),
    )


def _comparisons(
    by_name: ByName, total: Callable[[list[np.ndarray]], np.ndarray]
) -> dict[str, Comparison]:
    """Of every layer, where the run compared rates with activations."""
    sums = {what: by_name(f"compared_{what}", total) for what in (*BY_STEP, "totals", "bins")}
    samples = by_name("samples", np.concatenate)
    return {
        name: comparison(
            {what: sums[what][name] for what in BY_STEP},
            sums["totals"][name], sums["bins"][name], samples[name],
        )
        for name in samples
    }  # fmt: skip
