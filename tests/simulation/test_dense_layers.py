"""Products that lose no bit, whatever device and settings."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ann2snn.simulation.dense import steps as dense
from ann2snn.simulation.dense.layers import _by_matrices, applied
from ann2snn.spec import Conv, Input, Linear, Output, SpikingSpec

ONE = np.ones(())
GEOMETRIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "uneven padding": {"padding": (0, 2, 1, 3)},
    "strided": {"stride": (2, 3), "padding": (1, 1, 2, 2)},
    "dilated": {"dilation": (3, 2), "padding": (1, 0, 0, 1)},
    "grouped": {"groups": 2, "stride": (1, 2)},
    "depthwise": {"groups": 4, "dilation": (1, 2), "padding": (2, 2, 2, 2)},
}


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    whole = np.random.default_rng(seed).integers(-(2**15), 2**15, shape)
    return np.ldexp(whole, -14).astype(np.float64)


def conv(**geometry: Any) -> Conv:
    weight = numbers(8, 4 // geometry.get("groups", 1), 3, 2)
    bias = numbers(8, seed=1)
    return Conv(name="conv", inputs=("x",), scale=ONE, weight=weight, bias=bias, **geometry)


def linear() -> Linear:
    weight, bias = numbers(5, 9), numbers(5, seed=1)
    return Linear(name="linear", inputs=("x",), scale=ONE, weight=weight, bias=bias)


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_a_convolution_by_matrices_is_torchs_convolution(geometry: dict[str, Any]) -> None:
    signal = torch.from_numpy(numbers(3, 4, 11, 9, seed=2))
    assert torch.equal(_by_matrices(conv(**geometry), signal), applied(conv(**geometry), [signal]))


def test_a_fully_connected_layer_by_matrices_is_torchs() -> None:
    signal = torch.from_numpy(numbers(3, 9, seed=2))
    assert torch.equal(_by_matrices(linear(), signal), applied(linear(), [signal]))


class Seen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Operations and the types that they read."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.types: dict[str, set[torch.dtype]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        read = {a.dtype for a in torch.utils._pytree.tree_leaves(args) if hasattr(a, "dtype")}
        self.types.setdefault(func.overloadpacket.__name__, set()).update(read)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("node", [conv(**GEOMETRIES["grouped"]), conv(), linear()])
def test_beside_the_processor_only_matrices_of_float64_are_multiplied(node: Conv | Linear) -> None:
    """TF32 shortens float32, and cuDNN may transform a convolution of any type: on the device that
    computes nothing, the same operations are called as on a GPU."""
    size = (3, 4, 11, 9) if isinstance(node, Conv) else (3, 9)
    signal = torch.zeros(size, device="meta")
    with Seen() as seen:
        found = applied(node, [signal])
    assert found.shape == (3, *node.output_shape([size[1:]]))
    assert found.dtype == torch.float32
    products = {name for name in seen.types if name in ("mm", "bmm", "addmm", "baddbmm", "mv")}
    assert products
    assert all(seen.types[name] == {torch.float64} for name in products)
    assert not any("conv" in name for name in seen.types)


def test_a_program_that_asked_for_short_products_gets_exact_ones_here_and_its_own_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A processor with matrix units would round weights of 16 bits to the 8 of bfloat16."""
    spec = SpikingSpec(
        (
            Input(name="x", inputs=(), scale=ONE, shape=(9,), input="poisson"),
            linear(),
            Output(name="out", inputs=("linear",), scale=ONE),
        )
    )
    products: Any = torch.backends.mkldnn
    matmul = products.matmul
    seen: list[str] = []

    def watched(node: Any, inputs: Any) -> torch.Tensor:
        seen.append(matmul.fp32_precision)
        raise MemoryError("no room")

    monkeypatch.setattr(dense, "applied", watched)
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(MemoryError):
            dense.simulate_block(spec, np.ones((1, 9), int), np.arange(1), steps=2, seed=0)
        assert (seen, matmul.fp32_precision) == (["ieee"], "bf16")
    finally:
        torch.set_float32_matmul_precision("highest")
