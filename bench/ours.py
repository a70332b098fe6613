"""Our engines, and the analog network's forward pass that the ratio R is measured against."""

import numpy as np
import torch

from ann2snn.simulation.dense import steps as dense
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.simulation.simulate import certain_block
from bench.mode import Images, Scores, Simulation, pixels
from bench.network import Measured


def event_engine(network: Measured, batch: int) -> Simulation:
    """The compiled kernels, the pooling `rise`; `batch` images are handed over at once. In 32
    bits, and again in float64 for each image that could have lost one: what comes out is exact."""

    def simulate(images: Images, steps: int) -> Scores:
        settings = SimulationSettings(
            steps=steps, engine="event", threads=torch.get_num_threads(), block=batch
        )
        places = np.arange(len(images))
        found = [
            certain_block(network.spec, images, places[i : i + batch], settings)
            for i in range(0, len(images), batch)
        ]
        return np.concatenate([block.outputs.sum(1) for block, _ in found])

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
