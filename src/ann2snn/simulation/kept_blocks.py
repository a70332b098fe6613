"""Finished blocks of a run on disk, from which a run that was cut off goes on."""

import hashlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from ann2snn.numerics.atomic_files import sealed_content, write_sealed
from ann2snn.simulation.checks import Request
from ann2snn.simulation.joined_blocks import Arrays, Indices
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.spec import SpikingSpec
from ann2snn.spec.graph import arrays_of

PARTS = 2  # the version of what a part holds
WITHOUT_TRACE = ("threads", "memory", "progress")  # settings that leave no trace in a block


def run_identity(
    spec: SpikingSpec,
    settings: SimulationSettings,
    chosen: Indices,
    images: np.ndarray,
    request: Request,
) -> str:
    """Names a run by all that its blocks depend on, so that no other run's are believed."""
    shaping = {name: value for name, value in asdict(settings).items() if name not in WITHOUT_TRACE}
    digest = hashlib.sha256(
        repr((PARTS, spec.grid, spec.levels, sorted(shaping.items()), request)).encode()
    )
    for node in spec:
        plain = {k: v for k, v in vars(node).items() if not isinstance(v, np.ndarray)}
        digest.update(repr((node.kind, sorted(plain.items(), key=str))).encode())
        for array in arrays_of(node).values():
            digest.update(np.ascontiguousarray(array).data)
    digest.update(chosen.tobytes())
    digest.update(np.ascontiguousarray(images[chosen]).data)
    return digest.hexdigest()[:32]


def kept(path: Path) -> Arrays | None:
    """The part that a finished block left; None if none is there, or no whole one."""
    content = sealed_content(path)
    return None if content is None else load(content)


def keep(part: Arrays, path: Path) -> None:
    """Writes a block's part, sealed: a file that reads well shall also be right."""
    write_sealed(path, save(part))
