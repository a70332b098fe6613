"""What a network does at the very end, and to the format of its numbers, changes no answer."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.convert import convert
from ann2snn.conversion.refusal import ConversionError

Tensor = torch.Tensor
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 1, 6, 6), dtype=np.uint8)


class Net(nn.Module):
    def __init__(self, ending: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.out = nn.Conv2d(1, 4, 3), nn.Linear(64, 3)
        self.ending = ending

    def forward(self, x: Tensor) -> Tensor:
        return self.ending(self.out(F.relu(self.conv(x)).flatten(1)))


SAME: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax module": nn.Softmax(1),
    "softmax of the last axis": nn.Softmax(-1),
    "log-softmax module": nn.LogSoftmax(1),
    "F.softmax": lambda x: F.softmax(x, 1),
    "F.log_softmax": lambda x: F.log_softmax(x, dim=-1),
    "torch.softmax": lambda x: torch.softmax(x, 1),
    "method": lambda x: x.softmax(1),
    "log method": lambda x: x.log_softmax(dim=1),
    "sigmoid module": nn.Sigmoid(),
    "log-sigmoid module": nn.LogSigmoid(),
    "tanh module": nn.Tanh(),
    "softplus module": nn.Softplus(),
    "torch.sigmoid": lambda x: torch.sigmoid(x),
    "sigmoid in place": lambda x: torch.sigmoid_(x),
    "sigmoid method": lambda x: x.sigmoid(),
    "F.sigmoid": lambda x: F.sigmoid(x),
    "F.logsigmoid": lambda x: F.logsigmoid(x),
    "F.softplus": lambda x: F.softplus(x),
    "tanh in place": lambda x: x.tanh_(),
    "F.tanh": lambda x: F.tanh(x),
    "float": lambda x: x.float(),
    "to": lambda x: x.to(torch.float32),
    "to another": lambda x: x.to(dtype=torch.float64),
    "clone": lambda x: x.clone(),
}


@pytest.mark.parametrize("name", SAME)
def test_a_network_converts_to_the_spec_that_it_has_without_its_ending(name: str) -> None:
    plain, ended = (convert(Net(ending).eval(), IMAGES) for ending in (lambda x: x, SAME[name]))
    assert len(plain.nodes) == len(ended.nodes)
    for own, other in zip(plain.nodes, ended.nodes, strict=True):
        assert own.kind == other.kind
        for array in ("weight", "bias", "scale"):
            ours, theirs = (np.asarray(getattr(node, array, 0)) for node in (own, other))
            np.testing.assert_array_equal(ours, theirs)


NOT_LAST: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": lambda x: torch.sigmoid(x) * 2,
    "tanh": lambda x: F.relu(x.tanh()),
    "softmax": lambda x: F.softmax(x, 1) + 1,
    "softplus": lambda x: F.softplus(x).neg(),
    "log_sigmoid": lambda x: F.logsigmoid(x).softmax(1),
}


@pytest.mark.parametrize("name", NOT_LAST)
def test_what_may_end_a_network_is_refused_before_another_operation(name: str) -> None:
    with pytest.raises(ConversionError, match=rf"a {name} inside the network is no rate"):
        convert(Net(NOT_LAST[name]).eval(), IMAGES)


def test_a_softplus_with_constants_of_its_own_is_refused() -> None:
    with pytest.raises(ConversionError, match="has a beta or a threshold of its own"):
        convert(Net(nn.Softplus(2.0)).eval(), IMAGES)


@pytest.mark.parametrize("size", [2, 5, 100])
def test_a_softmax_hides_no_branch_that_the_trace_does_not_see(size: int) -> None:
    def ending(x: Tensor) -> Tensor:
        if isinstance(x, Tensor):  # torch.fx sees a stand-in
            x = x * size
        return F.softmax(x, 1)

    with pytest.raises(ConversionError, match=r"computes something else than its traced form"):
        convert(Net(ending).eval(), IMAGES)


@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.bool])
def test_a_format_of_whole_numbers_is_refused(kind: torch.dtype) -> None:
    with pytest.raises(ConversionError, match="gives whole numbers"):
        convert(Net(lambda x: x.to(kind)).eval(), IMAGES)
