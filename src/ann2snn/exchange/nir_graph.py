"""A spec as a NIR graph, whose metadata say what NIR cannot, and the spec of such a graph."""

import dataclasses
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np

from ann2snn.exchange.exports import package, refuse
from ann2snn.exchange.nir_nodes import FORMS, form
from ann2snn.spec import Node, SpecError, SpikingSpec
from ann2snn.spec.file import _node as checked_node  # with the checks of a spec's own file
from ann2snn.spec.graph import UNIT_RANGE
from ann2snn.spec.nodes import KINDS, Shape

FORMAT = "ann2snn nir 1"
OWN = "ann2snn"
ABOUT = (
    "One step is a time of 1. A neuron of class IF fires where its potential is at the threshold or"
    " above, at most once a step; its reset (subtract: the threshold is taken off; zero), its kind"
    " of spike and its initial potential stand with its name. An AvgPool2d of kind maxpool stands"
    " for a max-pooling, since NIR has none. A signal times the scale of its node, averaged over"
    " steps, is the activation of the analog network."
)
TEST = ">="  # of the threshold, where NIR's own text has >
NUMBERS = "numbers"  # of an entry: arrays without an axis
Entry = dict[str, Any]


def to_nir(spec: SpikingSpec) -> Any:
    """The network as a `nir.NIRGraph`, to be written by `nir.write`; `from_nir` gives it back.

    Names, weights, biases and windows are NIR's own; what it cannot say stands in
    `metadata["ann2snn"]`. A reader that passes over them has other resets, and averages in the
    place of maxima.

    Raises:
        ExportError: names a node that NIR cannot hold, and why.
        ImportError: `nir` is not installed.
    """
    nir = package("nir", "nir", extra="exchange")
    primitives: dict[str, Any] = {}
    entries: list[Entry] = []
    arrays: dict[str, dict[str, np.ndarray]] = {}
    for node in spec:
        if "/" in node.name or node.name == ".":
            raise refuse(node, "a file of NIR takes no / in a name, nor a dot alone")
        before, after = _before(spec, node), spec.shapes[node.name]
        primitive = form(node).to(nir, node, before, after)
        primitive.input_type = {"input": np.array(before)}
        primitive.output_type = {"output": np.array(after)}
        primitives[node.name] = primitive
        entry, arrays[node.name] = _unheld(node)
        entries.append(entry)
    content = {
        "grid": spec.grid, "levels": spec.levels, "for_steps": spec.for_steps,
        "pixels": spec.pixels, "threshold_test": TEST, "nodes": entries,
    }  # fmt: skip
    own = {"format": FORMAT, "about": ABOUT, "spec": json.dumps(content), "arrays": arrays}
    return nir.NIRGraph(primitives, _edges(spec), metadata={OWN: own}, **_unchecked(nir.NIRGraph))


def _before(spec: SpikingSpec, node: Node) -> Shape:
    """The shape of what the node reads; of an image, its own."""
    return spec.shapes[node.inputs[0] if node.inputs else node.name]


def _edges(spec: SpikingSpec) -> list[tuple[str, str]]:
    return [(source, node.name) for node in spec for source in node.inputs]


def _unchecked(function: Any) -> dict[str, bool]:
    """The argument that keeps nir from its own inference of shapes, which takes kernels for square
    and passes over groups; older versions have neither."""
    known = inspect.signature(function).parameters
    return {"type_check": False} if "type_check" in known else {}


def _unheld(node: Node) -> tuple[Entry, dict[str, np.ndarray]]:
    """The fields of a node that its primitive does not hold, plain ones and arrays; those without
    an axis, which files of NIR cannot have, as numbers."""
    held = form(node).held
    entry: Entry = {"kind": node.kind, NUMBERS: {}}
    arrays: dict[str, np.ndarray] = {}
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if field.name in held:
            continue
        if isinstance(value, np.ndarray) and value.ndim:
            arrays[field.name] = value
        elif isinstance(value, np.ndarray):
            entry[NUMBERS][field.name] = float(value)
        else:
            entry[field.name] = value
    return entry, arrays


def from_nir(source: Any) -> SpikingSpec:
    """The spec of a `nir.NIRGraph` that `to_nir` gave, or of the file that it was written to: with
    the weights, biases, windows and shapes that the graph has now.

    Raises:
        SpecError: this is none, or it can no longer be a spec; names the node.
        ImportError: `nir` is not installed.
    """
    nir = package("nir", "nir", extra="exchange")
    graph = _read(nir, Path(source)) if isinstance(source, str | Path) else source
    if not isinstance(graph, nir.NIRGraph):
        raise SpecError(f"must be a nir.NIRGraph or a file of one, got {type(graph).__name__}")
    metadata = graph.metadata
    own = metadata.get(OWN) if isinstance(metadata, dict) else None
    if not isinstance(own, dict) or own.get("format") != FORMAT:
        raise SpecError(
            f"must be a graph that to_nir gave, with metadata of format {FORMAT!r}: NIR alone does"
            " not say how neurons are reset, where they begin and how maxima are taken"
        )
    try:
        return _spec(graph, json.loads(own["spec"]), own.get("arrays", {}))
    except SpecError:
        raise
    except (
        KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError, RecursionError,
    ) as error:  # fmt: skip
        raise SpecError(f"this graph is not a spec: {error!r}") from error


def _read(nir: Any, path: Path) -> Any:
    if not path.is_file():
        raise SpecError(f"{path} is not a NIR graph: there is no such file")
    try:
        return nir.read(path, **_unchecked(nir.read))
    except (
        OSError, KeyError, TypeError, ValueError, AttributeError, AssertionError, RuntimeError,
    ) as error:  # fmt: skip
        raise SpecError(f"{path} is not a NIR graph: {error!r}") from error


def _spec(graph: Any, content: Entry, arrays: dict[str, Any]) -> SpikingSpec:
    if content["threshold_test"] != TEST:
        raise SpecError(f"threshold_test must be {TEST!r}, got {content['threshold_test']!r}")
    shapes: dict[str, Shape] = {}
    found: list[Node] = []
    for entry in content["nodes"]:
        before = [shapes[name] for name in entry["inputs"]]
        numbers = {field: float(value) for field, value in entry.pop(NUMBERS).items()}
        known = numbers | arrays.get(entry["name"], {})
        node = _node(graph, entry, {k: np.asarray(v) for k, v in known.items()}, before)
        shapes[node.name] = node.output_shape(before)
        found.append(node)
    low, high = content.get("pixels", UNIT_RANGE)
    spec = SpikingSpec(
        tuple(found), content["grid"], content["levels"], content["for_steps"], (low, high)
    )
    extra = sorted(set(graph.nodes) - set(shapes))
    if extra or sorted(_edges(spec)) != sorted(tuple(edge) for edge in graph.edges):
        named = f", nodes {', '.join(extra)}" if extra else ""
        raise SpecError(f"nodes and edges must be those of the export, got others{named}")
    return spec


def _node(graph: Any, entry: Entry, arrays: dict[str, np.ndarray], before: list[Shape]) -> Node:
    """A node from its primitive and from what the metadata say of it."""
    name, kind = entry["name"], KINDS.get(entry["kind"])
    if kind not in FORMS:
        raise SpecError(f"{name}: there is no NIR primitive for nodes of kind {entry['kind']}")
    primitive = graph.nodes.get(name)
    wanted = FORMS[kind].primitives
    if type(primitive).__name__ not in wanted:
        raise SpecError(
            f"{name}: must be a nir.{' or '.join(wanted)}, got {type(primitive).__name__}"
        )
    try:
        fields = FORMS[kind].fields(primitive, before[0] if before else ())
    except SpecError as error:
        raise SpecError(f"{name}: {error}") from error
    twice = set(fields) & (set(entry) | set(arrays))
    if twice:
        raise SpecError(f"{name}: {', '.join(sorted(twice))} stands in NIR and in the metadata")
    both = fields | arrays
    tensors = {f"{name}/{k}": v for k, v in both.items() if isinstance(v, np.ndarray)}
    plain = {k: v for k, v in both.items() if not isinstance(v, np.ndarray)}
    return checked_node(entry | plain, tensors)
