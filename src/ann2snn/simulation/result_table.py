"""A result as a short table for people."""

from typing import TYPE_CHECKING

from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.numerics.aligned_columns import aligned

if TYPE_CHECKING:
    from ann2snn.simulation.result import SimulationResult

TOP = 5


def result_table(result: "SimulationResult") -> str:
    """What came out, and a line for each layer: its neurons, their mean firing rate (spikes per
    neuron and step), its spikes and its synaptic operations per image."""
    found = result.metrics()
    certificate = result.certificate
    exact = "yes" if certificate.exact else f"no, {certificate.worst} could have lost a bit"
    lines = [
        ("images", f"{result.images}, {result.steps} steps, engine {result.engine}"),
        *_accuracies(result),
        ("spikes", f"{found['spikes_per_neuron']:.4g} per neuron, mean rate"
                   f" {found['mean_rate']:.4g} per step"),
        ("operations", f"{found['synops_per_image']:.4g} synaptic per image; the analog network"
                       f" multiplies {found['macs_per_image']:.4g} times"),
        ("exact", exact),
    ]  # fmt: skip
    return f"{aligned(lines)}\n\n{aligned(_layers(result))}"


def _accuracies(result: "SimulationResult") -> list[tuple[str, str]]:
    own = result.spec.output.output
    undecided = int(result.undecided[own][-1])
    left = f"; {undecided} undecided" if undecided else ""
    if result.labels is None:
        return [("answers", f"by {own}, without labels{left}")]
    found = result.metrics()
    interval = f"{found['interval_low']:.2f} to {found['interval_high']:.2f}"
    others = [f"{name} {result.accuracy(name)[-1]:.2f}" for name in OUTPUTS if name != own]
    if result.spec.classes > TOP:
        others.append(f"top-{TOP} by potential {result.top_accuracy(TOP)[-1]:.2f}")
    return [
        ("accuracy", f"{found['snn_accuracy']:.2f} % by {own} (95 % interval {interval}){left}"),
        ("", ", ".join(others)),
    ]


def _layers(result: "SimulationResult") -> list[tuple[str, ...]]:
    rates = result.rates()
    rows: list[tuple[str, ...]] = [("layer", "kind", "units", "rate", "spikes", "operations")]
    for node in result.spec:
        counted = [result.spikes.get(node.name), result.synops.get(node.name)]
        if result.spec.is_static(node.name):
            counted = [None, None]
        if all(each is None for each in counted):
            continue
        shape = "x".join(map(str, result.spec.shapes[node.name]))
        rate = f"{rates[node.name]:.4f}" if node.name in rates else ""
        per_image = ("" if c is None else f"{c.sum() / result.images:.4g}" for c in counted)
        rows.append((node.name, node.kind, shape, rate, *per_image))
    return rows
