"""Normalization that leaves no bias behind, for networks whose biases are held at zero."""

from collections import Counter
from typing import Any

import torch
from torch import Tensor, fx, nn

from ann2snn.numerics.quantized_relu import QuantizedReLU


class MeanSquare(torch.autograd.Function):
    """The mean of x^2 over all axes but the second, in float32: of a signal (N, features, ...) of
    float32 or less to (features,).

    The gradient, 2 x / n of each feature's, has the bits of torch's own for these operations, in
    fewer passes over the signal.
    """

    @staticmethod
    def forward(context: Any, signal: Tensor) -> Tensor:
        context.save_for_backward(signal)
        axes = [axis for axis in range(signal.ndim) if axis != 1]
        return signal.to(torch.float32, copy=True).square_().mean(axes)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (signal,) = context.saved_tensors
        share = gradient / (signal.numel() // gradient.numel()) * 2
        share = share.view(-1, *[1] * (signal.ndim - 2))
        return torch.mul(signal, share, out=torch.empty_like(signal))


class BatchScale(nn.Module):
    """Each feature over its root mean square in the batch, times a learned gain.

    y = gain x / sqrt(mean(x^2) + eps): batch normalization without the subtracted mean and the
    added shift, which would become a bias once folded into the layer before. Outside of training
    the mean square is a running average, and the layer a mere factor.
    """

    mean_square: Tensor

    def __init__(self, features: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(features))
        self.register_buffer("mean_square", torch.ones(features))

    def forward(self, signal: Tensor) -> Tensor:
        if self.training:
            mean_square: Tensor = MeanSquare.apply(signal)
            self.mean_square.lerp_(mean_square.detach(), self.momentum)
        else:
            mean_square = self.mean_square
        factor = self._factor(mean_square).to(signal.dtype)
        return signal * factor.view(-1, *[1] * (signal.ndim - 2))

    def factor(self) -> Tensor:
        """The factor of each feature outside of training."""
        return self._factor(self.mean_square)

    def _factor(self, mean_square: Tensor) -> Tensor:
        return self.weight * torch.rsqrt(mean_square + self.eps)


class Factor(nn.Module):
    """A constant times the signal."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, signal: Tensor) -> Tensor:
        return signal * self.factor


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        own = isinstance(m, BatchScale | QuantizedReLU)
        return own or super().is_leaf_module(m, module_qualified_name)


def fold_scales(network: nn.Module) -> nn.Module:
    """`network` without its `BatchScale` layers, their factors multiplied into the layers before.

    A network without any comes back as it is.

    Raises:
        ValueError: a scale does not follow a convolution or linear layer without bias, or that
            layer's output is used elsewhere too.
    """
    modules = dict(network.named_modules())
    if not any(isinstance(module, BatchScale) for module in modules.values()):
        return network
    nodes = [node for node in _Tracer().trace(network).nodes if node.op == "call_module"]
    calls = Counter(node.target for node in nodes)
    for node in nodes:
        scale, before = modules[node.target], node.args[0]
        if not isinstance(scale, BatchScale):
            continue
        layer = modules.get(before.target) if before in nodes else None
        alone = calls[node.target] == 1 and calls[before.target] == len(before.users) == 1
        if not isinstance(layer, nn.Conv2d | nn.Linear) or layer.bias is not None or not alone:
            raise ValueError(
                f"{node.target} must follow a convolution or linear layer without bias whose output"
                f" goes nowhere else, it follows {before}"
            )
        with torch.no_grad():
            layer.weight.mul_(scale.factor().view(-1, *[1] * (layer.weight.ndim - 1)))
        parent, _, own = str(node.target).rpartition(".")
        if type(network) is nn.Sequential and not parent:
            delattr(network, own)
        else:
            setattr(modules[parent], own, nn.Identity())
    return network
