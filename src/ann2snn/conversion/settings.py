"""The toggles of a conversion."""

from dataclasses import dataclass

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.normalizations import NORMALIZATIONS
from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.settings import SettingError, check, choice, flag, number


@dataclass(frozen=True)
class ConversionSettings:
    """How an analog network becomes a spiking one; the defaults are the paper's best choice."""

    reset: str = choice(
        "subtract", tuple(RESETS), "how a neuron's membrane potential changes after a spike"
    )
    spikes: str = choice(
        "binary",
        tuple(SPIKES),
        "spikes that a neuron may send per step: "
        + "; ".join(f"`{row.name}`: {row.meaning}" for row in SPIKES.values()),
    )
    input: str = choice("analog", tuple(INPUTS), "pixels as constant currents, or as random spikes")
    normalization: str = choice(
        "percentile",
        tuple(NORMALIZATIONS),
        "scale per layer: "
        + "; ".join(f"`{row.name}`: {row.meaning}" for row in NORMALIZATIONS.values()),
    )
    percentile: float = number(
        99.9,
        "percentile that `normalization=percentile` and `channel` take",
        low=0, high=100, low_excluded=True,
    )  # fmt: skip
    population: str = choice(
        "nonzero", ("nonzero", "all"), "activations over which the percentile is taken"
    )
    pooling: str = choice(
        "rise",
        tuple(POOLINGS),
        "how a spiking max-pool chooses the spikes it passes on; `average` uses average-pooling"
        " instead",
    )
    output: str = choice("softmax", tuple(OUTPUTS), "how the answer is read from the classes")
    clock_rate: float = number(
        0.3, "how often per step the softmax output may spike", low=0, high=1, low_excluded=True
    )
    softmax_draw: bool = flag(
        False, "draws the class of a softmax spike at random instead of taking the largest"
    )
    initial_potential: float = number(
        0.0,
        "initial membrane potential, as a fraction of the threshold; output neurons start at 0 with"
        " `output=count`",
        low=0, high=1, high_excluded=True,
    )  # fmt: skip
    grid: int = number(
        14,
        "round weights to multiples of threshold x 2^-grid, so that sums are exact; -1 does not"
        " round",
        low=-1, high=40,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)
        spikes, pooling = SPIKES[self.spikes], POOLINGS[self.pooling]
        if spikes.resets and self.reset not in spikes.resets:
            raise SettingError(
                f"reset must be {' or '.join(spikes.resets)} with spikes={self.spikes}, got"
                f" {self.reset!r}"
            )
        if spikes.signed and pooling.passes and not pooling.currents:
            fit = [row.name for row in POOLINGS.values() if row.currents or not row.passes]
            raise SettingError(
                f"pooling must be {' or '.join(fit)} with spikes={self.spikes}, got"
                f" {self.pooling!r}"
            )
