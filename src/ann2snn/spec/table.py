"""A spec as a table for people and as rows for records."""

import math
from typing import Any

from ann2snn.numerics.aligned_columns import aligned
from ann2snn.spec.cost import fan_out, parameters
from ann2snn.spec.graph import SpikingSpec

HEADER = ("layer", "kind", "shape", "scale", "parameters", "fan-out", "saturating")


def rows(spec: SpikingSpec) -> list[dict[str, Any]]:
    """One row per node: name, kind, shape, scale_min, scale_max, parameters, fan_out (mean synapses
    of an input unit, None where there are none), saturating (share of a neuron layer's calibration
    activations above its scale, else None)."""
    found = []
    for node in spec:
        synapses = fan_out(spec, node)
        found.append(
            {
                "name": node.name,
                "kind": node.kind,
                "shape": list(spec.shapes[node.name]),
                "scale_min": float(node.scale.min()),
                "scale_max": float(node.scale.max()),
                "parameters": parameters(node),
                "fan_out": None if synapses is None else float(synapses.mean()),
                "saturating": getattr(node, "saturating", None),
            }
        )
    return found


def table(spec: SpikingSpec) -> str:
    """The rows as a table with aligned columns."""
    made = f"\nmade for {spec.for_steps} steps" if spec.for_steps else ""
    return aligned([HEADER, *(_cells(row) for row in rows(spec))]) + made


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = row["scale_min"], row["scale_max"]
    scale = f"{low:.4g}" if math.isclose(low, high) else f"{low:.4g} to {high:.4g}"
    fan = "" if row["fan_out"] is None else f"{row['fan_out']:.1f}"
    saturating = "" if row["saturating"] is None else f"{100 * row['saturating']:.3g} %"
    shape = "x".join(str(size) for size in row["shape"])
    count = str(row["parameters"] or "")
    return row["name"], row["kind"], shape, scale, count, fan, saturating
