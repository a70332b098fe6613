"""Random analog networks: any layer of the zoo after any other, with branches that meet again."""

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import nn

from tests.zoo import CLASSES, Shape, randomised

Tensor = torch.Tensor
KINDS = (
    "conv", "conv", "strided", "depthwise", "norm", "relu", "relu", "relu6", "max", "overlapping",
    "average", "residual", "join", "dropout", "scaled",
)  # fmt: skip


class RandomNetwork(nn.Module):
    """Layers drawn one after another; each kind is a line of `forward`."""

    def __init__(self, kinds: list[str], channels: int, size: int) -> None:
        super().__init__()
        self.kinds = kinds
        self.layers = nn.ModuleList()
        self.norms = nn.ModuleList()
        for kind in kinds:
            groups = channels if kind == "depthwise" else 1
            stride = 2 if kind == "strided" and size > 4 else 1
            size = -(-size // stride)
            outputs = channels + 1 if kind == "conv" else channels
            self.layers.append(nn.Conv2d(channels, outputs, 3, stride, 1, groups=groups))
            self.norms.append(nn.BatchNorm2d(channels))
            channels = 2 * channels if kind == "join" else outputs
        self.classes = nn.Linear(channels, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        for kind, layer, norm in zip(self.kinds, self.layers, self.norms, strict=True):
            match kind:
                case "conv" | "strided" | "depthwise":
                    x = layer(x)
                case "norm":
                    x = norm(x)
                case "relu":
                    x = F.relu(x)
                case "relu6":
                    x = F.hardtanh(x, 0.0, 1.5)
                case "max":
                    x = F.max_pool2d(x, 2, 1)
                case "overlapping":
                    x = F.max_pool2d(x, 3, 2, 1)
                case "average":
                    x = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
                case "residual":
                    x = x + F.relu(norm(layer(x)))
                case "join":
                    x = torch.cat([F.relu(layer(x)), x], 1)
                case "scaled":
                    x = 0.5 * x - 0.1
                case _:
                    x = F.dropout(x, training=self.training)
        result: Tensor = self.classes(F.relu(x).mean((2, 3)))
        return result


def random_network(
    kinds: list[str], channels: int, size: int, seed: int
) -> tuple[nn.Module, Shape]:
    """The network of these layers in float64, eval mode, and the shape of one image."""
    # joins double the channels and halvings shrink the image: a few are enough
    kept = [k for i, k in enumerate(kinds) if k != "join" or kinds[:i].count("join") < 2]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = randomised(RandomNetwork(kept, channels, size))
    return module.double().eval(), (channels, size, size)


@st.composite
def networks(draw: st.DrawFn) -> tuple[nn.Module, Shape]:
    """Any network of 1 to 8 layers on images of 1 to 3 channels and 9 to 12 pixels a side."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=8))
    channels, size = draw(st.integers(1, 3)), draw(st.integers(9, 12))
    return random_network(kinds, channels, size, draw(st.integers(0, 2**16)))
