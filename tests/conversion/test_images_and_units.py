"""Images are finite and in one unit, in whatever batches; streams and faint channels keep bits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ann2snn import load_spec, save_spec, simulate
from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.calibration import CHUNK, chunk_size, chunks
from ann2snn.conversion.convert import convert, explain
from ann2snn.conversion.layers import registry
from ann2snn.simulation.certificate import certify, signal_bits
from ann2snn.spec import Affine
from tests import zoo

MODULE, SHAPE = zoo.build("plain_conv", dtype=torch.float32)
BYTES = zoo.images(SHAPE, 12)
FLOATS = BYTES / 256
LABELS = np.zeros(len(BYTES), np.int64)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_finite_number_is_refused_with_its_image(
    number: float, kind: Any
) -> None:
    images = FLOATS.astype(kind)
    images[7, 0, 3, 3] = number
    for given in (images, torch.from_numpy(images)):
        with pytest.raises(ValueError, match=r"calibration_images must be finite .* in image 7"):
            convert(MODULE, given)
    with pytest.raises(ValueError, match=r"^images must be finite .* in image 7"):
        simulate(convert(MODULE, FLOATS), images, LABELS, steps=2)


UNITS: dict[str, tuple[Any, Any, str]] = {
    "bytes on floats": (FLOATS, BYTES, "images must be floats, as those"),
    "whole numbers on floats": (FLOATS, BYTES.astype(np.int64), "images must be floats, as those"),
    "floats to 255 on bytes": (BYTES, BYTES.astype(np.float64), "must be in one unit"),
    "floats to 255 on floats": (FLOATS, BYTES.astype(np.float32), "must be in one unit"),
    "floats to 1 on floats to 255": (BYTES.astype(np.float64), FLOATS, "must be in one unit"),
    "16 bits on bytes": (BYTES, BYTES.astype(np.int64) * 257, "must be in one unit"),
    "truth": (FLOATS, FLOATS > 0.5, "must be whole numbers or floats, got bool"),
}


@pytest.mark.parametrize("name", UNITS)
def test_images_in_another_unit_than_those_of_calibration_are_refused(name: str) -> None:
    calibration, images, message = UNITS[name]
    with pytest.raises(ValueError, match=message):
        simulate(convert(MODULE, calibration), images, LABELS, steps=2)


def test_images_in_the_unit_of_calibration_run_also_from_a_file(tmp_path: Any) -> None:
    for images in (BYTES, FLOATS, (FLOATS - 0.5) / 0.2, BYTES.astype(np.float64)):
        save_spec(convert(MODULE, images), tmp_path / "spec")
        assert simulate(load_spec(tmp_path / "spec"), images, LABELS, steps=2).steps == 2


def loader(images: np.ndarray, size: int) -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.from_numpy(images), torch.zeros(len(images))), size)


BATCHES: dict[str, Callable[[np.ndarray], Any]] = {
    "DataLoader": lambda images: loader(images, 5),
    "one by one": lambda images: loader(images, 1),
    "generator": lambda images: (images[i : i + 7] for i in range(0, len(images), 7)),
    "list of arrays": lambda images: [images[:1], images[1:]],
    "tensor": torch.from_numpy,
}


@pytest.mark.parametrize("images", [BYTES, FLOATS.astype(np.float32)], ids=["bytes", "floats"])
@pytest.mark.parametrize("name", BATCHES)
def test_batches_give_the_spec_of_the_whole_array(name: str, images: np.ndarray) -> None:
    spec, same = convert(MODULE, BATCHES[name](images)), convert(MODULE, images)
    for node in same:
        assert np.array_equal(spec[node.name].scale, node.scale)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "at least one batch of images, got none"),
        ("images.npy", "an array .* or batches of such, got str"),
        ({"x": BYTES}, "got dict"),
        (["images.npy"], "batches that are tensors, arrays or .*, got str"),
        ([BYTES, BYTES[:, :, :5]], "must be of one shape and type"),
        ([BYTES, FLOATS], "must be of one shape and type"),
        ([FLOATS[0, 0, 0]], r"must be \(N, \*shape\)"),
    ],
)
def test_batches_that_are_none_are_refused(images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        convert(MODULE, images)


def test_chunks_hold_all_images_in_order_and_fewer_of_larger_ones() -> None:
    assert chunk_size((3, 32, 32)) == chunk_size((6,)) == CHUNK
    assert chunk_size((3, 224, 224)) == 2
    assert chunk_size((3, 4000, 4000)) == 1
    images = np.arange(257)[:, None]
    for sizes in ([257], [1, 99, 100, 57], [3, 250, 4]):
        parts = list(chunks(np.split(images, np.cumsum(sizes)[:-1])))
        assert [len(part) for part in parts] == [100, 100, 57]
        assert np.array_equal(np.concatenate(parts), images)


class Linear(nn.Module):
    """A residual stream whose sums carry no ReLU."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(4, 6, 1), nn.ReLU6(), nn.Conv2d(6, 4, 3, padding=1))
            for _ in range(blocks)
        )
        self.classes = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        result: torch.Tensor = self.classes(x.mean((2, 3)))
        return result


@pytest.mark.parametrize("blocks", [1, 3, 9])
def test_a_residual_stream_needs_no_more_bits_the_deeper_it_is(blocks: int) -> None:
    torch.manual_seed(0)
    module = zoo.randomised(Linear(blocks)).double().eval()
    images = zoo.images((2, 6, 6), 20)
    plan = explain(module, images)
    assert max(signal_bits(plan.spec).values()) == 28
    assert certify(plan.spec, {}, 1000, "float64").exact
    assert not any(isinstance(node, Affine) for node in plan.spec)
    with torch.no_grad():
        own = module(torch.from_numpy(images).double() / 255).numpy()
    found = analog_outputs(plan.spec, images, plan.ceilings) * plan.spec.output.scale
    assert np.abs(found - own).max() < 1e-2 * np.abs(own).max()


@pytest.mark.parametrize("faint", [1e-3, 1e-6, 1e-12])
def test_a_faint_channel_keeps_the_grid_and_is_named(faint: float) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 5, 3), nn.ReLU(), nn.Conv2d(5, 5, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(5 * 16, 3),
    ).double().eval()  # fmt: skip
    assert isinstance(module[0], nn.Conv2d)
    assert module[0].bias is not None
    with torch.no_grad():
        module[0].weight[3] *= 1e-9
        module[0].bias[3] = faint
        module[0].weight[3, 0, 0, 0] = 1.0 * faint**0.5
    images = zoo.images((2, 8, 8), 20)
    images[:, 0] = 0
    plan = explain(module, images, normalization="channel")
    assert plan.spec.grid == 14
    assert plan.raised in ({}, {"1": (3,)})
    assert (plan.raised == {}) == (faint >= 1e-3)
    with torch.no_grad():
        own = module(torch.from_numpy(images).double() / 255).numpy()
    found = analog_outputs(plan.spec, images, plan.ceilings) * plan.spec.output.scale
    assert np.abs(found - own).max() < 1e-2 * np.abs(own).max()


def test_two_functions_for_one_layer_are_refused_with_both_names() -> None:
    def other(call: registry.Call) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match=r"Conv2d has two .*convolution.convolution and .*other"):
        registry.module(nn.Conv2d)(other)
    assert registry.MODULES[nn.Conv2d].__name__ == "convolution"
