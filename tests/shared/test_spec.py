from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from ann2snn.spec import (
    Add,
    Concat,
    Conv,
    Input,
    Linear,
    MaxPool,
    Neuron,
    Node,
    Output,
    Reshape,
    SpecError,
    SpikingSpec,
    SumPool,
    load_spec,
    save_spec,
)
from ann2snn.spec.cost import fan_out, macs_per_image

ONE = np.ones(())


def conv(name: str, source: str, channels: tuple[int, int], **fields: Any) -> Conv:
    rng = np.random.default_rng(0)
    weight = np.ldexp(rng.integers(-99, 99, (channels[1], channels[0], 3, 3)), -8).astype(float)
    bias = np.ldexp(rng.integers(-9, 9, channels[1]), -8).astype(float)
    values: dict[str, Any] = {"padding": (1, 1, 1, 1), "scale": ONE, **fields}
    return Conv(name=name, inputs=(source,), weight=weight, bias=bias, **values)


def small_nodes() -> list[Node]:
    return [
        Input(name="image", inputs=(), scale=ONE, shape=(2, 4, 4)),
        conv("conv", "image", (2, 3), scale=np.array([1.0, 2.0, 4.0])),
        Neuron(name="relu", inputs=("conv",), scale=np.array([1.0, 2.0, 4.0])),
        MaxPool(name="pool", inputs=("relu",), scale=ONE, rows=((0, 2), (2, 4)), columns=((0, 4),)),
        Reshape(name="flat", inputs=("pool",), scale=ONE, shape=(6,)),
        Linear(
            name="linear",
            inputs=("flat",),
            scale=ONE,
            weight=np.eye(6),
            bias=np.arange(6) / 4.0,
        ),
        Output(name="output", inputs=("linear",), scale=ONE),
    ]


def test_signals_are_told_apart_and_only_what_keeps_no_state_is_static() -> None:
    nodes = small_nodes()
    spec = SpikingSpec(tuple(nodes), grid=14)
    kinds = {node.name: spec.signal(node.name) for node in spec}
    assert kinds["conv"] == "current"
    assert [kinds[name] for name in ("relu", "pool", "flat")] == ["spikes"] * 3
    assert [node.name for node in spec if spec.is_static(node.name)] == ["image", "conv"]
    poisson = spec.replace("image", input="poisson")
    assert not any(poisson.is_static(node.name) for node in poisson)
    assert poisson.is_spiking("image")


def test_sums_of_spikes_are_graded() -> None:
    nodes = small_nodes()
    nodes[3] = SumPool(
        name="pool", inputs=("relu",), scale=ONE, rows=((0, 2), (2, 4)), columns=((0, 4),)
    )
    assert SpikingSpec(tuple(nodes)).signal("flat") == "graded"


def test_a_spec_reads_back_equal_and_runs_no_code(tmp_path: Path) -> None:
    spec = SpikingSpec(tuple(small_nodes()), grid=14, levels=16)
    save_spec(spec, tmp_path / "spec.safetensors")
    again = load_spec(tmp_path / "spec.safetensors")
    assert (again.grid, again.levels, again.shapes) == (14, 16, spec.shapes)
    for old, new in zip(spec, again, strict=True):
        assert type(old) is type(new)
        for name, value in vars(old).items():
            assert np.array_equal(value, getattr(new, name)), (old.name, name)


def test_doubles_that_float32_cannot_hold_are_stored_as_they_are(tmp_path: Path) -> None:
    spec = SpikingSpec(tuple(small_nodes())).replace("linear", bias=np.full(6, 0.1))
    save_spec(spec, tmp_path / "spec.safetensors")
    linear = load_spec(tmp_path / "spec.safetensors")["linear"]
    assert isinstance(linear, Linear)
    assert (linear.bias == 0.1).all()


def test_a_writing_that_is_cut_off_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spec.safetensors"
    spec = SpikingSpec(tuple(small_nodes()), grid=14)
    save_spec(spec, path)

    def cut_off(tensors: dict[str, Any], target: Path, **_: Any) -> None:
        target.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr("ann2snn.spec.file.save_file", cut_off)
    with pytest.raises(OSError, match="no space left"):
        save_spec(spec.replace("linear", bias=np.zeros(6)), path)
    assert [file.name for file in tmp_path.iterdir()] == ["spec.safetensors"]
    linear = load_spec(path)["linear"]
    assert isinstance(linear, Linear)
    assert (linear.bias == np.arange(6) / 4).all()


@pytest.mark.parametrize("content", [b"", b"not tensors at all", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_file_that_is_no_spec_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spec.safetensors").write_bytes(content)
    with pytest.raises(SpecError, match=r"spec\.safetensors is not a spec"):
        load_spec(tmp_path / "spec.safetensors")


def broken(change: str) -> list[Node]:
    nodes = small_nodes()
    if change == "order":
        nodes[1], nodes[2] = nodes[2], nodes[1]
    elif change == "twice":
        nodes.insert(2, nodes[1])
    elif change == "unread":
        nodes.insert(2, conv("extra", "image", (2, 3)))
    elif change == "no output":
        nodes.pop()
    elif change == "channels":
        nodes[1] = conv("conv", "image", (5, 3))
    elif change == "scale":
        nodes[2] = Neuron(name="relu", inputs=("conv",), scale=np.ones(2))
    elif change == "grid":
        nodes[5] = Linear(
            name="linear", inputs=("flat",), scale=ONE, weight=np.eye(6) / 3, bias=np.zeros(6)
        )
    elif change == "finite":
        nodes[5] = Linear(
            name="linear",
            inputs=("flat",),
            scale=ONE,
            weight=np.full((6, 6), np.inf),
            bias=np.zeros(6),
        )
    elif change == "pooling":
        nodes[3] = MaxPool(
            name="pool",
            inputs=("sum",),
            scale=ONE,
            rows=((0, 2), (2, 4)),
            columns=((0, 4),),
            pooling="inverse_time",
        )
        nodes.insert(3, Add(name="sum", inputs=("relu", "relu"), scale=ONE))
    elif change == "concat":
        nodes.insert(3, Concat(name="both", inputs=("relu", "image"), scale=ONE))
        nodes[4] = Concat(name="pool", inputs=("both", "flat"), scale=ONE)
    return nodes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("order", "relu: its input conv does not stand before it"),
        ("twice", "conv: stands twice"),
        ("unread", "extra: nothing reads it"),
        ("no output", "ends with its one output"),
        ("channels", "conv: takes 5 channels, got 2"),
        ("scale", r"relu: scale \(2,\) does not fit \(3, 4, 4\)"),
        ("grid", r"linear: weight is off the grid of 2\^-14"),
        ("finite", "linear: weight is not finite"),
        ("pooling", r"pool: pooling inverse_time takes binary spikes, got a .* kind current"),
        ("concat", "pool: its input flat does not stand before it"),
    ],
)
def test_a_graph_that_cannot_be_is_not_built(change: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        SpikingSpec(tuple(broken(change)), grid=14)


@given(
    st.integers(3, 7), st.integers(3, 7), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2),
    st.sampled_from([1, 2]),
)  # fmt: skip
def test_fan_out_counts_the_connections_that_a_convolution_really_has(
    height: int, width: int, stride: int, padding: int, dilation: int, groups: int
) -> None:
    if min(height, width) + 2 * padding < 2 * dilation + 1:
        return
    node = Conv(
        name="conv",
        inputs=("image",),
        scale=ONE,
        weight=np.ones((6, 2 // groups, 3, 3)),
        bias=np.zeros(6),
        stride=(stride, stride),
        padding=(padding,) * 4,
        dilation=(dilation, dilation),
        groups=groups,
    )
    shape = (2, height, width)
    flat = int(np.prod(node.output_shape([shape])))
    spec = SpikingSpec(
        (
            Input(name="image", inputs=(), scale=ONE, shape=shape),
            node,
            Reshape(name="flat", inputs=("conv",), scale=ONE, shape=(flat,)),
            Output(name="output", inputs=("flat",), scale=ONE),
        )
    )
    image = torch.zeros(1, *shape, dtype=torch.float64, requires_grad=True)
    weight = torch.from_numpy(node.weight)
    total = F.conv2d(image, weight, None, stride, padding, dilation, groups).sum()
    (connections,) = torch.autograd.grad(total, image)
    np.testing.assert_array_equal(fan_out(spec, node), connections[0].numpy())
    assert macs_per_image(spec) == int(connections.sum())
