"""Optimizer, schedule and averaging of a recipe."""

import math

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ann2snn.ann.settings import AnnSettings
from ann2snn.settings import SettingError

SECOND_BETA = 0.999


def optimizer_of(settings: AnnSettings, network: nn.Module) -> Optimizer:
    """The recipe's optimizer; weights decay, biases and the factors of normalization only
    where it says so. What the network holds fixed is left out."""
    bias_decay = settings.weight_decay / settings.bias_factor if settings.decay_biases else 0.0
    parameters = [each for each in network.parameters() if each.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {
            "params": [p for p in parameters if p.ndim <= 1],
            "weight_decay": bias_decay,
            "lr": settings.learning_rate * settings.bias_factor,
        },
    ]
    if settings.optimizer == "sgd":
        momentum = settings.momentum
        return SGD(groups, lr=settings.learning_rate, momentum=momentum, nesterov=momentum > 0)
    return AdamW(groups, lr=settings.learning_rate, betas=(settings.momentum, SECOND_BETA))


def schedule_of(settings: AnnSettings, optimizer: Optimizer, steps: int) -> LambdaLR:
    """One cycle: linearly up to the peak, then half a cosine or a line to zero (Smith & Topin
    2017)."""
    rise = settings.warmup * steps

    def share(step: int) -> float:
        if step < rise:
            return (step + 1) / (rise + 1)
        fallen = (step - rise) / max(1.0, steps - rise)
        return 1 - fallen if settings.decay == "linear" else 0.5 * (1 + math.cos(math.pi * fallen))

    return LambdaLR(optimizer, share)


def averaged(
    settings: AnnSettings, network: nn.Module, steps_per_epoch: int
) -> AveragedModel | None:
    """An exponential moving average of weights and normalization statistics that reaches back
    `settings.averaging` epochs; None if that is 0."""
    if settings.averaging == 0:
        return None
    decay = math.exp(-1 / (settings.averaging * steps_per_epoch))
    average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=average, use_buffers=True)


def check_processor(settings: AnnSettings) -> None:
    """Holds a recipe that trains to what this processor can do; it needs no data.

    Raises:
        SettingError: bfloat16 on a processor without it.
    """
    if settings.precision == "bfloat16" and not settings.weights and not autocast_supported():
        raise SettingError(
            "precision must be float32 on this processor, which has no bfloat16, got 'bfloat16':"
            " give ann.precision=float32"
        )


def autocast_supported() -> bool:
    """Whether this CPU computes in bfloat16."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
