"""The network of an ONNX file as a torch module, which the conversion takes as any other.

Only its operators are read, none of its numbers is executed or unpickled. Layers bear the names of
the modules that torch exported them from, as far as the file tells them.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from torch import fx, nn

from ann2snn.conversion.refusal import ConversionError, Refused
from ann2snn.exchange import onnx_arithmetic, onnx_channels, onnx_layers
from ann2snn.exchange.exports import package
from ann2snn.exchange.onnx_operator import OPERATORS, SIMPLER, Network, Operator, Shape

READERS = (onnx_layers, onnx_arithmetic, onnx_channels)  # whose functions stand in OPERATORS
STANDARD = ("", "ai.onnx")
SCOPES = "pkg.torch.onnx.name_scopes"  # of torch's exporter: the modules that an operator is in
WEIGHT = ".weight"


class _Unknown:
    """The value of a refused operator: what follows from it is not reported again."""


class _Unread:
    """The value of an output that is not read, such as the indices of a max-pool."""


def onnx_network(path: Path) -> nn.Module:
    """The network in eval mode, from images (N, *shape) to one value per class.

    Raises:
        ConversionError: the file is no ONNX model, has more inputs or outputs than one, or
            operators that are not read: lists them with the reason and what would work.
        ImportError: `onnx` is not installed.
    """
    onnx = package("onnx", "onnx", extra="exchange")
    graph = _model(onnx, path).graph
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in constants]
    for what, found in (("input", inputs), ("output", graph.output)):
        if len(found) != 1:
            names = ", ".join(each.name for each in found) or "none"
            raise ConversionError(f"{path} must have one {what}, got {names}")
    shapes = _shapes(graph)
    shape = shapes.get(inputs[0].name) or (None,)
    network = Network()
    paths = _paths(graph.node)
    values: dict[str, Any] = {**constants, "": None}
    values[inputs[0].name] = network.graph.placeholder("images")
    refused = []
    for node, path_there in zip(graph.node, paths, strict=True):
        op = Operator(
            node.op_type, path_there, [], [shapes.get(name) for name in node.input],
            _attributes(onnx, node), network, shape[0], tuple(node.output),
        )  # fmt: skip
        values |= dict.fromkeys((name for name in node.output if name), _Unread())
        try:
            found = _read(op, node, values)
            given = found if isinstance(found, tuple) else (found,)
            values |= {n: value for n, value in zip(node.output, given, strict=False) if n}
        except Refused as reason:
            values |= dict.fromkeys(node.output, _Unknown())
            named = node.name or op.path
            refused.append(f"{named} ({node.op_type}): {reason.reason}; instead: {reason.cure}")
    if refused:
        listed = [*refused, f"operators that are read: {', '.join(sorted(OPERATORS))}"]
        raise ConversionError("\n  ".join([f"cannot read all operators of {path}:", *listed]))
    result = values[graph.output[0].name]
    if not isinstance(result, fx.Node):
        raise ConversionError(f"{path}: its output {graph.output[0].name} is no signal")
    network.graph.output(result)
    return network.module()


def _model(onnx: Any, path: Path) -> Any:
    """The checked model, with the shapes that follow from its input's."""
    if not path.is_file():
        raise ConversionError(f"{path} is not an ONNX file: there is none")
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
        return onnx.shape_inference.infer_shapes(model)
    except Exception as error:  # protobuf and onnx have errors of their own, of no common kind
        first = str(error).strip().partition("\n")[0]
        raise ConversionError(f"{path} is not an ONNX file that can be read: {first}") from error


def _shapes(graph: Any) -> dict[str, Shape]:
    """The shapes of values by name, None for a size that is not fixed."""
    found = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.type.tensor_type.HasField("shape"):
            sizes = value.type.tensor_type.shape.dim
            found[value.name] = tuple(size.dim_value or None for size in sizes)
    return found


def _attributes(onnx: Any, node: Any) -> dict[str, Any]:
    """Attributes by name, tensors as arrays."""
    values = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    tensor = onnx.TensorProto
    return {
        name: onnx.numpy_helper.to_array(value) if isinstance(value, tensor) else value
        for name, value in values.items()
    }


def _read(op: Operator, node: Any, values: dict[str, Any]) -> Any:
    """The first output of an operator, or a tuple of all that are read.

    Raises:
        Refused: it is not known here, or one of its attributes or inputs is not.
    """
    if node.domain not in STANDARD or op.kind not in OPERATORS:
        home = f" of {node.domain}" if node.domain not in STANDARD else ""
        raise Refused(f"{op.kind}{home} is not read here", "one of the operators listed below")
    op.inputs = [values[name] for name in node.input]
    if any(isinstance(value, _Unread) for value in op.inputs):
        raise Refused("reads an output of another operator that is not the first", SIMPLER)
    if any(isinstance(value, _Unknown) for value in op.inputs):
        return (_Unknown(),) * len(node.output)
    try:
        found = OPERATORS[op.kind](op)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise Refused(f"is written in a form that is not known here ({error})", SIMPLER) from error
    if op.attributes:
        raise Refused(f"has {', '.join(sorted(op.attributes))}, not known here", SIMPLER)
    return found


def _paths(nodes: Iterable[Any]) -> list[str]:
    """The path of the module that each operator comes from: by its weight's name, by the scopes
    that torch's exporter notes, or by its own name; else its kind. A module that holds others is
    not the operator itself."""
    candidates = [[_clean(each) for each in _candidates(node)] for node in nodes]
    holders = {
        path[:place]
        for paths in candidates
        for path in paths[:1]
        for place in range(len(path))
        if path[place] == "."
    }
    return [next(path for path in paths if path and path not in holders) for paths in candidates]


def _clean(path: str) -> str:
    """The path, of letters, digits and dots alone."""
    return ".".join(re.findall(r"[A-Za-z0-9_]+", path))


def _candidates(node: Any) -> Iterator[str]:
    if len(node.input) > 1 and node.input[1].endswith(WEIGHT):
        yield node.input[1].removesuffix(WEIGHT)
    scopes = [each.value for each in node.metadata_props if each.key == SCOPES]
    if scopes:  # ['', 'layer', 'layer.relu', 'relu_1']
        yield from re.findall("'([^']*)'", scopes[0])[-2:]
    *parents, own = node.name.strip("/").split("/")
    yield ".".join(_inner(parents))
    yield "" if own.startswith(node.op_type) else own
    yield node.op_type.lower()
    yield f"{node.op_type.lower()}_operator"


def _inner(parents: list[str]) -> list[str]:
    """`downsample.0` within `downsample` is `0`."""
    outer = ["", *parents][: len(parents)]
    return [part.removeprefix(f"{before}.") for before, part in zip(outer, parents, strict=True)]
