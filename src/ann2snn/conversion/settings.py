"""The toggles of a conversion."""

from dataclasses import dataclass

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.normalizations import NORMALIZATIONS
from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.settings import check, choice, flag, number


@dataclass(frozen=True)
class ConversionSettings:
    """How an analog network becomes a spiking one; the defaults are the paper's best choice."""

    reset: str = choice("subtract", tuple(RESETS), "what a neuron's potential does after a spike")
    input: str = choice(
        "analog", tuple(INPUTS), "pixels as constant currents, or as spikes at random"
    )
    normalization: str = choice(
        "percentile",
        tuple(NORMALIZATIONS),
        "scale of a layer: a percentile of its activations, their maximum, 1, a percentile for each"
        " output channel, or the bound that weights and the range of pixels give",
    )
    percentile: float = number(
        99.9, "of percentile and channel normalization", low=0, high=100, low_excluded=True
    )
    population: str = choice(
        "nonzero", ("nonzero", "all"), "activations that the percentile is taken over"
    )
    pooling: str = choice(
        "rise",
        tuple(POOLINGS),
        "how a spiking max-pool chooses the spikes it passes on; `average` uses average-pooling"
        " instead",
    )
    output: str = choice("softmax", tuple(OUTPUTS), "the read-out that gives the answer")
    clock_rate: float = number(
        0.3, "ticks of the softmax clock in a step", low=0, high=1, low_excluded=True
    )
    softmax_draw: bool = flag(False, "draws the softmax winner instead of taking the largest")
    initial_potential: float = number(
        0.0,
        "of every neuron, in thresholds; the classes of read-out count start at 0",
        low=0,
        high=1,
        high_excluded=True,
    )
    grid: int = number(
        14, "weights are multiples of 2^-grid of the threshold; -1 leaves them", low=-1, high=40
    )

    def __post_init__(self) -> None:
        check(self)
