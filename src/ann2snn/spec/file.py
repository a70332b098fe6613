"""A spec as one safetensors file: arrays as tensors, the graph as JSON metadata.

Loading runs no code and unpickles nothing; the graph that comes out has checked itself.
"""

import dataclasses
import json
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ann2snn.numerics.atomic_files import whole_file
from ann2snn.spec.graph import UNIT_RANGE, SpikingSpec, arrays_of
from ann2snn.spec.nodes import KINDS, Node, SpecError

FORMAT = "ann2snn spiking spec 2"


def save_spec(spec: SpikingSpec, path: Path) -> None:
    """Writes `spec`, at once or not at all; an array that float32 holds without loss is stored as
    float32."""
    tensors: dict[str, np.ndarray] = {}
    graph: list[dict[str, Any]] = []
    for node in spec:
        arrays = arrays_of(node)
        for name, array in arrays.items():
            short = array.astype(np.float32)
            stored = short if np.array_equal(short.astype(np.float64), array) else array
            tensors[f"{node.name}/{name}"] = np.array(stored, order="C")
        plain = {
            f.name: getattr(node, f.name)
            for f in dataclasses.fields(node)
            if f.name not in arrays and f.metadata.get("unwritten") != getattr(node, f.name)
        }
        graph.append({"kind": node.kind, **plain})
    content: dict[str, Any] = {
        "format": FORMAT,
        "grid": spec.grid,
        "levels": spec.levels,
        "nodes": graph,
    }
    if spec.for_steps:
        content["for_steps"] = spec.for_steps
    if spec.pixels != UNIT_RANGE:
        content["pixels"] = spec.pixels
    with whole_file(Path(path)) as temporary:
        save_file(tensors, temporary, metadata={"spec": json.dumps(content, sort_keys=True)})


def load_spec(path: Path) -> SpikingSpec:
    """The spec of a file that `save_spec` wrote.

    Raises:
        SpecError: the file is not such a file, or its graph cannot be.
    """
    if not Path(path).is_file():
        raise SpecError(f"{path} is not a spec: there is no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            content = json.loads((file.metadata() or {}).get("spec", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, TypeError, RecursionError) as error:
        raise SpecError(f"{path} is not a spec: {error}") from error
    if not isinstance(content, dict):
        raise SpecError(f"{path} is not a spec: its metadata is a {type(content).__name__}")
    if content.get("format") != FORMAT:
        raise SpecError(f"{path} is not a spec: its format is {content.get('format')!r}")
    try:
        nodes = tuple(_node(entry, tensors) for entry in content["nodes"])
        low, high = content.get("pixels", UNIT_RANGE)
        steps = content.get("for_steps", 0)
        return SpikingSpec(nodes, content["grid"], content["levels"], steps, (low, high))
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError) as error:
        raise SpecError(f"{path} is not a spec: {error!r}") from error


def _node(entry: dict[str, Any], tensors: dict[str, np.ndarray]) -> Node:
    kind = KINDS.get(entry["kind"])
    if kind is None:
        known = ", ".join(KINDS)
        raise SpecError(f"kind of node must be one of {known}, got {entry['kind']!r}")
    fields: dict[str, Any] = {k: _tuples(v) for k, v in entry.items() if k != "kind"}
    types = get_type_hints(kind)
    for name, value in fields.items():
        if name not in types or not _fits(value, types[name]):
            raise SpecError(f"{entry['name']}: {name} cannot be {value!r:.80}")
    for field in dataclasses.fields(kind):
        tensor = tensors.get(f"{entry['name']}/{field.name}")
        if tensor is not None:
            if tensor.dtype not in (np.float32, np.float64):
                raise SpecError(
                    f"{entry['name']}: {field.name} must be of floats, got {tensor.dtype}"
                )
            fields[field.name] = tensor.astype(np.float64)
    return kind(**fields)


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value of JSON is of a field's type; an array never is."""
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if not isinstance(value, tuple):
            return False
        if inner[-1] is Ellipsis:
            return all(_fits(each, inner[0]) for each in value)
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if isinstance(kind, UnionType):
        return any(_fits(value, each) for each in get_args(kind))
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float)
    return kind in (int, str) and isinstance(value, kind)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
