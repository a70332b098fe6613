"""Networks of the zoo as torch exports them to ONNX, and what two specs do not share."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ann2snn.spec import SpikingSpec
from tests import zoo


def exported(name: str, folder: Path, **options: Any) -> tuple[torch.nn.Module, Path]:
    """A network of the zoo and the file that torch's exporter writes of it."""
    pytest.importorskip("onnxscript", reason="onnxscript is not installed, which torch exports by")
    module, shape = zoo.build(name, dtype=torch.float32)
    path = folder / f"{name}.onnx"
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of the exporter about itself
        torch.onnx.export(
            module, (torch.rand(2, *shape),), path, dynamo=True, verbose=False, **options
        )
    return module, path


def differing(
    one: SpikingSpec, other: SpikingSpec, *, names: bool, roundings: float = 0.0
) -> list[str]:
    """What two specs do not share, node by node; scales are shared within so many `roundings` of
    float32, which on some processors the forward passes of two modules do not share."""
    assert [node.kind for node in one] == [node.kind for node in other]
    left_out = () if names else ("name", "inputs")
    return [
        f"{node.name}.{field}"
        for node, theirs in zip(one, other, strict=True)
        for field, value in vars(node).items()
        if field not in left_out
        and not np.array_equal(value, getattr(theirs, field))
        and not (
            field == "scale" and np.allclose(value, theirs.scale, rtol=roundings * 2.0**-24, atol=0)
        )
    ]
