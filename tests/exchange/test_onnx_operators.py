"""Each operator of ONNX gives what onnx's own reference gives, or is refused by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ann2snn import convert
from ann2snn.conversion.refusal import ConversionError
from ann2snn.exchange.onnx_network import onnx_network
from ann2snn.exchange.onnx_operator import OPERATORS
from tests import zoo

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'ann2snn[exchange]'")
helper = onnx.helper
RNG = np.random.default_rng(0)


def model(
    *nodes: Any,
    inputs: Any = (("x", (2, 3, 6, 6)),),
    outputs: Any = ("y",),
    opset: int = 18,
    **constants: Any,
) -> Any:
    """A checked model of these operators and constants."""
    real = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info(name, real, shape) for name, shape in inputs],
        [helper.make_tensor_value_info(name, real, None) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.other", 1)]
    made = onnx.shape_inference.infer_shapes(
        helper.make_model(graph, opset_imports=opsets, ir_version=10)
    )
    for value in made.graph.output:
        if not value.type.tensor_type.HasField("shape"):  # of an operator that onnx does not know
            value.type.tensor_type.shape.dim.add()
    return made


def saved(made: Any, folder: Path) -> Path:
    onnx.save(made, folder / "net.onnx")
    return folder / "net.onnx"


def numbers(*shape: int) -> np.ndarray:
    return RNG.uniform(0.1, 1, shape).astype(np.float32)


def op(kind: str, *inputs: str, output: str = "y", **attributes: Any) -> Any:
    return helper.make_node(kind, list(inputs), [output], name=f"the_{kind.lower()}", **attributes)


FLAT: dict[str, Any] = {"inputs": [("x", (2, 5))]}
CASES: dict[str, Callable[[], Any]] = {
    "conv": lambda: model(
        op("Conv", "x", "w", "b", strides=[2, 1], pads=[1, 2, 1, 2]), w=numbers(4, 3, 3, 5),
        b=numbers(4)),
    "conv in groups with dilation": lambda: model(
        op("Conv", "x", "w", group=3, dilations=[2, 2]), w=numbers(6, 1, 2, 2)),
    "conv that keeps the size": lambda: model(
        op("Conv", "x", "w", auto_pad="SAME_UPPER"), w=numbers(4, 3, 2, 3)),
    "conv that keeps the size by numbers": lambda: model(
        op("Conv", "x", "w", pads=[0, 1, 1, 1]), w=numbers(4, 3, 2, 3)),
    "gemm": lambda: model(
        op("Gemm", "x", "w", "b", alpha=0.5, beta=2.0), w=numbers(5, 4), b=numbers(1, 4), **FLAT),
    "gemm with one bias": lambda: model(
        op("Gemm", "x", "w", "b", transB=1), w=numbers(4, 5), b=numbers(1), **FLAT),
    "matmul and add": lambda: model(
        op("MatMul", "x", "w", output="p"), op("Add", "p", "b"), w=numbers(5, 4), b=numbers(4),
        **FLAT),
    "batch normalization": lambda: model(
        op("BatchNormalization", "x", "g", "b", "m", "v", epsilon=0.01), g=numbers(3),
        b=numbers(3), m=numbers(3), v=numbers(3)),
    "batch normalization of features": lambda: model(
        op("BatchNormalization", "x", "g", "b", "m", "v"), g=numbers(5), b=numbers(5),
        m=numbers(5), v=numbers(5), **FLAT),
    "relu": lambda: model(op("Relu", "x")),
    "clip to 6": lambda: model(op("Clip", "x", "l", "h"), l=np.float32(0), h=np.float32(6)),
    "clip to a quarter": lambda: model(
        op("Clip", "x", "l", "h"), l=np.float32(0), h=np.float32(0.25)),
    "clip below": lambda: model(op("Clip", "x", "l"), l=np.float32(0)),
    "max pool": lambda: model(
        op("MaxPool", "x", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0])),
    "max pool of stride 1": lambda: model(op("MaxPool", "x", kernel_shape=[2, 2])),
    "average pool": lambda: model(
        op("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    "average pool over zeros": lambda: model(
        op("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)),
    "average of all": lambda: model(op("GlobalAveragePool", "x")),
    "maximum of all": lambda: model(op("GlobalMaxPool", "x")),
    "flatten": lambda: model(op("Flatten", "x")),
    "reshape": lambda: model(op("Reshape", "x", "s"), s=np.array([0, -1])),
    "reshape to an image": lambda: model(op("Reshape", "x", "s"), s=np.array([2, 0, 4, 9])),
    "reshape by sizes": lambda: model(
        op("Shape", "x", output="all"), op("Gather", "all", "zero", output="batch"),
        op("Unsqueeze", "batch", "axis", output="first"), op("Concat", "first", "rest", output="s",
        axis=0), op("Reshape", "x", "s"), zero=np.array(0), axis=np.array([0]),
        rest=np.array([-1])),
    "squeeze": lambda: model(
        op("GlobalAveragePool", "x", output="p"), op("Squeeze", "p", "a"), a=np.array([2, -1])),
    "unsqueeze": lambda: model(op("Unsqueeze", "x", "a"), a=np.array([2]), **FLAT),
    "sums and products": lambda: model(
        op("Mul", "x", "c", output="p"), op("Sub", "one", "p", output="q"),
        op("Div", "q", "c", output="r"), op("Add", "r", "x", output="s"), op("Neg", "s"),
        c=numbers(1, 3, 1, 1), one=np.float32(1)),
    "sum of three": lambda: model(op("Sum", "x", "x", "c"), c=numbers(3, 1, 1)),
    "concat": lambda: model(op("Relu", "x", output="r"), op("Concat", "r", "x", axis=1)),
    "means": lambda: model(op("ReduceMean", "x", "a", keepdims=0), a=np.array([2, 3])),
    "sums": lambda: model(op("ReduceSum", "x", "a"), a=np.array([-2, -1])),
    "nothing": lambda: model(
        op("Identity", "x", output="i"), op("Dropout", "i", output="d"), op("Relu", "d")),
    "a constant": lambda: model(
        op("Constant", value_floats=[0.5, 1.0, 2.0, 4.0, 8.0], output="c"), op("Mul", "x", "c"),
        **FLAT),
    "softmax": lambda: model(op("Softmax", "x"), **FLAT),
    "split": lambda: model(
        helper.make_node("Split", ["x", "s"], ["a", "b"], axis=1),
        op("Concat", "b", "x", "a", axis=1), s=np.array([2, 1])),
    "split into as many": lambda: model(
        helper.make_node("Split", ["x"], ["a", "b"], axis=-3, num_outputs=2),
        op("Concat", "b", "a", axis=1)),
    "slice": lambda: model(
        op("Slice", "x", "s", "e", "a", "t"), s=np.array([-2]), e=np.array([2**62]),
        a=np.array([1]), t=np.array([1])),
    "split as its outputs say": lambda: model(
        helper.make_node("Split", ["x"], ["a", "b"], axis=-1), op("Concat", "b", "a", axis=1),
        opset=13),
    "slice from behind": lambda: model(
        op("Slice", "x", "s", "e", "a", "t"), s=np.array([-1, 4, -2]), e=np.array([-9, 1, -5]),
        a=np.array([1, 2, -1]), t=np.array([-1, -2, -1])),
    "slice from behind and by step": lambda: model(
        op("Slice", "x", "s", "e", "a", "t"), s=np.array([1, 2**40]), e=np.array([6, -(2**40)]),
        a=np.array([3, 1]), t=np.array([2, -2])),
    "average pools alike but for the padding": lambda: model(
        op("AveragePool", "x", output="a", kernel_shape=[3, 3], pads=[1, 1, 1, 1],
           count_include_pad=1),
        op("AveragePool", "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1])),
    "average pools alike but for the last window": lambda: model(
        op("AveragePool", "x", output="a", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        op("AveragePool", "a", kernel_shape=[2, 2], strides=[2, 2])),
    "split with a part that nothing reads": lambda: model(
        helper.make_node("Split", ["x"], ["a", "b", ""], axis=2), op("Concat", "b", "a", axis=1),
        opset=13),
    "slice of leading axes": lambda: model(
        op("Slice", "x", "s", "e"), s=np.array([0, 1]), e=np.array([9, 3])),
    "transpose": lambda: model(op("Transpose", "x", perm=[0, 2, 3, 1])),
    "channels": lambda: model(op("Gather", "x", "i", axis=1), i=np.array([2, 0, -1])),
    "one channel": lambda: model(op("Gather", "x", "i", axis=-3), i=np.array(1)),
    "sigmoid": lambda: model(op("Sigmoid", "x"), **FLAT),
    "tanh": lambda: model(op("Tanh", "x"), **FLAT),
    "softplus": lambda: model(op("Softplus", "x"), **FLAT),
    "log softmax": lambda: model(op("LogSoftmax", "x", axis=1), **FLAT),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("case", CASES)
def test_an_operator_gives_what_the_reference_of_onnx_gives(case: str, tmp_path: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    made = CASES[case]()
    shape = [size.dim_value for size in made.graph.input[0].type.tensor_type.shape.dim]
    image = RNG.uniform(-1, 1, shape).astype(np.float32)
    (wanted,) = ReferenceEvaluator(made).run(None, {"x": image})
    found = onnx_network(saved(made, tmp_path))(torch.from_numpy(image))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-5)


def test_every_operator_that_is_read_has_a_case() -> None:
    used = {node.op_type for make in CASES.values() for node in make().graph.node}
    assert used == set(OPERATORS)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "normalization by the batch, as old files say it": (
        lambda: model(
            helper.make_node("BatchNormalization", ["x", "g", "b", "m", "v"],
                             ["y", "m2", "v2", "m3", "v3"], name="the_norm"),
            g=numbers(3), b=numbers(3), m=numbers(3), v=numbers(3) ** 2, opset=9),
        "the_norm .*normalizes by the batch's own statistics"),
    "normalization of each place": (
        lambda: model(
            op("BatchNormalization", "x", "g", "b", "m", "v", spatial=0), g=numbers(3, 6, 6),
            b=numbers(3, 6, 6), m=numbers(3, 6, 6), v=numbers(3, 6, 6) ** 2, opset=8),
        "normalizes each place by statistics of its own"),
    "an unknown operator": (
        lambda: model(op("Elu", "x")), r"the_elu \(Elu\): Elu is not read here"),
    "an operator of another domain": (
        lambda: model(helper.make_node("Relu", ["x"], ["y"], domain="com.other")),
        r"relu \(Relu\): Relu of com.other is not read here"),
    "uneven padding": (
        lambda: model(op("Conv", "x", "w", pads=[2, 0, 0, 0]), w=numbers(4, 3, 3, 3)),
        r"the_conv \(Conv\): pads the ends of an axis differently"),
    "weights from the image": (
        lambda: model(op("Gemm", "x", "x", transB=1), **FLAT),
        r"the_gemm \(Gemm\): its input 1 depends on the image"),
    "a transposed batch": (
        lambda: model(op("Gemm", "x", "w", transA=1), w=numbers(2, 4), **FLAT),
        "transposes the batch"),
    "three axes of space": (
        lambda: model(op("Conv", "x", "w"), inputs=[("x", (1, 1, 3, 3, 3))],
                      w=numbers(1, 1, 2, 2, 2)), "works on 3 axes of space"),
    "indices of a pool": (
        lambda: model(
            helper.make_node("MaxPool", ["x"], ["p", "i"], kernel_shape=[2, 2]),
            op("Reshape", "p", "i")), "reads an output of another operator that is not the first"),
    "the batch flattened": (lambda: model(op("Flatten", "x", axis=2)), "flattens from axis 2 on"),
    "another batch": (
        lambda: model(op("Reshape", "x", "s"), s=np.array([4, 54])),
        r"its shape \[4, 54\] does not begin with the batch"),
    "statistics of the batch": (
        lambda: model(
            op("Dropout", "x", "r", "t"), r=np.float32(0.5), t=np.array(True)), "drops at random"),
    "a split of unknown sizes": (
        lambda: model(helper.make_node("Split", ["x"], ["y"], axis=1, name="the_split"),
                      inputs=[("x", (2, None, 6, 6))]), "the_split .*names no sizes"),
    "a slice from behind": (
        lambda: model(
            op("Slice", "x", "s", "e", "a", "t"), s=np.array([2]), e=np.array([0]),
            a=np.array([1]), t=np.array([-1]), inputs=[("x", (2, None, 6, 6))]),
        r"has steps \[-1\] along an axis of unknown size"),
    "a slice that stands still": (
        lambda: model(
            op("Slice", "x", "s", "e", "a", "t"), s=np.array([2]), e=np.array([0]),
            a=np.array([1]), t=np.array([0])), r"the_slice .*\(slice step cannot be zero\)"),
    "a slice of more axes than starts": (
        lambda: model(
            op("Slice", "x", "s", "e", "a"), s=np.array([0]), e=np.array([1, 1]),
            a=np.array([1, 2])), "the_slice .*is written in a form that is not known"),
    "a slice of an axis that is not there": (
        lambda: model(
            op("Slice", "x", "s", "e", "a"), s=np.array([0]), e=np.array([1]), a=np.array([7])),
        "the_slice .*is written in a form that is not known"),
    "a split into fewer parts than outputs": (
        lambda: model(
            helper.make_node("Split", ["x"], ["y", "b", "c", "d", "e"], axis=3, num_outputs=5,
                             name="the_split"),
            outputs=("y",)), r"the_split .*has 5 outputs for sizes \[2, 2, 2\]"),
    "a dilated pool": (
        lambda: model(op("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])),
        "has dilations or a storage order"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_read_is_refused_by_operator(case: str, tmp_path: Path) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ConversionError, match=message):
        onnx_network(saved(make(), tmp_path))


def test_all_refused_operators_are_listed_once_and_not_what_follows_from_them(
    tmp_path: Path,
) -> None:
    made = model(
        op("Elu", "x", output="a"), op("Relu", "a", output="b"), op("Erf", "b", output="c"),
        op("Flatten", "c"),
    )  # fmt: skip
    with pytest.raises(ConversionError) as caught:
        onnx_network(saved(made, tmp_path))
    title, *lines, listed = str(caught.value).splitlines()
    assert title == f"cannot read all operators of {tmp_path / 'net.onnx'}:"
    assert [line.split(":")[0].strip() for line in lines] == [
        "the_elu (Elu)", "the_erf (Erf)",
    ]  # fmt: skip
    assert listed.strip().startswith("operators that are read: Add, AveragePool, Batch")


def test_what_the_conversion_cannot_do_it_refuses_as_of_any_module(tmp_path: Path) -> None:
    made = model(op("Mul", "x", "x", output="p"), op("Flatten", "p"))
    with pytest.raises(ConversionError, match="multiplies two signals"):
        convert(saved(made, tmp_path), zoo.images((3, 6, 6), 4))


def test_a_file_that_is_no_model_of_one_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"none\.onnx is not an ONNX file: there is none"):
        onnx_network(tmp_path / "none.onnx")
    (tmp_path / "net.onnx").write_bytes(b"no protobuf")
    with pytest.raises(ConversionError, match=r"net\.onnx is not an ONNX file that can be read"):
        onnx_network(tmp_path / "net.onnx")
    two = model(op("Add", "x", "z"), inputs=[("x", (2, 5)), ("z", (2, 5))])
    with pytest.raises(ConversionError, match="must have one input, got x, z"):
        onnx_network(saved(two, tmp_path))
    both = model(op("Relu", "x"), op("Flatten", "x", output="z"), outputs=("y", "z"))
    with pytest.raises(ConversionError, match="must have one output, got y, z"):
        onnx_network(saved(both, tmp_path))
    still = model(op("Relu", "x", output="r"), op("Constant", value_float=1.0))
    with pytest.raises(ConversionError, match="its output y is no signal"):
        onnx_network(saved(still, tmp_path))
