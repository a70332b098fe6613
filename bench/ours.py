"""Our engines, and the analog network's forward pass that the ratio R is measured against."""

import numpy as np
import torch

from ann2snn.simulation import dense, event
from bench.mode import Images, Scores, Simulation, pixels
from bench.network import Measured

BLOCK = 250


def event_engine(network: Measured, batch: int) -> Simulation:
    """The compiled kernels in float32, the gate `rise`; `batch` images are handed over at once."""

    def simulate(images: Images, steps: int) -> Scores:
        found = [
            event.simulate_block(
                network.spec, images[i : i + batch], np.arange(i, min(i + batch, len(images))),
                steps=steps, seed=0, threads=torch.get_num_threads(),
            ).outputs.sum(1)
            for i in range(0, len(images), batch)
        ]  # fmt: skip
        return np.concatenate(found)

    return simulate


def dense_engine(network: Measured, batch: int) -> Simulation:
    """The readable reference in float32."""

    def simulate(images: Images, steps: int) -> Scores:
        found = [
            dense.simulate_block(
                network.spec, images[i : i + batch], np.arange(i, min(i + batch, len(images))),
                steps=steps, seed=0, precision="float32",
            ).outputs.sum(1)
            for i in range(0, len(images), batch)
        ]  # fmt: skip
        return np.concatenate(found)

    return simulate


def forward(network: Measured, batch: int) -> Simulation:
    """The analog network, channels last; `steps` forward passes."""
    module = network.module.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def simulate(images: Images, steps: int) -> Scores:
        found = []
        for i in range(0, len(images), batch):
            inputs = pixels(images[i : i + batch])
            for _ in range(steps):
                outputs = module(inputs)
            found.append(outputs.double())
        return torch.cat(found).numpy()

    return simulate
