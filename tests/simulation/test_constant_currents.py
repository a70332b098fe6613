from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn import convert
from ann2snn.simulation.constant_currents import static_signals
from ann2snn.spec import Conv, SpikingSpec
from tests.simulation.event_networks import assert_same, both

FIRST = {
    "padded": {"kernel_size": 3, "padding": 1},
    "strided": {"kernel_size": 3, "stride": 2, "padding": 1},
    "dilated": {"kernel_size": 3, "dilation": 2},
    "grouped": {"kernel_size": 3, "groups": 2},
    "oblong": {"kernel_size": (1, 5), "stride": (2, 1), "padding": (0, 2)},
    "depthwise": {"kernel_size": 2, "groups": 4, "dilation": (1, 3)},
}


def converted(geometry: dict[str, Any]) -> tuple[SpikingSpec, np.ndarray]:
    torch.manual_seed(0)
    first = nn.Conv2d(4, 52, **geometry)
    size = first(torch.zeros(1, 4, 11, 9)).flatten(1).shape[1]
    network = nn.Sequential(first, nn.ReLU(), nn.Flatten(), nn.Linear(size, 3)).eval()
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 11, 9), np.uint8)
    return convert(network, images), images


@pytest.mark.parametrize("geometry", FIRST.values(), ids=FIRST)
def test_currents_behind_the_image_are_torchs_convolution_rounded_once(
    geometry: dict[str, Any],
) -> None:
    spec, images = converted(geometry)
    conv = next(node for node in spec if isinstance(node, Conv))
    assert spec.grid is not None
    whole = F.conv2d(
        torch.from_numpy(images.astype(np.float64)), torch.from_numpy(conv.weight), None,
        conv.stride, (conv.padding[0], conv.padding[2]), conv.dilation, conv.groups,
    )  # fmt: skip
    exact = whole / spec.levels + torch.from_numpy(conv.bias).view(-1, 1, 1)
    unit = 2.0**-spec.grid
    expected = torch.round(exact / unit) * unit
    assert np.array_equal(static_signals(spec, images)[conv.name], expected.numpy())


@pytest.mark.parametrize("geometry", FIRST.values(), ids=FIRST)
def test_the_event_engine_gives_its_first_neurons_the_same_currents(
    geometry: dict[str, Any],
) -> None:
    """By a kernel of its own. A potential after three steps tells every bit of a current."""
    spec, images = converted(geometry)
    for precision in ("float64", "int32"):
        assert_same(*both(spec, images, steps=3, precision=precision))
