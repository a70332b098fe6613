"""snnTorch: `Leaky` neurons without leak (beta 1)."""

from typing import TYPE_CHECKING, Any

from ann2snn.exchange.exports import package, refuse
from ann2snn.spec import Neuron, SpikingSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ann2snn.exchange.twin import Twin

RESETS = ("subtract", "zero")  # are called so there too


def to_snntorch(spec: SpikingSpec) -> "Twin":
    """The network as a torch module whose neurons are `snntorch.Leaky`, with the same spikes.

    It fires above its threshold, and ours at it, so the layers get a step function of their own in
    the place of a surrogate gradient.

    Raises:
        ExportError: names a node that snnTorch cannot have.
        ImportError: it is not installed.
    """
    import numpy as np

    from ann2snn.exchange.twin import Library, Twin

    snntorch = package("snntorch", "snntorch")

    def neurons(node: Neuron) -> Any:
        if np.max(node.initial_potential) >= 1:
            raise refuse(node, "snnTorch resets at once what begins at its threshold or above")
        return snntorch.Leaky(
            beta=1.0, threshold=1.0, reset_mechanism=node.reset, spike_grad=_at_or_above
        )

    return Twin(spec, Library("snnTorch", neurons, _begin, _step, RESETS))


def _at_or_above(distance: "Tensor") -> "Tensor":
    """1 where the potential is at its threshold or above."""
    return (distance >= 0).to(distance.dtype)


def _begin(layer: Any, potential: "Tensor") -> None:
    layer.mem = potential


def _step(layer: Any, current: "Tensor") -> "Tensor":
    spikes: Tensor = layer(current)[0]
    return spikes
