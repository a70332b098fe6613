"""The kinds of node as NIR's primitives, and back.

NIR's shapes have no batch, and what several edges bring into a node is summed. Its threshold test,
its reset and the potential at the start are not ours, and it has no max-pooling: what a primitive
does not hold stands in the graph's metadata (`nir_graph`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ann2snn.exchange.exports import refuse
from ann2snn.exchange.window_geometry import AxisGeometry, axis_geometry
from ann2snn.numerics.windows import Windows, pool_windows
from ann2snn.spec import nodes
from ann2snn.spec.nodes import Node, Shape, SpecError

Fields = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """`to(nir, node, before, after)` is the primitive of a node that takes signals of shape
    `before` and gives one of `after`, and one of the classes `primitives` of the module `nir`;
    `fields(primitive, before)` are the node's fields that it holds, those in `held`.
    """

    primitives: tuple[str, ...]
    held: tuple[str, ...]
    to: Callable[[Any, Any, Shape, Shape], Any]
    fields: Callable[[Any, Shape], Fields]


FORMS: dict[type[Node], Form] = {}
REFUSED: dict[type[Node], str] = {
    nodes.Concat: "NIR has no concatenation",
    nodes.Select: "NIR has no selection of channels",
}


def form(node: Node) -> Form:
    """The form of a node's kind.

    Raises:
        ExportError: NIR has none, or the kind is not known here.
    """
    kind = type(node)
    if kind not in FORMS:
        raise refuse(node, REFUSED.get(kind, "there is no NIR primitive for nodes of this kind"))
    return FORMS[kind]


FORMS[nodes.Input] = Form(
    ("Input",), ("shape",),
    lambda nir, _node, _before, after: nir.Input(input_type={"input": np.array(after)}),
    lambda primitive, _: {"shape": tuple(int(size) for size in primitive.input_type["input"])},
)  # fmt: skip
FORMS[nodes.Output] = Form(
    ("Output",), (),
    lambda nir, _node, _before, after: nir.Output(output_type={"output": np.array(after)}),
    lambda *_: {},
)  # fmt: skip


def _convolution(nir: Any, node: nodes.Conv, before: Shape, _after: Shape) -> Any:
    top, bottom, left, right = node.padding
    if top != bottom or left != right:
        raise refuse(node, f"NIR pads both ends of an axis alike, got {node.padding}")
    return nir.Conv2d(
        input_shape=before[1:], weight=node.weight, stride=node.stride, padding=(top, left),
        dilation=node.dilation, groups=node.groups, bias=node.bias,
    )  # fmt: skip


def _of_convolution(primitive: Any, _before: Shape) -> Fields:
    down, across = _pair(primitive.padding)
    return {
        "weight": primitive.weight, "bias": primitive.bias, "stride": _pair(primitive.stride),
        "padding": (down, down, across, across), "dilation": _pair(primitive.dilation),
        "groups": int(primitive.groups),
    }  # fmt: skip


def _pair(value: Any) -> tuple[int, int]:
    """Two whole numbers of a primitive, down and across."""
    if isinstance(value, str) or np.shape(value) not in ((), (2,)):
        raise SpecError(f"must be two whole numbers, got {value!r}")
    down, across = (int(each) for each in np.broadcast_to(value, 2))
    return down, across


FORMS[nodes.Conv] = Form(
    ("Conv2d",), ("weight", "bias", "stride", "padding", "dilation", "groups"), _convolution,
    _of_convolution,
)  # fmt: skip


FORMS[nodes.Linear] = Form(
    ("Affine",), ("weight", "bias"),
    lambda nir, node, *_: nir.Affine(weight=node.weight, bias=node.bias),
    lambda primitive, _: {"weight": primitive.weight, "bias": primitive.bias},
)  # fmt: skip


def _affine(nir: Any, node: nodes.Affine, _before: Shape, after: Shape) -> Any:
    """Gains alone, else a diagonal matrix over features, or a 1x1 convolution of each channel."""
    gain, bias = (np.broadcast_to(array, after).copy() for array in (node.gain, node.bias))
    if not bias.any():
        return nir.Scale(scale=gain)
    if len(after) == 1:
        return nir.Affine(weight=np.diag(gain), bias=bias)
    if any((array != array[:, :1, :1]).any() for array in (gain, bias)):
        raise refuse(node, "its gains or biases differ within a channel, and NIR has no such bias")
    return nir.Conv2d(
        input_shape=after[1:], weight=gain[:, :1, :1, None].copy(), stride=(1, 1), padding=(0, 0),
        dilation=(1, 1), groups=after[0], bias=bias[:, 0, 0].copy(),
    )  # fmt: skip


def _of_affine(primitive: Any, _before: Shape) -> Fields:
    if type(primitive).__name__ == "Scale":
        return {"gain": primitive.scale, "bias": np.zeros(())}
    weight = primitive.weight
    if type(primitive).__name__ == "Conv2d":
        return {"gain": weight.reshape(-1, 1, 1), "bias": primitive.bias.reshape(-1, 1, 1)}
    if (weight != np.diag(np.diag(weight))).any():
        raise SpecError("must be a diagonal matrix, and other weights of it are not 0")
    return {"gain": np.diag(weight).copy(), "bias": primitive.bias}


FORMS[nodes.Affine] = Form(("Scale", "Affine", "Conv2d"), ("gain", "bias"), _affine, _of_affine)


def _sum(nir: Any, node: nodes.Add, _before: Shape, after: Shape) -> Any:
    """The edges into a node are summed, so that a node is left to do that changes nothing."""
    if len(set(node.inputs)) < len(node.inputs):
        raise refuse(node, "reads a signal twice, and NIR has each edge once")
    return nir.Scale(scale=np.ones(after))


def _of_sum(primitive: Any, _before: Shape) -> Fields:
    if (np.asarray(primitive.scale) != 1).any():
        raise SpecError("must scale by 1, since it stands for a sum")
    return {}


FORMS[nodes.Add] = Form(("Scale",), (), _sum, _of_sum)


def _flat(nir: Any, node: nodes.Reshape, before: Shape, _after: Shape) -> Any:
    if len(node.shape) != 1:
        raise refuse(node, f"NIR can only flatten, and this gives the shape {node.shape}")
    return nir.Flatten(input_type={"input": np.array(before)}, start_dim=0, end_dim=-1)


def _of_flat(_primitive: Any, before: Shape) -> Fields:
    return {"shape": (int(np.prod(before)),)}


FORMS[nodes.Reshape] = Form(("Flatten",), ("shape",), _flat, _of_flat)


def _geometry(node: nodes.Pool, before: Shape) -> Fields:
    axes: list[AxisGeometry] = []
    for windows, size in ((node.rows, before[1]), (node.columns, before[2])):
        found = axis_geometry(windows, size)
        if found is None:
            raise refuse(node, f"NIR's windows have one size and one step, got {windows}")
        axes.append(found)
    names = ("kernel_size", "stride", "padding")
    return dict(zip(names, map(np.array, zip(*axes, strict=True)), strict=True))


def _of_pool(primitive: Any, before: Shape) -> Fields:
    axes = zip(*(_pair(getattr(primitive, name)) for name in ("kernel_size", "stride", "padding")),
               strict=True)  # fmt: skip
    rows, columns = (_windows(size, *axis) for size, axis in zip(before[1:], axes, strict=True))
    return {"rows": rows, "columns": columns}


def _windows(size: int, kernel: int, stride: int, padding: int) -> Windows:
    if min(kernel, stride) < 1 or not 0 <= padding <= kernel // 2:
        raise SpecError("kernel_size and stride must be positive, padding at most half the kernel")
    return pool_windows(size, kernel, stride, padding)


def _window_sums(nir: Any, node: nodes.SumPool, before: Shape, _after: Shape) -> Any:
    return nir.SumPool2d(**_geometry(node, before))


def _window_maxima(nir: Any, node: nodes.MaxPool, before: Shape, _after: Shape) -> Any:
    """NIR has no max-pooling: an average with the same windows stands in its place."""
    return nir.AvgPool2d(**_geometry(node, before))


FORMS[nodes.SumPool] = Form(("SumPool2d",), ("rows", "columns"), _window_sums, _of_pool)
FORMS[nodes.MaxPool] = Form(("AvgPool2d",), ("rows", "columns"), _window_maxima, _of_pool)


def _neurons(nir: Any, _node: nodes.Neuron, _before: Shape, after: Shape) -> Any:
    return nir.IF(r=np.ones(after), v_threshold=np.ones(after))


def _of_neurons(primitive: Any, before: Shape) -> Fields:
    for name, value in (("r", 1), ("v_threshold", 1), ("v_reset", 0)):
        array = np.asarray(getattr(primitive, name, value))
        if (array != value).any() or (array.shape and array.shape != before):
            raise SpecError(f"{name} must be {value} for all {before}, got {array.shape}")
    return {}


FORMS[nodes.Neuron] = Form(("IF",), (), _neurons, _of_neurons)
