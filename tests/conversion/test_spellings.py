"""What is written in other words converts to the same, and the user's module stays as it was."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.convert import convert, explain
from ann2snn.conversion.refusal import ConversionError
from tests import zoo

Tensor = torch.Tensor
SHAPE = (3, 6, 6)


class Net(nn.Module):
    """A convolution, something between, and the classes."""

    def __init__(self, between: Callable[..., Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)
        self.classes = nn.Linear(4, 5)
        self.between = between

    def forward(self, x: Tensor, *others: Tensor, **named: Tensor) -> Tensor:
        result: Tensor = self.classes(self.between(F.relu(self.conv(x)), *others, **named))
        return result


def outputs(network: nn.Module) -> Any:
    spec = convert(network.eval(), zoo.images(SHAPE, 6))
    return [
        {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(node).items()
         if k not in ("name", "inputs")}
        for node in spec
    ]  # fmt: skip


def mean(x: Tensor) -> Tensor:
    return x.mean((2, 3))


PAIRS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "axis": (mean, lambda x: x.mean(axis=(2, 3))),  # type: ignore[call-overload]
    "keepdims": (
        mean, lambda x: torch.mean(x, axis=(2, 3), keepdims=True).flatten(1)),  # type: ignore[call-overload]
    "cat": (
        lambda x: mean(torch.cat([x[:, :2], x[:, 2:]], dim=1)),
        lambda x: mean(torch.cat([x[:, :2], x[:, 2:]], axis=1)),  # type: ignore[call-arg]
    ),
    "numpy's names": (
        lambda x: mean(x + x.flip(1)), lambda x: mean(torch.add(x1=x, x2=x.flip(1))),  # type: ignore[call-overload]
    ),
    "multiply": (lambda x: mean(x * 2), lambda x: mean(torch.multiply(x, 2))),
    "subtract": (lambda x: mean(x - 1), lambda x: mean(x.subtract(1))),
    "divide": (lambda x: mean(x / 4), lambda x: mean(torch.true_divide(x, 4))),
    "divide method": (lambda x: mean(x / 4), lambda x: mean(x.divide(4))),
    "negative": (lambda x: mean(-x), lambda x: mean(torch.negative(x))),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_two_spellings_of_one_operation_give_one_spec(name: str) -> None:
    plain, other = PAIRS[name]
    assert outputs(Net(plain)) == outputs(Net(other))


@pytest.mark.parametrize("name", ["meta", "graph", "code", "recompile", "print_readable"])
def test_a_layer_may_be_called_as_something_of_torch_fx(name: str) -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.add_module(name, nn.Conv2d(3, 4, 3))
            self.classes = nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.classes(F.relu(self.get_submodule(name)(x)).mean((2, 3)))
            return result

    assert outputs(Named()) == outputs(Net(mean))


def test_inputs_behind_stars_are_none_as_in_a_call_with_images_alone() -> None:
    def none_more(x: Tensor, *others: Tensor, **named: Tensor) -> Tensor:
        return mean(x) if not others and not named else x

    assert outputs(Net(none_more)) == outputs(Net(mean))


@pytest.mark.parametrize("high", [6.0, 1.0, 0.25])
def test_a_relu6_saturates_where_it_holds_its_limit(high: float) -> None:
    class Lower(nn.ReLU6):
        def __init__(self) -> None:
            super().__init__()
            self.max_val = high

    network = Net(mean)
    network.last = Lower()
    network.between = lambda x: mean(network.get_submodule("last")(x))
    found = explain(network.eval(), zoo.images(SHAPE, 6))
    assert list(found.ceilings.values()) == [high]


def test_a_relu6_with_a_lower_limit_is_refused() -> None:
    layer = nn.ReLU6()
    layer.min_val = -1.0
    network = nn.Sequential(nn.Flatten(), nn.Linear(108, 5), layer, nn.Linear(5, 5))
    with pytest.raises(ConversionError, match=r"clips to -1.0 and 6.0.*a lower limit of 0"):
        convert(network.eval(), zoo.images(SHAPE, 6))


def test_a_conversion_leaves_nothing_on_the_users_module() -> None:
    network = Net(lambda x: mean(x * torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 4, 1, 1))).eval()
    before = set(vars(network))
    for _ in range(2):
        convert(network, zoo.images(SHAPE, 6))
    assert set(vars(network)) == before


def halves(x: Tensor) -> Tensor:
    return torch.cat([x[:, :2] / 255, x[:, 2:] / 255], 1)


DIVISIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "by 255": lambda x: x / 255,
    "of floats": lambda x: x.float().div(255.0),
    "and normalized": lambda x: (x / 255 - 0.45) / 0.225,
    "normalized at once": lambda x: (x - 114.75) * (1 / 57.375),
    "behind a view": lambda x: (x.flatten(1) / 255).view(-1, 3, 6, 6),
    "of channels": lambda x: x[:, [2, 1, 0]] / 255,
    "in two branches": halves,
}


@pytest.mark.parametrize("name", DIVISIONS)
def test_images_of_bytes_are_not_divided_twice_without_a_word(name: str) -> None:
    """Pixels of bytes are k / 255 for the network; one that divides them itself gets them as they
    are, by levels=1."""

    class Dividing(Net):
        def forward(self, x: Tensor, *others: Tensor, **named: Tensor) -> Tensor:
            return super().forward(DIVISIONS[name](x))

    images = zoo.images(SHAPE, 6).astype(np.uint8)
    network = Dividing(mean).eval()
    with pytest.raises(ConversionError, match=r"divides its images by about \d+ itself.*levels=1"):
        convert(network, images)
    assert convert(network, images, levels=1).levels == 1
    assert convert(network, images, levels=255).levels == 255
    assert convert(network, images / np.float32(255)).levels == 1 << 16


def test_a_module_with_slots_and_one_that_is_a_dict_as_well_convert() -> None:
    class Slotted(Net):
        __slots__ = ("own",)

        def __init__(self) -> None:
            super().__init__(mean)
            self.own = 2.0

        def forward(self, x: Tensor, *others: Tensor, **named: Tensor) -> Tensor:
            return super().forward(x) * self.own

    class Table(Net, dict[str, float]):
        __hash__ = nn.Module.__hash__  # type: ignore[assignment]

        def forward(self, x: Tensor, *others: Tensor, **named: Tensor) -> Tensor:
            return super().forward(x) * self["own"]

    table = Table(mean)
    table["own"] = 2.0
    assert outputs(Slotted()) == outputs(table)


def test_a_network_that_normalizes_pixels_takes_bytes() -> None:
    network = Net(mean)

    class Normalizing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = network((x - 0.45) / 0.225)
            return result

    whole = Normalizing()
    whole.network = network
    assert convert(whole.eval(), zoo.images(SHAPE, 6).astype(np.uint8)).levels == 255
