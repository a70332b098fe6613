"""The activation that the most spikes of a step stand for: the scale of a layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.tables import Table


@dataclass(frozen=True)
class Normalization:
    """One way to choose the scale of a layer.

    `scale(layer, settings, bound)` is the scale, or 0 for a layer without activations above 0.
    `layer` are its `LayerStatistics`, `settings` the `ConversionSettings`, and `bound` is the upper
    bound of its activations if `needs_bound`, else None. `channel_scales(layer, settings)` gives
    one scale per channel, for layers whose channels may differ. `uses` names the toggles that
    matter. `needs_steps` says that it is for a number of steps, `resets` which resets it goes with;
    none named are all.
    """

    name: str
    meaning: str
    scale: Callable[[Any, Any, Any], float]
    uses: tuple[str, ...] = ()
    needs_bound: bool = False
    channel_scales: Callable[[Any, Any], Any] | None = None
    needs_steps: bool = False
    resets: tuple[str, ...] = ()


NORMALIZATIONS: Table[Normalization] = Table("normalization", "ann2snn.mechanisms")


def _percentile(layer: Any, settings: Any, _: None) -> float:
    return float(layer.scale(settings.percentile, settings.population))


def _channel_percentiles(layer: Any, settings: Any) -> Any:
    return layer.channel_scales(settings.percentile, settings.population)


NORMALIZATIONS.add(
    Normalization("percentile", "a percentile of the layer's activations", _percentile,
                  uses=("percentile", "population"))
)  # fmt: skip
NORMALIZATIONS.add(
    Normalization("max", "the layer's largest activation", lambda layer, *_: layer.maximum)
)
NORMALIZATIONS.add(Normalization("none", "1, so that weights stay as they are", lambda *_: 1.0))
NORMALIZATIONS.add(
    Normalization("channel", "a percentile per output channel", _percentile,
                  uses=("percentile", "population"), channel_scales=_channel_percentiles)
)  # fmt: skip
NORMALIZATIONS.add(
    Normalization("model", "an upper bound computed from weights and pixel range, without data",
                  lambda _layer, _settings, bound: bound, needs_bound=True)
)  # fmt: skip


def _least_error(layer: Any, settings: Any, _: None) -> float:
    return float(layer.least_error_scale(_most_spikes(settings), settings.initial_potential))


def _least_errors(layer: Any, settings: Any) -> Any:
    return layer.least_error_scales(_most_spikes(settings), settings.initial_potential)


def _most_spikes(settings: Any) -> int:
    """Of a neuron in all the steps."""
    return int(settings.for_steps * SPIKES[settings.spikes].most)


NORMALIZATIONS.add(
    Normalization("squared_error", "per channel, the scale with the least squared error of the"
                  " rates after `for_steps` steps", _least_error,
                  uses=("for_steps", "initial_potential", "spikes"), channel_scales=_least_errors,
                  needs_steps=True, resets=("subtract",))
)  # fmt: skip
NORMALIZATIONS.add(
    Normalization("balanced", "per channel, a scale that rises by the mean of what lies above it"
                  " until that is little", lambda layer, *_: layer.balanced_scale(),
                  channel_scales=lambda layer, _: layer.balanced_scales())
)  # fmt: skip
