"""The kinds of spike that a neuron may send."""

from dataclasses import dataclass

from ann2snn.tables import Table


@dataclass(frozen=True)
class Spike:
    """`levels` are the values that a neuron's signal can have in one step."""

    name: str
    meaning: str
    levels: tuple[int, ...]


SPIKES: Table[Spike] = Table("kind of spike", "ann2snn.mechanisms")

SPIKES.add(
    Spike("binary", "0 or 1 spike a step, where the potential reaches the threshold", (0, 1))
)
