"""Scales that are searched for over the activations of one channel or layer, from their counts."""

import numpy as np

from ann2snn.conversion.histogram import Histogram

SHARES = np.arange(100, 5, -1) / 100  # of the maximum
ROUNDS = 300  # thrice as many change the scales of the project's networks by little
RATE = 2.0


def least_error_scale(counted: Histogram, largest: float, steps: int, start: float) -> float:
    """The scale theta among 1.00, 0.99 ... 0.06 of `largest` with the least squared error

    mean (a - theta / T floor(clip(a T / theta + V(0), 0, T)))^2

    over all activations a, that of the rates which at most `steps` = T spikes from the potential
    `start` = V(0) can express (SNN_Calibration, Li et al. 2021, there with V(0) = 0); 0 where all
    are 0.
    """
    values, weights = counted.middles(), counted.counts.astype(np.float64)
    best, least = 0.0, np.inf
    for scale in SHARES * largest if largest > 0 else ():
        spikes = np.floor(np.clip(values * (steps / scale) + start, 0, steps))
        error = float((weights * (values - spikes * (scale / steps)) ** 2).sum())
        if error < least:
            best, least = float(scale), error
    return best


def balanced_scale(counted: Histogram) -> float:
    """Local threshold balancing: theta, from 0, rises in every round by 2 mean(relu(a - theta)).

    The source (Inference-scale-ANN-SNN, `layers.py`) takes a batch of images for each round, and
    lets deeper layers see activations that the scales before them clip; here every round takes all
    activations, so that the result depends on no order, and none is clipped before.
    """
    values, weights = counted.middles(), counted.counts / counted.total
    scale = 0.0
    for _ in range(ROUNDS):
        scale += RATE * float((weights * np.maximum(values - scale, 0)).sum())
    return scale
