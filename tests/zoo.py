"""Small analog networks of every construction that the converter takes.

`build(name)` gives a seeded network in eval mode, float64, with non-zero biases and batch-norm
statistics as after a training, and the shape of one image; `images` gives pixels k / 255.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from ann2snn.conversion.calibration import collect
from ann2snn.conversion.statistics import Statistics
from ann2snn.conversion.trace import analog_graph

Tensor = torch.Tensor
Shape = tuple[int, ...]
CLASSES = 4


class Residual(nn.Module):
    """A ResNet basic block; `stride` 2 halves the image on both branches."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        branch = self.relu(self.first_norm(self.first(x)))
        branch = self.second_norm(self.second(branch))
        branch += self.downsample(x)
        result: Tensor = self.relu(branch)
        return result


class PreActivation(nn.Module):
    """x + conv(relu(bn(conv(relu(bn(x)))))): the sum itself carries no ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first_norm = nn.BatchNorm2d(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.first(F.relu(self.first_norm(x)))
        return torch.add(x, self.second(torch.relu(self.second_norm(branch))))


class Inception(nn.Module):
    """Four branches of different scales, one of them a pool, concatenated."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(inputs, 3, 1)
        self.three = nn.Sequential(nn.Conv2d(inputs, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 3, 1, 1))
        self.five = nn.Conv2d(inputs, 2, 5, padding=2)
        self.pooled = nn.Conv2d(inputs, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        parts = [self.one(x).relu(), F.relu(self.three(x)), F.relu(self.five(x)),
                 F.relu(self.pooled(pooled))]  # fmt: skip
        return torch.cat(parts, 1)


class DenseChain(nn.Module):
    """A DenseNet chain: each layer reads all before it, through BatchNorm and ReLU."""

    def __init__(self, inputs: int, growth: int, layers: int) -> None:
        super().__init__()
        widths = [inputs + growth * index for index in range(layers)]
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        self.convs = nn.ModuleList(nn.Conv2d(width, growth, 3, padding=1) for width in widths)

    def forward(self, x: Tensor) -> Tensor:
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = torch.cat([x, conv(F.relu(norm(x)))], dim=1)
        return x


class FunctionalNet(nn.Module):
    """ReLU as function and as method, in place and not; view by size(); functional pools."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3)
        self.hidden = nn.Linear(6 * 2 * 2, 8)
        self.classes = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = self.second(x).relu_()
        x = F.avg_pool2d(x, 1)
        x = x.view(x.size(0), -1)
        x = F.dropout(torch.relu(self.hidden(x)), training=self.training)
        classes: Tensor = self.classes(x)
        return classes


class SharedReLU(nn.Module):
    """One ReLU module called four times."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.layers = nn.ModuleList([nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 7)])
        self.classes = nn.Linear(7, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = self.relu(layer(x))
        result: Tensor = self.classes(self.relu(x))
        return result


class Branches(nn.Module):
    """A Linear after several branches of different scales, added and concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(6, 5)
        self.right = nn.Linear(6, 5)
        self.skip = nn.Linear(6, 5)
        self.classes = nn.Linear(10, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        left, right = F.relu(self.left(x)), F.relu(self.right(x))
        total = left + right + self.skip(x)
        result: Tensor = self.classes(torch.cat([total, right], dim=-1))
        return result


class GlobalSum(nn.Module):
    """Sums and means over space instead of a pooling layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 5, 3)
        self.second = nn.Conv2d(5, 6, 3)
        self.classes = nn.Linear(11, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        y = F.relu(self.second(x))
        result: Tensor = self.classes(torch.cat([x.sum(dim=(2, 3)), y.mean([-2, -1])], 1))
        return result


class Shuffled(nn.Module):
    """A unit of ShuffleNet v2: half of the channels pass, the other half is convolved, and then all
    change places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(),
            nn.Conv2d(half, half, 3, padding=1, groups=half), nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 1), nn.ReLU(inplace=True),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        passed, convolved = x.chunk(2, dim=1)
        x = torch.cat((passed, self.branch(convolved)), dim=1)
        n, channels, height, width = x.size()
        x = x.view(n, 2, channels // 2, height, width)
        return torch.transpose(x, 1, 2).contiguous().view(n, channels, height, width)


class Res2(nn.Module):
    """A block of Res2Net: each part of the channels reads the one before it, too."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        parts = torch.split(x, self.width, 1)
        found = [parts[0]]
        for part, conv in zip((parts[1], parts[2]), self.convs, strict=True):
            found.append(F.relu(conv(part + found[-1])))
        return torch.cat([*found, parts[3]], 1)


class DualPath(nn.Module):
    """A block of a dual-path network: some outputs are added to the residual path, others joined to
    the dense one."""

    def __init__(self, added: int, joined: int) -> None:
        super().__init__()
        self.added = added
        self.first = nn.Conv2d(2, added + joined, 3, padding=1)
        self.norm = nn.BatchNorm2d(added + joined)
        self.second = nn.Conv2d(added + joined, added + joined, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        residual, dense = x[:, : self.added], x[:, self.added :, :, :]
        x = self.second(F.relu(self.norm(x)))
        residual = residual + x[:, : self.added]
        return F.relu(torch.cat([residual, dense, x[:, self.added :]], 1))


def _head(channels: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)]


def _depthwise() -> list[nn.Module]:
    return [
        nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU6(inplace=True),
        nn.Conv2d(6, 6, 3, 1, 1, groups=6, bias=False), nn.BatchNorm2d(6), nn.ReLU6(),
        nn.Conv2d(6, 8, 1), nn.BatchNorm2d(8), nn.Hardtanh(0.0, 2.0),
    ]  # fmt: skip


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Shape]] = {
    "three_linear": (lambda: nn.Sequential(
        nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, CLASSES)), (6,)),
    "plain_conv": (lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(24, CLASSES)), (2, 8, 8)),
    "conv_batch_norm": (lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(4, 6, 2, dilation=2), nn.BatchNorm2d(6, affine=False), nn.ReLU(),
        *_head(6)), (3, 10, 10)),
    "pool_before_relu": (lambda: nn.Sequential(
        nn.Conv2d(1, 5, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(5), nn.ReLU(),
        nn.Conv2d(5, 5, 3), nn.AvgPool2d(2), nn.BatchNorm2d(5), nn.ReLU(), *_head(5)), (1, 9, 9)),
    "batch_norm_before_conv": (lambda: nn.Sequential(
        nn.BatchNorm2d(2), nn.Conv2d(2, 5, 3), nn.ReLU(), nn.BatchNorm2d(5),
        nn.Conv2d(5, 5, 3, padding=1), nn.ReLU(), *_head(5)), (2, 7, 7)),
    "residual": (lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), Residual(4, 4), *_head(4)),
        (2, 6, 6)),
    "residual_downsample": (lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), Residual(4, 6, 2), Residual(6, 6), *_head(6)),
        (2, 8, 8)),
    "pre_activation": (lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), PreActivation(4), PreActivation(4), nn.BatchNorm2d(4),
        nn.ReLU(), *_head(4)), (2, 6, 6)),
    "inception": (lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(), Inception(4), Inception(11), *_head(11)), (2, 8, 8)),
    "depthwise": (lambda: nn.Sequential(*_depthwise(), *_head(8)), (3, 11, 11)),
    "dense_chain": (lambda: nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), DenseChain(3, 2, 3), nn.BatchNorm2d(9), nn.ReLU(),
        *_head(9)), (2, 6, 6)),
    "vgg": (lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(24, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Dropout(),
        nn.Linear(10, CLASSES)), (3, 8, 8)),
    "functional": (FunctionalNet, (2, 8, 8)),
    "shared_relu": (SharedReLU, (6,)),
    "overlapping_pool": (lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 5, 3),
        nn.ReLU(), nn.MaxPool2d(2, 2, ceil_mode=True), *_head(5)), (2, 9, 9)),
    "odd_sizes": (lambda: nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), (2, 1), (1, 0)), nn.ReLU(),
        nn.AvgPool2d(2, 2, 1, count_include_pad=False), nn.Conv2d(4, 5, 2), nn.ReLU(),
        nn.AdaptiveAvgPool2d((2, 3)), nn.Flatten(), nn.Linear(30, CLASSES)), (2, 11, 13)),
    "one_channel": (lambda: nn.Sequential(
        nn.Conv2d(1, 1, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9, CLASSES)), (1, 8, 8)),
    "one_dimensional": (lambda: nn.Sequential(
        nn.Conv1d(2, 4, 3, padding=1), nn.BatchNorm1d(4), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(4, 5, 3, stride=2), nn.ReLU(), nn.AvgPool1d(2), nn.Flatten(),
        nn.Linear(10, CLASSES)), (2, 20)),
    "branches": (Branches, (6,)),
    "global_sum": (GlobalSum, (2, 7, 7)),
    "shuffled": (lambda: nn.Sequential(
        nn.Conv2d(2, 8, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1), Shuffled(8), Shuffled(8), Shuffled(8),
        *_head(8)), (2, 9, 9)),
    "res2": (lambda: nn.Sequential(
        nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), Res2(2), nn.ChannelShuffle(4),
        nn.AvgPool2d(2), nn.Conv2d(8, 6, 3, groups=2), nn.ReLU(), *_head(6)), (2, 9, 9)),
    "dual_path": (lambda: nn.Sequential(DualPath(3, 4), *_head(11)), (2, 6, 6)),
    "relu_output": (lambda: nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, CLASSES), nn.ReLU()),
        (1, 6, 6)),
}  # fmt: skip


def build(name: str, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[nn.Module, Shape]:
    """The network `name` with weights of `seed`, and the shape of one image."""
    factory, shape = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = randomised(factory())
    return module.to(dtype).eval(), shape


def randomised(module: nn.Module) -> nn.Module:
    """The module with biases, gains and statistics that training could have left; uses torch's
    generator."""
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.uniform_(part.bias, -0.1, 0.3)
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            nn.init.uniform_(part.running_mean, -0.2, 0.2)
            nn.init.uniform_(part.running_var, 0.3, 1.5)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.uniform_(part.bias, -0.1, 0.3)
    return module


def statistics(module: nn.Module, images: npt.NDArray[np.integer], levels: int = 255) -> Statistics:
    """The activation statistics of `module` over images of whole numbers."""
    return collect(analog_graph(module, images.shape[1:]), images, levels)


def images(shape: Shape, count: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Whole numbers 0 to 255 (count, *shape)."""
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)
