"""sinabs: `IAF` layers, one spike a step at most."""

from typing import TYPE_CHECKING, Any

from ann2snn.exchange.exports import package
from ann2snn.spec import Neuron, SpikingSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ann2snn.exchange.twin import Twin

RESETS = {"subtract": "MembraneSubtract", "zero": "MembraneReset"}


def to_sinabs(spec: SpikingSpec) -> "Twin":
    """The network as a torch module whose neurons are `sinabs.layers.IAF`, with the same spikes.

    Raises:
        ExportError: names a node that sinabs cannot have.
        ImportError: it is not installed.
    """
    from ann2snn.exchange.twin import Library, Twin

    layers = package("sinabs", "sinabs.layers")
    activation = package("sinabs", "sinabs.activation")

    def neurons(node: Neuron) -> Any:
        return layers.IAF(
            spike_threshold=1.0, spike_fn=activation.SingleSpike, min_v_mem=None,
            reset_fn=getattr(activation, RESETS[node.reset])(),
        )  # fmt: skip

    return Twin(spec, Library("sinabs", neurons, _begin, _step, tuple(RESETS)))


def _begin(layer: Any, potential: "Tensor") -> None:
    layer.init_state_with_shape(tuple(potential.shape))
    layer.v_mem = potential


def _step(layer: Any, current: "Tensor") -> "Tensor":
    """Its layers take (images, steps, ...) and give float32."""
    spikes: Tensor = layer(current.unsqueeze(1)).squeeze(1).to(current.dtype)
    return spikes
