"""The toggles of a conversion."""

from collections.abc import Sequence
from dataclasses import dataclass

from ann2snn.mechanisms.calibrations import CALIBRATIONS
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

    calibration: str = choice(
        "none",
        tuple(CALIBRATIONS),
        "what calibration images correct, layer by layer, for `for_steps` steps: "
        + "; ".join(f"`{row.name}`: {row.meaning}" for row in CALIBRATIONS.values()),
    )
    for_steps: int = number(
        0,
        "time steps that `normalization=squared_error` and `calibration` are for; 0 where neither"
        " is used",
        low=0, high=100_000,
    )  # fmt: skip
    output_from: int = number(
        1,
        "first time step whose output counts with `output=potential`, at least the last 4 always"
        " do; 0 chooses it from the mean activations",
        low=0, high=100_000,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)
        spikes, normalization = SPIKES[self.spikes], NORMALIZATIONS[self.normalization]
        scaled, corrected = f"normalization={self.normalization}", f"calibration={self.calibration}"
        calibrates = bool(CALIBRATIONS[self.calibration].corrects)
        fit = [row.name for row in POOLINGS.values() if row.currents or not row.passes]
        analog = [row.name for row in INPUTS.values() if row.static]
        counting = [row.name for row in OUTPUTS.values() if row.from_step]
        _require("reset", self.reset, spikes.resets, f"spikes={self.spikes}")
        _require("reset", self.reset, normalization.resets, scaled)
        if spikes.signed:
            _require("pooling", self.pooling, fit, f"spikes={self.spikes}")
        if calibrates:
            _require("pooling", self.pooling, fit, corrected)
            _require("input", self.input, analog, corrected)
        if self.output_from != 1:
            _require("output", self.output, counting, f"output_from={self.output_from}")
        if self.for_steps == 0 and (normalization.needs_steps or calibrates):
            needs = scaled if normalization.needs_steps else corrected
            raise SettingError(f"for_steps must be at least 1 with {needs}, got 0")
        if self.for_steps > 0 and not (normalization.needs_steps or calibrates):
            raise SettingError(
                f"for_steps must be 0 with {scaled} and {corrected}, which are for no number of"
                f" steps, got {self.for_steps}"
            )


def _require(toggle: str, value: str, allowed: Sequence[str], beside: str) -> None:
    """Holds a toggle to the values that go with another; none named are all."""
    if allowed and value not in allowed:
        raise SettingError(f"{toggle} must be {' or '.join(allowed)} with {beside}, got {value!r}")
