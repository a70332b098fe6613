"""Zeros that a network pads by an operation of its own are those that its layers would pad."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ann2snn import simulate
from ann2snn.conversion.account import Conversion
from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.convert import explain
from ann2snn.conversion.refusal import ConversionError
from ann2snn.spec import Conv
from tests import zoo


class Padded(nn.Module):
    """A convolution, a function of its ReLU, and two convolutions that read what it gives."""

    def __init__(self, between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3)
        self.left = nn.Conv2d(3, 4, 3, stride=2, padding=(1, 0))
        self.right = nn.Conv2d(3, 4, 3, stride=2, padding=(1, 0), bias=False)
        self.classes = nn.LazyLinear(4)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        x = self.between(F.relu(self.first(x)))
        x = F.relu(self.left(x)) + F.relu(self.right(x))
        classes: Tensor = self.classes(x.flatten(1))
        return classes


FOLDED: dict[str, Callable[[Tensor], Tensor]] = {
    "module": nn.ZeroPad2d((0, 1, 2, 3)),
    "constant": nn.ConstantPad2d((0, 1, 2, 3), 0.0),
    "function": lambda x: F.pad(x, (0, 1, 2, 3)),
    "named": lambda x: F.pad(input=x, pad=[0, 1, 2, 3], mode="constant", value=0),
    "channels too": lambda x: F.pad(x, (0, 1, 2, 3, 0, 0, 0, 0)),
    "twice": lambda x: F.pad(F.pad(x, (0, 1)), (0, 0, 2, 3)),
}

KEPT: dict[str, Callable[[Tensor], Tensor]] = {
    "max-pool": lambda x: F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 2),
    "average": lambda x: F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2),
    "shift": lambda x: 2 * F.pad(x, (0, 1, 0, 1)) - 1,
    "shifted before": lambda x: F.pad(2 * x - 1, (1, 1, 0, 1)),
    "sum": lambda x: F.pad(x, (0, 1, 0, 1)) + F.pad(x, (1, 0, 1, 0)),
    "read twice": lambda x: F.relu(F.pad(x, (1, 0)) - 0.1) + F.pad(x, (1, 0)),
}

REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "number": (nn.ConstantPad2d(1, 0.5), "pads with the number 0.5; instead: zeros"),
    "reflected": (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), "pads with mode 'reflect'"),
    "cut": (lambda x: F.pad(x, (-1, 0)), "cuts off rows or columns"),
    "channels": (
        lambda x: F.conv2d(F.pad(x, (0, 0, 0, 0, 1, 1)), torch.ones(3, 5, 1, 1).double()),
        "pads other axes than those of space",
    ),
}


def conversion(between: Callable[[Tensor], Tensor], size: int = 9) -> Conversion:
    """Of `Padded`, whose analog outputs are held to the module's on other images."""
    torch.manual_seed(1)
    module = Padded(between).double().eval()
    with torch.no_grad():
        module(torch.zeros(1, 2, size, size, dtype=torch.float64))  # gives the classes their width
    found = explain(module, zoo.images((2, size, size), 6), grid=30)
    images = zoo.images((2, size, size), 4, seed=9)
    with torch.no_grad():
        expected = module(torch.from_numpy(images).double() / 255).numpy()
    outputs = analog_outputs(found.spec, images, found.ceilings) * found.spec.output.scale
    assert np.abs(outputs - expected).max() <= 1e-5 * np.abs(expected).max()  # of rounded weights
    assert all(fate.nodes or fate.reason for fate in found.fates)
    return found


@pytest.mark.parametrize("name", FOLDED)
def test_zeros_around_a_signal_become_the_padding_of_the_convolutions_that_read_it(
    name: str,
) -> None:
    spec = conversion(FOLDED[name]).spec
    paddings = {node.name: node.padding for node in spec if isinstance(node, Conv)}
    assert paddings == {"first": (0, 0, 0, 0), "left": (3, 4, 0, 1), "right": (3, 4, 0, 1)}


@pytest.mark.parametrize("name", KEPT)
def test_zeros_that_something_else_reads_stay_where_they_are(name: str) -> None:
    spec = conversion(KEPT[name]).spec
    images = zoo.images((2, 9, 9), 3)
    event, dense = (simulate(spec, images, steps=12, engine=each) for each in ("event", "dense"))
    for layer, spikes in dense.spikes.items():
        assert np.array_equal(event.spikes[layer], spikes)


def test_the_account_says_which_convolution_pads_the_zeros() -> None:
    fates = {fate.operation: fate for fate in conversion(FOLDED["function"]).fates}
    assert fates["pad"].nodes == ("left", "right")
    assert fates["pad"].reason == "zeros that the convolution pads"


def test_zeros_along_one_dimension_become_padding() -> None:
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.ZeroPad1d((2, 1)), nn.Conv1d(2, 3, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(30, 4),
    ).eval()  # fmt: skip
    spec = explain(module, zoo.images((2, 7), 6)).spec
    assert [node.padding for node in spec if isinstance(node, Conv)] == [(0, 0, 3, 2)]


@pytest.mark.parametrize("name", REFUSED)
def test_other_padding_is_refused_with_the_reason(name: str) -> None:
    between, message = REFUSED[name]
    with pytest.raises(ConversionError, match=message):
        conversion(between)
