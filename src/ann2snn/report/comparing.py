"""Firing rates beside activations, as records hold them: one reading for figures and findings."""

from dataclasses import dataclass

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.report.results import Point, Study


@dataclass(frozen=True)
class ComparedLayer:
    """A neuron layer of one run: curves by step, and what the simulation's record details."""

    name: str
    depth: int
    error: list[float]
    correlation: list[float]
    active: float
    saturating: float
    staircase: float
    bins: list[tuple[float, float, int, float]]
    samples: list[tuple[float, float]]


def compared_layers(point: Point) -> list[ComparedLayer]:
    """The neuron layers of a run that compared rates with activations, in the network's order;
    none of any other run."""
    found = point.simulation.details.get("comparison", {})
    nodes = point.conversion.details["layers"] if point.conversion else []
    names = [node["name"] for node in nodes if node["name"] in found] or list(found)
    curves = point.simulation.curves
    return [
        ComparedLayer(
            name=name,
            depth=depth,
            error=curves[f"rate_error/{name}"],
            correlation=curves[f"rate_correlation/{name}"],
            active=found[name]["active"],
            saturating=found[name]["saturating"],
            staircase=found[name]["staircase"],
            bins=[(low, high, number, mean) for low, high, number, mean in found[name]["bins"]],
            samples=[(activation, rate) for activation, rate in found[name]["samples"]],
        )
        for depth, name in enumerate(names, 1)
    ]


def compared_points(study: Study) -> dict[str, list[ComparedLayer]]:
    """The layers of every point of a study that compared, by the point's name."""
    found = {point.name: compared_layers(point) for point in study.points}
    return {name: layers for name, layers in found.items() if layers}


def predicted_error(point: Point, layer: ComparedLayer, step: int) -> float | None:
    """The mean |r - a| that the equations give a layer under a constant current, which the first
    layer has with analog input; None elsewhere.

    Subtraction: V(t) / t with V(t) anywhere in a threshold, 1 / (2 t) for every active neuron.
    To zero: a - 1/ceil(1/a), for ever (Rueckauer et al. 2016, rate of the first layer). Both lose
    what is above one spike a step.
    """
    if layer.depth > 1 or not INPUTS[point.toggles["input"]].static:
        return None
    loses = RESETS[point.toggles["reset"]].loses
    kept = layer.staircase if loses else layer.active / (2 * step)
    return kept + layer.saturating
