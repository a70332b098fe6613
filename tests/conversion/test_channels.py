"""Channels that are picked, split or shuffled convert as torch moves them, or are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ann2snn import convert, load_spec, save_spec, simulate
from ann2snn.conversion.account import Conversion
from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.convert import explain
from ann2snn.conversion.refusal import ConversionError
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.spec import Concat, Conv, Linear, MaxPool, Neuron, Reshape, Select
from tests import zoo
from tests.simulation.event_networks import assert_same, both

CHANNELS = 6
Between = Callable[[Tensor], Any]


class Moved(nn.Module):
    """Channels of a ReLU, moved and pooled: a max-pool reads them, so that no weights take them."""

    def __init__(self, between: Between, width: int = CHANNELS) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, CHANNELS, 3)
        self.classes = nn.Linear(width, 4)
        self.between = between
        self.register_buffer("order", torch.tensor([3, 0, 5]))

    def forward(self, x: Tensor) -> Tensor:
        x = self.between(F.relu(self.conv(x)))
        result: Tensor = self.classes(F.max_pool2d(x, 2).mean((2, 3)))
        return result


def moved(between: Between, width: int = CHANNELS) -> Conversion:
    torch.manual_seed(0)
    module = zoo.randomised(Moved(between, width)).double().eval()
    return exact(module, zoo.images((2, 6, 6), 8))


def exact(module: nn.Module, images: Any) -> Conversion:
    """The conversion without a grid, whose analog outputs are the module's."""
    found = explain(module, images, grid=-1)
    with torch.no_grad():
        expected = module(torch.from_numpy(images).double() / 255).numpy()
    outputs = analog_outputs(found.spec, images, found.ceilings) * found.spec.output.scale
    assert np.abs(outputs - expected).max() <= 1e-12 * np.abs(expected).max()
    assert all(fate.nodes or fate.reason for fate in found.fates)
    return found


def shuffled(x: Tensor, groups: int) -> Tensor:
    n, c, h, w = x.size()
    return torch.transpose(x.view(n, groups, c // groups, h, w), 1, 2).contiguous().view(n, c, h, w)


def through_one_axis(x: Tensor) -> Tensor:
    x = x.reshape(x.size(0), 2, 3, 16).permute(0, 2, 1, 3)
    return torch.unflatten(x.flatten(1, 2), 2, (4, -1))


# how it is written -> the channels that come out, by hand
ORDERS: dict[str, tuple[Between, tuple[int, ...]]] = {
    "chunk": (lambda x: x.chunk(2, dim=1)[1], (3, 4, 5)),
    "uneven chunk": (lambda x: torch.chunk(x, 4, dim=-3)[-1], (4, 5)),
    "split": (lambda x: x.split(4, 1)[1], (4, 5)),  # type: ignore[no-untyped-call]
    "split sizes": (lambda x: torch.split(x, [1, 3, 2], dim=1)[1], (1, 2, 3)),
    "split by name": (lambda x: torch.split(tensor=x, split_size_or_sections=4, dim=1)[1], (4, 5)),
    "tensor_split": (lambda x: x.tensor_split((1, 4), dim=1)[1], (1, 2, 3)),
    "split_with_sizes": (lambda x: torch.split_with_sizes(x, [1, 3, 2], 1)[2], (4, 5)),
    "split_with_sizes of a tensor": (lambda x: x.split_with_sizes([4, 2], dim=-3)[1], (4, 5)),
    "unsafe_chunk": (lambda x: torch.unsafe_chunk(x, 3, 1)[1], (2, 3)),
    "unsafe_split": (lambda x: x.unsafe_split(4, 1)[1], (4, 5)),
    "hsplit": (lambda x: torch.hsplit(x, 3)[1], (2, 3)),
    "hsplit at places": (lambda x: x.hsplit((1, 4))[1], (1, 2, 3)),
    "dsplit of groups": (
        lambda x: x.view(-1, 2, 3, 4, 4).dsplit((1,))[1].flatten(1, 2), (1, 2, 4, 5)),
    "pieces swapped": (lambda x: torch.cat(x.chunk(2, 1)[::-1], 1), (3, 4, 5, 0, 1, 2)),
    "slice": (lambda x: x[:, 1:4], (1, 2, 3)),
    "slice of all images": (lambda x: x[0:, 1:4], (1, 2, 3)),
    "slice to the far end": (lambda x: x[0 : 2**63 - 1 : 1, 1:4], (1, 2, 3)),
    "slice with axes": (lambda x: x[:, 2:, :, :], (2, 3, 4, 5)),
    "slice by step": (lambda x: x[:, 1::2], (1, 3, 5)),
    "negative slice": (lambda x: x[:, -2:, ...], (4, 5)),
    "list": (lambda x: x[:, [5, 0, 0, -2]], (5, 0, 0, 4)),
    "narrow": (lambda x: torch.narrow(x, 1, 2, 3), (2, 3, 4)),
    "narrow from behind": (lambda x: x.narrow(-3, -3, 2), (3, 4)),
    "index_select": (lambda x: torch.index_select(x, 1, torch.tensor([4, 1])), (4, 1)),
    "integer": (lambda x: torch.cat([x[:, 4].unsqueeze(1), x.select(1, 0)[:, None]], 1), (4, 0)),
    "unbind": (lambda x: x.view(-1, 3, 2, 4, 4).unbind(1)[2], (4, 5)),
    "part of a view": (lambda x: x.view(-1, 3, 2, 4, 4)[:, :, 1], (1, 3, 5)),
    "flip": (lambda x: x.flip(1), (5, 4, 3, 2, 1, 0)),
    "fliplr": (torch.fliplr, (5, 4, 3, 2, 1, 0)),
    "moveaxis": (lambda x: x.moveaxis(1, -1).flip(3).moveaxis(-1, 1), (5, 4, 3, 2, 1, 0)),
    "roll": (lambda x: torch.roll(x, 1, 1), (5, 0, 1, 2, 3, 4)),
    "shuffle": (lambda x: shuffled(x, 2), (0, 3, 1, 4, 2, 5)),
    "shuffle twice": (lambda x: shuffled(shuffled(x, 3), 3), (0, 4, 3, 2, 1, 5)),
    "module": (nn.ChannelShuffle(3), (0, 2, 4, 1, 3, 5)),
    "function": (lambda x: F.channel_shuffle(x, 2), (0, 3, 1, 4, 2, 5)),
    "one axis of space": (through_one_axis, (0, 3, 1, 4, 2, 5)),
    "slice of a shuffle": (lambda x: shuffled(x, 2)[:, 1:3], (3, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_channels_come_out_as_torch_moves_them_by_one_selection_of_the_neurons(name: str) -> None:
    between, channels = ORDERS[name]
    spec = moved(between, len(channels)).spec
    (pool,) = (node for node in spec if isinstance(node, MaxPool))
    selection = next(node for node in spec if isinstance(node, Select | Concat | Reshape))
    assert isinstance(selection, Select)
    assert (selection.inputs, pool.inputs) == (("relu",), (selection.name,))
    assert selection.channels == channels


SAME: dict[str, Between] = {
    "shuffled back": lambda x: shuffled(shuffled(x, 2), 3),
    "all of a chunk": lambda x: torch.cat(x.chunk(3, 1), 1),
    "every channel": lambda x: x[:, :],
    "axes and back": lambda x: x.permute(0, 2, 3, 1).clone().movedim(3, 1),
    "one chunk": lambda x: torch.chunk(x, 1, dim=1)[0],
}


@pytest.mark.parametrize("name", SAME)
def test_channels_that_come_back_to_their_places_leave_no_node(name: str) -> None:
    spec = moved(SAME[name]).spec
    assert [node.kind for node in spec] == [
        "input", "conv", "neuron", "maxpool", "sumpool", "reshape", "linear", "output",
    ]  # fmt: skip


CURE = "instead: whole channels: x"
REFUSED: dict[str, tuple[Between, str]] = {
    "image": (lambda x: x[:2], f"picks images of the batch.*{CURE}"),
    "one image": (lambda x: x[0], "picks images of the batch"),
    "new axis": (lambda x: x[None], "adds an axis before it"),
    "chunk of the batch": (lambda x: x.chunk(2)[0], f"chunk along the batch; {CURE}"),
    "split of the batch": (lambda x: torch.split(x, 2, dim=-4)[0], "split along the batch"),
    "vsplit": (lambda x: torch.vsplit(x, (2,))[0], "vsplit along the batch"),
    "unsafe_chunk of the batch": (lambda x: x.unsafe_chunk(2)[0], "unsafe_chunk along the batch"),
    "dsplit of rows": (lambda x: x.dsplit(2)[0], r"max_pool2d.*: reads axes \(6, 2, 4\)"),
    "narrow of the batch": (lambda x: x.narrow(0, 0, 2), "narrow along the batch"),
    "batch moved": (lambda x: x.transpose(0, 1), "moves or picks images of the batch"),
    "batch flipped": (lambda x: x.flip(0), "moves or picks images of the batch"),
    "dynamic": (lambda x: x[:, x], "its indices depend on the image"),
    "nothing": (lambda x: x[:, 6:], "picks no channel at all"),
    "rows": (lambda x: x[:, :, 1:], r"max_pool2d.*: reads axes \(6, 3, 4\) that are not whole"),
    "turned": (lambda x: x.transpose(2, 3), r"reads axes \(6, 4, 4\) that are not whole channels"),
    "left open": (lambda x: F.relu(x.view(-1, 2, 3, 4, 4)), r"relu_1 .*: reads axes \(2, 3, 4, 4"),
    "beyond": (lambda x: x[:, [6]], "written in a form that is not known here"),
    "by size": (lambda x: x[:, x.size(0) :], "written in a form that is not known here"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_moves_images_or_parts_of_channels_is_refused_with_the_reason(name: str) -> None:
    between, message = REFUSED[name]
    with pytest.raises(ConversionError, match=message):
        convert(Moved(between).eval(), zoo.images((2, 6, 6), 3))


def test_a_passed_channel_is_read_from_the_neurons_and_not_from_block_to_block() -> None:
    module, shape = zoo.build("shuffled")
    spec = exact(module, zoo.images(shape, 8)).spec
    selections = [node for node in spec if isinstance(node, Select)]
    assert [len(node.channels) for node in selections] == [4, 4, 4, 8]
    for node in selections:
        assert all(isinstance(spec[name], Neuron | MaxPool) for name in node.inputs)
    assert not any(isinstance(node, Concat) for node in spec)
    # 0 to 7 are the pool's; behind each that passed a shuffle puts one of the convolved, 8 to 11
    assert selections[1].inputs == ("2", "3.branch.6")
    assert selections[1].channels == (2, 10, 3, 11)


def test_a_selection_of_outputs_is_the_convolution_of_these_outputs() -> None:
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(2, 6, 3), nn.BatchNorm2d(2)

    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.classes = conv, norm, nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Tensor:
            left, right = torch.split(self.conv(x), [2, 4], dim=1)
            x = torch.cat([F.relu(right[:, 1:]), F.relu(self.norm(left))], 1)
            result: Tensor = self.classes(x.mean((2, 3)))
            return result

    spec = exact(zoo.randomised(Halves()).double().eval(), zoo.images((2, 6, 6), 8)).spec
    found = [node for node in spec if isinstance(node, Conv)]
    assert not any(node.kind in ("select", "affine") for node in spec)
    assert [len(node.bias) for node in found] == [2, 3]
    weight = conv.weight.detach().numpy()[3:]
    np.testing.assert_allclose(found[1].weight * found[1].scale, weight, rtol=1e-12)


@pytest.mark.parametrize("groups", [1, 2])
def test_an_order_of_channels_goes_into_ungrouped_weights_alone(groups: int) -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(2, 6, 3), nn.ReLU(), nn.ChannelShuffle(2), nn.Conv2d(6, 4, 1, groups=groups),
        nn.ReLU(), nn.Flatten(), nn.Linear(64, 3),
    ).double().eval()  # fmt: skip
    spec = exact(layers, zoo.images((2, 6, 6), 8)).spec
    assert any(isinstance(node, Select) for node in spec) == (groups == 2)
    if groups == 1:
        given = layers.get_parameter("3.weight").detach().numpy()[:, [0, 2, 4, 1, 3, 5]]
        own = spec["3"].weight * spec["3"].scale / spec["1"].scale  # type: ignore[attr-defined]
        np.testing.assert_allclose(own, given, rtol=1e-12)


def test_channels_last_before_the_classes_become_the_order_of_their_weights() -> None:
    class Ported(Moved):
        def forward(self, x: Tensor) -> Tensor:
            x = F.max_pool2d(F.relu(self.conv(x)), 2).permute(0, 2, 3, 1)
            result: Tensor = self.classes(x.reshape(x.size(0), -1))
            return result

    module = zoo.randomised(Ported(nn.Identity(), 24)).double().eval()
    spec = exact(module, zoo.images((2, 6, 6), 8)).spec
    assert not any(isinstance(node, Select) for node in spec)
    (classes,) = (node for node in spec if isinstance(node, Linear))
    given = module.get_parameter("classes.weight").detach().reshape(4, 2, 2, 6)
    given = given.permute(0, 3, 1, 2).reshape(4, 24)
    own = classes.weight * classes.scale / spec["relu"].scale
    np.testing.assert_allclose(own, given.numpy(), rtol=1e-12)


def test_a_relu_behind_a_shuffle_fires_once_and_before_the_pool() -> None:
    layers = [nn.Conv2d(2, 6, 3), nn.MaxPool2d(2), nn.ChannelShuffle(2), nn.ReLU(), nn.ReLU()]
    module = nn.Sequential(*layers, nn.Flatten(), nn.Linear(24, 3)).double().eval()
    spec = exact(module, zoo.images((2, 6, 6), 8)).spec
    assert [node.kind for node in spec][2:4] == ["neuron", "maxpool"]
    assert sum(isinstance(node, Neuron) for node in spec) == 1


def test_one_dimension_and_features_are_shuffled_too() -> None:
    class Line(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.hidden, self.classes = (
                nn.Conv1d(2, 6, 3), nn.Linear(24, 8), nn.Linear(4, 3),
            )  # fmt: skip

        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(self.conv(x))
            n, c, length = x.shape
            x = x.view(n, 2, c // 2, length).transpose(1, 2).reshape(n, c, length)
            x = F.max_pool1d(x, 2).flatten(1)
            x = F.relu(self.hidden(x)).view(n, 2, 4).transpose(1, 2).flatten(1)
            result: Tensor = self.classes(x[:, ::2] + x[..., 1::2])
            return result

    torch.manual_seed(0)
    module = zoo.randomised(Line()).double().eval()
    spec = exact(module, zoo.images((2, 10), 8)).spec
    chosen = [node.channels for node in spec if isinstance(node, Select)]
    assert chosen == [(0, 3, 1, 4, 2, 5), (0, 1, 2, 3), (4, 5, 6, 7)]


def test_a_file_of_a_spec_keeps_its_selections(tmp_path: Path) -> None:
    module, shape = zoo.build("shuffled")
    images = zoo.images(shape, 6)
    spec = convert(module, images)
    save_spec(spec, tmp_path / "spec.safetensors")
    found = load_spec(tmp_path / "spec.safetensors")
    assert [vars(n) for n in found if isinstance(n, Select)] == [
        vars(n) | {"scale": found[n.name].scale} for n in spec if isinstance(n, Select)
    ]
    own, theirs = (simulate(each, images, steps=9, potentials=True) for each in (spec, found))
    assert np.array_equal(own.potentials, theirs.potentials)  # type: ignore[arg-type]


@pytest.mark.parametrize("pooling", [name for name, row in POOLINGS.items() if row.passes])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("input", ["analog", "poisson"])
def test_gates_behind_selections_pass_the_same_spikes_in_both_engines(
    pooling: str, reset: str, input: str
) -> None:
    torch.manual_seed(0)
    module = zoo.randomised(Moved(lambda x: shuffled(x, 3)[:, [0, 4, 4, 1]], 4)).double().eval()
    images = zoo.images((2, 6, 6), 4)
    spec = convert(module, images, pooling=pooling, reset=reset, input=input)
    assert_same(*both(spec, images, steps=15))


STEPS = ("chunk", "split", "slice", "step", "list", "shuffle", "module", "flip", "conv", "half",
         "current", "pool", "sum", "join")  # fmt: skip


class RandomMoves(nn.Module):
    """Steps drawn one after another, between ReLUs or not; each is a line of `forward`."""

    def __init__(self, steps: list[str], random: np.random.Generator) -> None:
        super().__init__()
        self.steps, self.random = [], random
        self.first = nn.Conv2d(2, 6, 3, padding=1)
        self.layers, channels = nn.ModuleList(), 6
        for step in steps:
            plan, channels = self.planned(step, channels)
            self.steps.append((step, plan))
        self.classes = nn.Linear(channels, zoo.CLASSES)

    def planned(self, step: str, c: int) -> tuple[Any, int]:
        """What the step needs to know, and how many channels it gives."""
        first = int(self.random.integers(1, c)) if c > 1 else 0
        groups = int(self.random.choice([g for g in range(1, c + 1) if c % g == 0]))
        read, write = {"half": (c - c // 2, c - c // 2)}.get(step, (c, c))
        grouped = groups if step == "conv" else 1
        self.layers.append(nn.Conv2d(read, write, 3, padding=1, groups=grouped))
        match step:
            case "split" | "slice":
                return first, c if step == "split" else c - first
            case "step":
                return first % 2, len(range(first % 2, c, 2))
            case "list":
                return self.random.integers(-c, c, 5).tolist(), 5
            case "shuffle" | "module":
                return groups, c
            case "half":
                return c // 2, c
            case "join":
                return None, min(2 * c, 12)
            case _:
                return None, c

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        for (step, plan), layer in zip(self.steps, self.layers, strict=True):
            match step:
                case "chunk":
                    x = torch.cat(torch.chunk(x, 3, dim=-3)[::-1], 1)
                case "split":
                    parts = torch.tensor_split(x, (plan,), dim=1)
                    x = torch.cat([parts[1], F.relu(parts[0])], 1) if plan else x
                case "slice":
                    x = x[:, plan - x.size(1) :] if plan else x
                case "step":
                    x = x[:, plan::2]
                case "list":
                    x = x[:, plan]
                case "shuffle":
                    x = shuffled(x, plan)
                case "module":
                    x = F.channel_shuffle(x, plan)
                case "flip":
                    x = x.flip(1)
                case "conv":
                    x = F.relu(layer(x))
                case "half":
                    rest = F.relu(layer(x[:, plan:]))
                    x = torch.cat([x.narrow(1, 0, plan), rest], 1) if plan else rest
                case "current":
                    x = layer(x)
                case "pool":
                    x = F.max_pool2d(x, 3, 1, 1)
                case "sum":
                    x = x + x.flip(1)
                case _:
                    x = torch.cat([layer(x), x], 1)[:, :12]
        result: Tensor = self.classes(F.relu(x).mean((2, 3)))
        return result


def random_moves(steps: list[str], seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = zoo.randomised(RandomMoves(steps, np.random.default_rng(seed)))
    return module.double().eval()


STEP_LISTS = st.lists(st.sampled_from(STEPS), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(STEP_LISTS, st.integers(0, 2**16))
def test_networks_that_move_channels_at_random_keep_their_outputs(
    steps: list[str], seed: int
) -> None:
    exact(random_moves(steps, seed), zoo.images((2, 5, 5), 6))


@settings(max_examples=12, deadline=None)
@given(STEP_LISTS, st.integers(0, 2**16), st.sampled_from(["binary", "signed", "burst"]))
def test_networks_that_move_channels_at_random_are_the_same_in_both_engines(
    steps: list[str], seed: int, spikes: str
) -> None:
    images = zoo.images((2, 5, 5), 6)
    spec = convert(random_moves(steps, seed), images, spikes=spikes, initial_potential=0.5)
    assert_same(*both(spec, images[:2], steps=9))
