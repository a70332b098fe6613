"""What cannot be converted exactly is refused in words, all of it at once."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ann2snn.conversion.convert import convert, converted
from ann2snn.conversion.refusal import ConversionError
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.statistics import Statistics
from ann2snn.conversion.trace import analog_graph
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.settings import SettingError
from ann2snn.spec import Neuron, Output
from tests import zoo

Tensor = torch.Tensor


class Net(nn.Module):
    """Two linear layers with a function between them."""

    def __init__(self, between: Callable[["Net", Tensor], Tensor]) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 4)
        self.gain = nn.Parameter(torch.ones(3, 6))
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.second(self.between(self, self.first(x)))
        return result


class Image(nn.Module):
    """A convolution, and a function to the classes."""

    def __init__(self, after: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(F.relu(self.conv(x)))


class Plus(nn.Module):
    """Adds a constant."""

    def __init__(self, constant: Tensor) -> None:
        super().__init__()
        self.constant = nn.Parameter(constant)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.constant


def held_to_a_tensor(_: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(x, Tensor)
    return x


def sequence(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 6), *layers, nn.Linear(6, 4))


FLAT: dict[str, tuple[nn.Module, str]] = {
    "sigmoid module": (sequence(nn.Sigmoid()), r"1 \(Sigmoid.*no spiking counterpart.*instead"),
    "gelu": (Net(lambda _, x: F.gelu(x)), r"gelu \(gelu, at test_refusals.py:\d+\).*no spiking"),
    "tanh method": (Net(lambda _, x: x.tanh()), r"tanh .*no spiking counterpart"),
    "layer norm": (sequence(nn.LayerNorm(6)), r"1 \(LayerNorm"),
    "prelu": (sequence(nn.PReLU()), r"1 \(PReLU"),
    "leaky": (Net(lambda _, x: F.leaky_relu(x)), "leaky_relu"),
    "hardtanh": (sequence(nn.Hardtanh()), "clips to -1.0 and 1.0.*a lower limit of 0"),
    "attention": (Net(lambda _, x: x * x.softmax(1)), "a softmax inside the network is no rate"),
    "gate": (Net(lambda _, x: x * F.relu(x)), "multiplies two signals"),
    "division": (Net(lambda _, x: 1 / F.relu(x)), "divides by a signal"),
    "alpha": (Net(lambda _, x: torch.add(x, x, alpha=2)), r"alpha.*x \+ alpha \* y"),
    "sub alpha": (Net(lambda _, x: torch.sub(x, x, alpha=2)), r"alpha.*x - alpha \* y"),
    "dropout": (Net(lambda _, x: F.dropout(x)), "drops at random even in eval mode"),
    "widening": (Net(lambda net, x: x * net.gain), r"\(3, 6\) widens the signal"),
    "constant": (Net(lambda _, x: x + 1j), "combines the signal with 1j"),
    "misfit": (Net(lambda _, x: x + torch.ones(7)), r"\(7,\) widens the signal"),
    "unflatten": (sequence(nn.Unflatten(0, (1, 1))), "unflattens the batch"),
    "cat constant": (Net(lambda net, x: torch.cat([x, net.gain], 0)), "joins the signal with a"),
    "cat axis": (Net(lambda _, x: torch.cat([x, x], 0)), "joins along axis 0"),
    "batch view": (Net(lambda _, x: x.view(3, 6)), "does not keep the batch first"),
    "view size": (Net(lambda _, x: x.view(x.size(0), 5)), r"does not reshape to \(5,\)"),
    "batch": (Net(lambda _, x: x.view(x.size(0) * 2, -1)), "computes with the batch's size"),
    "dynamic view": (Net(lambda _, x: x.view(-1, -1, -1)), "is not a static shape"),
    "flatten batch": (Net(lambda _, x: x.flatten()), "flattens the batch into the image"),
    "four axes": (
        Net(lambda _, x: x.view(-1, 1, 2, 1, 3)),
        r"second \(Linear.*: reads axes \(1, 2, 1, 3\)",
    ),
    "squeeze": (Net(lambda _, x: x.squeeze()), "squeezes the batch"),
    "attribute": (Net(lambda _, x: x + x.T), "reads T of a signal"),
    "data": (Net(lambda _, x: x if x.sum() > 0 else -x), "cannot be traced, at test_refusals.py"),
    "loop": (Net(lambda _, x: sum(row for row in x)), "cannot be traced, at test_refusals.py"),
    "layer made in forward": (
        Net(lambda _, x: nn.ReLU()(x)),
        r"at test_refusals.py:\d+: it calls a layer that is no part of it; instead: make the layer",
    ),
    "assertion": (
        Net(held_to_a_tensor),
        r"(?s)cannot be traced, at test_refusals.py:\d+: .*a stand-in for the images",
    ),
    "table of sizes": (Net(lambda _, x: {6: x}[x.shape[-1]]), "cannot be traced.*stand-in for the"),
    "number of NumPy": (Net(lambda _, x: x * np.float32(2)), "cannot be traced.*plain numbers"),  # type: ignore[operator]
    "division by zero": (Net(lambda _, x: x / 0), "truediv.*division by zero"),
    "clamp by tensors": (
        Net(lambda _, x: x.clamp(torch.zeros(()), torch.ones(()))),
        "limits that are numbers",
    ),
    "linear of another kind": (
        sequence(torch.ao.nn.qat.Linear(6, 6, qconfig=torch.ao.quantization.default_qat_qconfig)),
        r"1 \(Linear.*: torch.ao.nn.qat.modules.linear.Linear has no spiking counterpart",
    ),
    "weights": (Net(lambda _, x: F.linear(x, x)), "its weights depend on the image"),
    "in place": (Net(lambda _, x: F.relu_(x) + x), "changes in place what is read again later"),
    "shapes": (sequence(nn.Linear(5, 6)), "takes 5 features"),
    "training norm": (
        Net(lambda _, x: F.batch_norm(x, None, None, training=True)),
        "normalizes by the batch's own statistics",
    ),
    "no running statistics": (
        sequence(nn.BatchNorm1d(6, track_running_stats=False)),
        "depends on the batch; instead: track_running_stats=True",
    ),
    "adding shapes": (Net(lambda net, x: x + net.second(x)), r"adds shapes \(6,\) and \(4,\)"),
    "pool of features": (sequence(nn.MaxPool2d(2)), "pools a signal of shape"),
}

IMAGES: dict[str, tuple[nn.Module, str]] = {
    "linear on image": (Image(lambda x: F.linear(x, torch.ones(4, 6))), "works on the last axis"),
    "dilated pool": (Image(lambda x: F.max_pool2d(x, 2, dilation=2)), "has dilation 2"),
    "indices": (Image(nn.MaxPool2d(2, return_indices=True)), "returns indices"),
    "adaptive indices": (
        Image(nn.AdaptiveMaxPool2d(2, return_indices=True)),
        "returns indices",
    ),
    "mean": (Image(lambda x: x.mean(1)), r"mean over the axes \(1,\).*over all axes of space"),
    "image out": (Image(lambda x: x), r"the network returns shape \(4, 6, 6\)"),
    "two out": (Image(lambda x: (x, x)), "the network returns tuple"),  # type: ignore[arg-type, return-value]
    "transpose": (Image(lambda x: x.transpose(1, 2)), r"reads axes \(6, 4, 6\) that"),
    "reflected": (
        nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect"), nn.Flatten()),
        "padding_mode 'reflect' is not zeros",
    ),
    "weights": (Image(lambda x: F.conv2d(x, x)), "its weights depend on the image"),
    "axes": (Image(lambda x: F.conv1d(x, torch.ones(1, 4, 3))), "takes 2 axes without the batch"),
    "statistics": (Image(lambda x: F.batch_norm(x, x, x)), "its statistics depend on the image"),
    "three sizes": (Image(lambda x: F.max_pool2d(x, (2, 2, 2))), "got the size"),
}


@pytest.mark.parametrize("name", FLAT)
def test_features_are_refused_with_the_reason_and_the_cure(name: str) -> None:
    module, message = FLAT[name]
    with pytest.raises(ConversionError, match=message):
        convert(module.eval(), zoo.images((6,), 5))


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_refused_with_the_reason_and_the_cure(name: str) -> None:
    module, message = IMAGES[name]
    with pytest.raises(ConversionError, match=message):
        convert(module.eval(), zoo.images((2, 8, 8), 5))


def test_all_offending_operations_are_listed_at_once() -> None:
    module = sequence(nn.Sigmoid(), nn.Linear(6, 6), nn.GELU(), nn.Tanh()).eval()
    with pytest.raises(ConversionError) as error:
        convert(module, zoo.images((6,), 5))
    lines = str(error.value).splitlines()
    assert lines[0] == "cannot convert 3 operations of this network:"
    assert [re.match(r" *\d+ \((\w+)", line)[1] for line in lines[1:-1]] == [  # type: ignore[index]
        "Sigmoid",
        "GELU",
        "Tanh",
    ]
    assert lines[-1].startswith("  layers that convert: AdaptiveAvgPool1d/2d,")
    assert {"Conv1d/2d", "ReLU6", "add", "concatenate"} <= set(lines[-1].split(": ")[1].split(", "))


def test_train_mode_is_refused_with_the_cure() -> None:
    module, shape = zoo.build("vgg")
    with pytest.raises(ConversionError, match=r"in train mode.*call .eval\(\) first"):
        convert(module.train(), zoo.images(shape, 5))
    module.eval()
    module[1].train()  # type: ignore[index]
    with pytest.raises(ConversionError, match=r"^1: in train mode"):
        convert(module, zoo.images(shape, 5))


def test_a_layer_with_hooks_is_refused() -> None:
    module, shape = zoo.build("three_linear")
    module[0].register_forward_hook(lambda *_: None)  # type: ignore[index]
    with pytest.raises(ConversionError, match="has forward hooks"):
        convert(module, zoo.images(shape, 5))


def test_two_inputs_are_refused() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x + y

    with pytest.raises(ConversionError, match="a second input"):
        convert(Two().eval(), zoo.images((6,), 5))


def test_a_gate_of_estimates_on_currents_is_refused_with_the_gate_that_works() -> None:
    module = Image(lambda x: (F.max_pool2d(-x, 2)).flatten(1)).eval()
    with pytest.raises(
        ConversionError, match=r"inverse_time takes binary spikes, got .* kind current; use rise"
    ):
        convert(module, zoo.images((2, 8, 8), 5), pooling="inverse_time")


def test_statistics_of_another_network_are_refused() -> None:
    first, shape = zoo.build("three_linear")
    other, _ = zoo.build("shared_relu")
    statistics = zoo.statistics(other, zoo.images(shape, 5))
    with pytest.raises(ConversionError, match="the statistics are of another network"):
        converted(analog_graph(first, shape), statistics, ConversionSettings(), 255)


def test_images_that_say_too_little_are_refused() -> None:
    module, shape = zoo.build("three_linear")
    images = zoo.images(shape, 5)
    with pytest.raises(ValueError, match="images of int64 need levels"):
        convert(module, images.astype(np.int64))
    with pytest.raises(ValueError, match="levels=3 is for images of whole numbers"):
        convert(module, images / 255, levels=3)
    with pytest.raises(ValueError, match=r"must be \(N, \*shape\) with N > 0"):
        convert(module, images[:0])
    with pytest.raises(ValueError, match="at least one calibration image"):
        zoo.statistics(module, images[:0])


def test_toggles_are_checked_before_any_work() -> None:
    module, shape = zoo.build("three_linear")
    with pytest.raises(SettingError, match="has no keyword percentil=99; did you mean percentile"):
        convert(module, zoo.images(shape, 5), percentil=99)  # type: ignore[call-arg]
    with pytest.raises(SettingError, match=r"percentile must be in \(0, 100\], got 120"):
        convert(module, zoo.images(shape, 5), percentile=120.0)


def test_activations_that_are_not_finite_are_refused() -> None:
    module, shape = zoo.build("three_linear")
    with torch.no_grad():
        module[0].weight[0, 0] = float("inf")  # type: ignore[index]
    with pytest.raises(ValueError, match=r"1: its activations .* are not finite"):
        convert(module, zoo.images(shape, 5))


def test_a_file_without_statistics_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="holds no activation statistics"):
        Statistics.load(path)


def test_a_constant_that_torch_would_spread_over_the_batch_is_refused() -> None:
    """(4, 1, 8) fits the spec's (channels, 1, length), but torch takes its 4 for images."""
    module = nn.Sequential(nn.Conv1d(2, 4, 1), Plus(torch.ones(4, 1, 8)), nn.Flatten()).eval()
    with pytest.raises(ConversionError, match=r"\(4, 1, 8\) widens the signal"):
        convert(module, zoo.images((2, 8), 5))


SIGNED = [name for name, row in SPIKES.items() if row.signed]


@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize(
    ("toggles", "message"),
    [
        ({"reset": "zero"}, "reset must be subtract with spikes={kind}, got 'zero'"),
        *(
            (
                {"pooling": pooling},
                f"pooling must be .*rise.* with spikes={{kind}}, got '{pooling}'",
            )
            for pooling in POOLINGS
            if pooling not in ("rise", "average")
        ),
    ],
)
def test_signed_spikes_are_refused_where_they_have_no_meaning_with_both_toggles_named(
    toggles: dict[str, Any], message: str, kind: str
) -> None:
    module, shape = zoo.build("three_linear")
    with pytest.raises(SettingError, match=message.format(kind=kind)):
        convert(module, zoo.images(shape, 5), spikes=kind, **toggles)


@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize("pooling", ["rise", "average"])
def test_signed_spikes_stand_in_every_neuron_and_in_the_output(pooling: str, kind: str) -> None:
    module, shape = zoo.build("inception")
    spec = convert(module, zoo.images(shape, 5), spikes=kind, pooling=pooling)
    told = [node.spikes for node in spec if isinstance(node, Neuron | Output)]
    assert len(told) > 2
    assert set(told) == {kind}
