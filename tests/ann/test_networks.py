"""The networks have the layers that the paper gives, and fit or refuse their images."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ann2snn.ann.network import NETWORKS, build
from ann2snn.ann.scaling import BatchScale, MeanSquare, fold_scales
from ann2snn.ann.settings import AnnSettings
from ann2snn.settings import SettingError

SHAPES = {
    "digits_cnn": (1, 8, 8),
    "digits_cnn_plain": (1, 8, 8),
    "mnist_cnn": (1, 28, 28),
    "cifar10_cnn": (3, 32, 32),
    "cifar10_cnn_plain": (3, 32, 32),
    "cifar10_fast": (3, 32, 32),
    "cifar10_residual": (3, 32, 32),
    "resnet20": (3, 32, 32),
}
OWN_FILES = {
    "cifar10_fast": "cifar10_fast",
    "cifar10_residual": "cifar10_fast",
    "resnet20": "resnet20",
}
LAYERED = [name for name, network in NETWORKS.items() if "pooling" in network.takes]


def test_the_four_convolution_network_has_the_papers_size() -> None:
    """1.25 M parameters and 87,818 neurons an image, the ten outputs among them."""
    network = build(AnnSettings(network="cifar10_cnn"), SHAPES["cifar10_cnn"], 10).eval()
    shapes: list[torch.Size] = []
    for layer in network.modules():
        if isinstance(layer, nn.ReLU):
            layer.register_forward_hook(lambda _, __, out: shapes.append(out.shape[1:]))
    network(torch.zeros(1, 3, 32, 32))
    assert [tuple(shape) for shape in shapes] == [
        (32, 32, 32), (32, 32, 32), (64, 14, 14), (64, 12, 12), (512,),
    ]  # fmt: skip
    assert sum(shape.numel() for shape in shapes) + 10 == 87_818
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(1.25e6, rel=0.01)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("cifar10_fast", 118.1),
        ("cifar10_residual", 290.2),
        ("resnet20", 40.8),
    ],
)
def test_a_network_of_today_has_the_operations_that_its_file_says(
    name: str, millions: float
) -> None:
    network = build(AnnSettings(network=name), SHAPES[name], 10).eval()
    operations: list[int] = []

    def count(layer: nn.Module, _: object, out: torch.Tensor) -> None:
        assert isinstance(layer.weight, torch.Tensor)
        operations.append(layer.weight[0].numel() * out[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    network(torch.zeros(1, *SHAPES[name]))
    assert sum(operations) / 1e6 == pytest.approx(millions, rel=0.01)


def test_every_network_says_from_which_file_it_comes() -> None:
    folder = Path(__file__).parents[2] / "src" / "ann2snn" / "ann" / "networks"
    assert {name: NETWORKS.source_file(name) for name in NETWORKS} == {
        name: folder / f"{OWN_FILES.get(name, name.partition('_')[0])}.py" for name in SHAPES
    }


@pytest.mark.parametrize("network", LAYERED)
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("output", ["softmax", "relu"])
def test_toggles_change_what_they_say(network: str, pooling: str, output: str) -> None:
    settings = AnnSettings(network=network, pooling=pooling, output=output)
    built = build(settings, SHAPES[network], 10).eval()
    pools = (nn.MaxPool2d, nn.AvgPool2d)
    assert all(
        isinstance(m, pools[pooling == "average"]) for m in built.modules() if isinstance(m, pools)
    )
    outputs = built(torch.rand(2, *SHAPES[network], generator=torch.Generator().manual_seed(0)))
    assert outputs.shape == (2, 10)
    assert bool((outputs >= 0).all()) == (output == "relu")


@pytest.mark.parametrize("network", LAYERED)
def test_without_biases_a_black_image_gives_zero_at_every_layer(network: str) -> None:
    settings = AnnSettings(network=network, bias=False)
    built = build(settings, SHAPES[network], 10).eval()
    assert not any(name.endswith("bias") for name, _ in built.named_parameters())
    assert not built(torch.zeros(1, *SHAPES[network])).any()


@pytest.mark.parametrize("network", ["digits_cnn", "cifar10_cnn"])
def test_a_plain_network_has_biases_instead_of_batch_normalization(network: str) -> None:
    built = build(AnnSettings(network=f"{network}_plain"), SHAPES[network], 10)
    normalized = build(AnnSettings(network=network), SHAPES[network], 10)
    norms = (nn.BatchNorm1d, nn.BatchNorm2d)
    assert not any(isinstance(layer, norms) for layer in built.modules())
    weighted = [m for m in built.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert all(layer.bias is not None for layer in weighted)
    assert sum(isinstance(m, norms) for m in normalized.modules()) == len(weighted) - 1


def test_folding_scales_changes_no_output() -> None:
    settings = AnnSettings(bias=False)
    network = build(settings, (1, 8, 8), 10, training=True)
    images = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    network(images)
    network.eval()
    before = network(images)
    folded = fold_scales(network)
    assert not any(isinstance(m, BatchScale) for m in folded.modules())
    assert torch.allclose(folded(images), before, atol=1e-5)


class Branch(nn.Module):
    """conv1 feeds conv2 and a sum; `shared` hands conv1's output on past its scale."""

    def __init__(self, *, bias: bool = False, shared: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1, bias=bias)
        self.scale1 = BatchScale(4)
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), BatchScale(4))
        self.shared = shared

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        first = self.conv1(images)
        scaled = self.scale1(first)
        signal = first if self.shared else scaled
        return torch.relu(signal + self.block(torch.relu(scaled)))


def test_scales_of_a_network_that_branches_fold_into_the_layers_that_they_follow() -> None:
    random = torch.Generator().manual_seed(1)
    network = Branch()
    images = torch.rand(40, 1, 8, 8, generator=random)
    network(images)
    network.eval()
    before = network(images)
    folded = fold_scales(network)
    assert not any(isinstance(m, BatchScale) for m in folded.modules())
    assert list(folded.state_dict()) == ["conv1.weight", "block.0.weight"]
    assert torch.allclose(folded(images), before, atol=1e-5)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Branch(bias=True), "^scale1 must follow a convolution or linear layer without bias"),
        (Branch(shared=True), "^scale1 must follow .* output goes nowhere else, it follows conv1$"),
        (nn.Sequential(nn.ReLU(), BatchScale(1)), "^1 must follow .*, it follows _0$"),
        (nn.Sequential(BatchScale(1)), "^0 must follow .*, it follows input_1$"),
    ],
)
def test_a_scale_that_cannot_be_folded_is_named(network: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fold_scales(network)


def test_a_seed_gives_the_same_weights_and_leaves_torchs_own_state_alone() -> None:
    state = torch.get_rng_state()
    one, two = (build(AnnSettings(seed=3), (1, 8, 8), 10) for _ in range(2))
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(state, torch.get_rng_state())


def test_images_that_are_too_small_are_refused_with_their_size() -> None:
    with pytest.raises(ValueError, match="mnist_cnn does not fit images of 1x4x4"):
        build(AnnSettings(network="mnist_cnn"), (1, 4, 4), 10)


def test_a_users_network_comes_from_its_factory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        "from torch import nn\n"
        "def make(shape, classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * 64, classes), nn.ReLU())\n"
        "def wrong(shape, classes):\n"
        "    return nn.Flatten()\n"
        "def nothing(shape, classes):\n"
        "    return 3\n"
    )
    (tmp_path / "pet_networks.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    built = build(AnnSettings(network="pet_networks:make"), (1, 8, 8), 4)
    assert built(torch.zeros(1, 1, 8, 8)).shape == (1, 4)
    with pytest.raises(ValueError, match="must give 4 outputs for an image"):
        build(AnnSettings(network="pet_networks:wrong"), (1, 8, 8), 4)
    with pytest.raises(ValueError, match=r"must give a torch.nn.Module, got int"):
        build(AnnSettings(network="pet_networks:nothing"), (1, 8, 8), 4)
    with pytest.raises(ValueError, match="pet_networks has no function absent"):
        build(AnnSettings(network="pet_networks:absent"), (1, 8, 8), 4)
    with pytest.raises(ValueError, match="there is no module no_such_module"):
        build(AnnSettings(network="no_such_module:make"), (1, 8, 8), 4)
    sys.modules.pop("pet_networks", None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"network": "alexnet"},
            "network must be one of cifar10_cnn, .* got 'alexnet'; your own is package.module",
        ),
        ({"network": "digits_cn"}, "got 'digits_cn'; did you mean digits_cnn"),
        ({"network": "a.b:2c"}, "of the form package.module:factory"),
        ({"network": "a:b", "bias": False}, "bias must be True for a:b"),
        ({"network": "cifar10_fast", "bias": False}, "bias must be True for cifar10_fast"),
        ({"network": "a:b", "activation": "quantized", "levels": 4}, "activation must be relu for"),
        ({"levels": 4}, "levels must be 0 but for activation=quantized, got 4"),
        ({"activation": "quantized"}, "levels must be at least 1 for activation=quantized, got 0"),
        ({"flips": "alternating"}, "flips must be 'random' but for flip=true, got 'alternating'"),
        ({"border": "mirrored"}, "border must be 'zeros' but for a shift, got 'mirrored'"),
        ({"start": "a", "weights": "b"}, "start must be '' but for training, without weights"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
    ],
)
def test_wrong_toggles_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        AnnSettings(**fields)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (7, 5)])
def test_the_gradient_of_the_mean_square_has_the_bits_of_torchs_own(
    dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    random = torch.Generator().manual_seed(0)
    values = torch.randn(shape, generator=random).to(dtype)
    if len(shape) == 4:
        values = values.contiguous(memory_format=torch.channels_last)
    above = torch.randn(5, generator=random)
    found = []
    axes = [axis for axis in range(len(shape)) if axis != 1]
    for mean_square in (MeanSquare.apply, lambda signal: signal.float().square().mean(axes)):
        signal = values.clone().requires_grad_()
        result = mean_square(signal)
        result.backward(above)
        found.append((result.detach(), signal.grad))
        assert torch.equal(values, signal.detach())
    for ours, theirs in zip(*found, strict=True):
        assert torch.equal(ours, theirs)
