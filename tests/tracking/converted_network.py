"""A converted network as a project's store has it, its spec and a real image beside the record."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

import ann2snn
from ann2snn.examples import LEVELS, digits
from ann2snn.spec import SpikingSpec
from tests.tracking.project_with_results import conversion_record, data_record

RECORD = conversion_record("analog", "subtract", "percentile", 99.9)


def small_spec() -> SpikingSpec:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    return ann2snn.convert(network.eval(), real_images(64), levels=LEVELS)


def real_images(count: int) -> np.ndarray:
    """Test images of digits as whole numbers."""
    images = digits()[2][:count]
    whole: np.ndarray = (images * LEVELS).numpy().astype(np.uint8)
    return whole


def store_network(project: Path) -> SpikingSpec:
    """Puts the network and its data into the store of a project."""
    spec = small_spec()
    home = project / "store" / "conversion" / RECORD.key
    RECORD.write(home / "record.json")
    ann2snn.save_spec(spec, home / "spec.safetensors")
    data = project / "store" / "data" / "place"
    data_record().write(data / "record.json")
    np.save(data / "test_images.npy", real_images(3), allow_pickle=False)
    return spec
