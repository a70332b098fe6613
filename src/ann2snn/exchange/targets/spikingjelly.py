"""SpikingJelly: `IFNode`s, with soft or hard reset."""

from typing import TYPE_CHECKING, Any

from ann2snn.exchange.exports import package
from ann2snn.spec import Neuron, SpikingSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ann2snn.exchange.twin import Twin

RESETS: dict[str, float | None] = {"subtract": None, "zero": 0.0}  # what v_reset means there


def to_spikingjelly(spec: SpikingSpec) -> "Twin":
    """The network as a torch module whose neurons are `neuron.IFNode`s, with the same spikes.

    Raises:
        ExportError: names a node that SpikingJelly cannot have.
        ImportError: it is not installed.
    """
    from ann2snn.exchange.twin import Library, Twin

    neuron = package("spikingjelly", "spikingjelly.activation_based.neuron")

    def neurons(node: Neuron) -> Any:
        return neuron.IFNode(v_threshold=1.0, v_reset=RESETS[node.reset])

    return Twin(spec, Library("SpikingJelly", neurons, _begin, _step, tuple(RESETS)))


def _begin(layer: Any, potential: "Tensor") -> None:
    layer.reset()
    layer.v = potential


def _step(layer: Any, current: "Tensor") -> "Tensor":
    spikes: Tensor = layer(current)
    return spikes
