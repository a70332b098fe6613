"""One step of integrate-and-fire neurons, as pure functions of explicit state."""

from collections.abc import Callable

import torch

Tensor = torch.Tensor
Reset = Callable[[Tensor, Tensor], Tensor]


def subtract(potential: Tensor, fired: Tensor) -> Tensor:
    """V - theta where it fired: the remainder is kept (eq. 'reset by subtraction')."""
    return potential - fired


def to_zero(potential: Tensor, fired: Tensor) -> Tensor:
    """0 where it fired: the remainder is lost (eq. 'reset to zero')."""
    return potential * (1 - fired)


RESETS: dict[str, Reset] = {"subtract": subtract, "zero": to_zero}


def step(potential: Tensor, current: Tensor, reset: Reset) -> tuple[Tensor, Tensor, Tensor]:
    """Spikes (0 or 1), the new potential, and the potential before the reset.

    A neuron fires where V + current >= 1 (Rueckauer et al. 2016, section 2; threshold 1).
    """
    charged = potential + current
    fired = (charged >= 1).to(charged.dtype)
    return fired, reset(charged, fired), charged
