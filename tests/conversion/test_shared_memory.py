"""Operations in place on memory that has another name in the user's code."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.convert import convert
from ann2snn.conversion.refusal import ConversionError

Tensor = torch.Tensor
IMAGES = np.random.default_rng(0).integers(0, 2, (6, 1, 6, 6), dtype=np.uint8)
NAMES: dict[str, Callable[[Tensor], Tensor]] = {
    "itself": lambda x: x,
    "view": lambda x: x.view(-1, 4, 16),
    "reshape": lambda x: x.reshape(-1, 64),
    "flatten": lambda x: x.flatten(1),
    "slice": lambda x: x[:, :2],
    "every second": lambda x: x[:, ::2],
    "chunk": lambda x: x.chunk(2, 1)[1],
    "split": lambda x: torch.split(x, [1, 3], dim=1)[0],
    "tensor_split": lambda x: torch.tensor_split(x, 2, 1)[0],
    "narrow": lambda x: x.narrow(1, 1, 2),
    "contiguous": lambda x: x.contiguous(),
    "detach": lambda x: x.detach(),
    "float": lambda x: x.float(),
    "dropout": lambda x: F.dropout(x, training=False),
    "two views": lambda x: x.view(-1, 4, 16)[:, 2:],
}
CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu6": lambda a: F.relu6(a, True),
    "relu6 by name": lambda a: F.relu6(a, inplace=True),
    "clamp_": lambda a: a.clamp_(0, 6),
    "torch.clamp_": lambda a: torch.clamp_(a, 0, 6),
    "hardtanh": lambda a: F.hardtanh(a, 0.0, 6.0, True),
}


class Net(nn.Module):
    """Its activations stay far below 6, so that no output tells of a ceiling."""

    def __init__(self, body: Callable[["Net", Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.out = nn.Conv2d(1, 4, 3), nn.Linear(64, 3)
        self.relu6, self.identity = nn.ReLU6(inplace=True), nn.Identity()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.out(self.body(self, F.relu(self.conv(x))).flatten(1))
        return logits


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_changed_under_one_name_and_read_under_another_is_refused(
    name: str, change: str
) -> None:
    def body(_: Net, x: Tensor) -> Tensor:
        CHANGES[change](NAMES[name](x))
        return x

    with pytest.raises(ConversionError, match=r"in place what"):
        convert(Net(body).eval(), IMAGES)


@pytest.mark.parametrize("name", ["view", "contiguous", "float", "dropout"])
def test_a_view_that_is_read_after_a_change_of_the_whole_is_refused(name: str) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        part = NAMES[name](x)
        whole: Tensor = net.relu6(x).flatten(1)
        return whole + part.flatten(1)

    with pytest.raises(ConversionError, match=r"in place"):
        convert(Net(body).eval(), IMAGES)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_no_other_name_sees_converts(change: str) -> None:
    """A size that is read later is none of the memory's numbers."""

    def body(net: Net, x: Tensor) -> Tensor:
        same = net.identity(x).contiguous()
        changed: Tensor = CHANGES[change](same.view(same.size(0), 4, 16))
        return changed

    assert len(convert(Net(body).eval(), IMAGES).nodes) > 0
