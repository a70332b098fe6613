"""What a training starts from: fresh weights, those of a file, and what training images say."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ann2snn.ann.network import NETWORKS
from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.weights import load_weights
from ann2snn.numerics.quantized_relu import QuantizedReLU

CEILING_PERCENT = 99.0
CEILING_IMAGES = 200


def prepare(settings: AnnSettings, network: nn.Module, images: Tensor) -> None:
    """Sets, in place, the first weights of a training on some of its images (N, C, H, W) in [0, 1].

    Raises:
        ValueError: the file `start` does not fit the network.
    """
    row = NETWORKS.get(settings.network)
    if row is not None and row.prepare is not None:
        row.prepare(network, images)
    if settings.start:
        load_weights(network, Path(settings.start), but="ceiling")
    set_ceilings(network, images[:: max(1, len(images) // CEILING_IMAGES)])


@torch.no_grad()
def set_ceilings(network: nn.Module, images: Tensor) -> None:
    """Gives every quantized activation the CEILING_PERCENT-th percentile of what it rectifies, in
    train mode, as ceiling; each sees what those before it have quantized. The statistics of
    normalization stay as they are."""
    state = copy.deepcopy(network.state_dict())
    activations = {
        name: part for name, part in network.named_modules() if isinstance(part, QuantizedReLU)
    }
    if not activations:
        return

    def measure(activation: Any, arguments: tuple[Tensor, ...]) -> None:
        values = arguments[0].relu().flatten()
        place = max(1, round(len(values) * CEILING_PERCENT / 100))
        activation.ceiling.copy_(values.kthvalue(place).values.clamp(min=1e-3))

    hooks = [part.register_forward_pre_hook(measure) for part in activations.values()]
    network(images)
    for hook in hooks:
        hook.remove()
    found = {f"{name}.ceiling": part.ceiling.clone() for name, part in activations.items()}
    network.load_state_dict(state | found)
