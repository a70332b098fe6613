"""Analog convolutional networks into spiking ones: convert, simulate, save, load, hand on.

The names below load what they need when they are first used.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ann2snn.ann.weights import load_weights
    from ann2snn.exchange.given_network import convert, explain
    from ann2snn.exchange.nir_graph import from_nir, to_nir
    from ann2snn.exchange.targets.sinabs import to_sinabs
    from ann2snn.exchange.targets.snntorch import to_snntorch
    from ann2snn.exchange.targets.spikingjelly import to_spikingjelly
    from ann2snn.simulation.simulate import simulate
    from ann2snn.spec import SpikingSpec, load_spec, save_spec

if sys.argv[:1] == ["-m"]:  # `python -m ann2snn...` begins: a program, before its long imports
    from ann2snn.stopping import watch

    watch()

__all__ = [
    "SpikingSpec", "convert", "explain", "from_nir", "load_spec", "load_weights", "save_spec",
    "simulate", "to_nir", "to_sinabs", "to_snntorch", "to_spikingjelly",
]  # fmt: skip

_HOMES = {
    "convert": "ann2snn.exchange.given_network",
    "explain": "ann2snn.exchange.given_network",
    "simulate": "ann2snn.simulation.simulate",
    "SpikingSpec": "ann2snn.spec",
    "from_nir": "ann2snn.exchange.nir_graph",
    "load_spec": "ann2snn.spec",
    "load_weights": "ann2snn.ann.weights",
    "save_spec": "ann2snn.spec",
    "to_nir": "ann2snn.exchange.nir_graph",
    "to_sinabs": "ann2snn.exchange.targets.sinabs",
    "to_snntorch": "ann2snn.exchange.targets.snntorch",
    "to_spikingjelly": "ann2snn.exchange.targets.spikingjelly",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module ann2snn has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
