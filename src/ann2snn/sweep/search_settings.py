"""What a search may be told: conf/hydra/sweeper/optuna.yaml has the defaults.

Nothing here imports Optuna.
"""

from dataclasses import dataclass, fields
from typing import Literal

from omegaconf import DictConfig

from ann2snn.config.checks import prefixed
from ann2snn.settings import SettingError, check, choice, nearest, number

Direction = Literal["maximize", "minimize"]

OBJECTIVES: dict[str, Direction] = {
    "snn_accuracy": "maximize",
    "agreement": "maximize",
    "steps_to_99": "minimize",
    "spikes_per_neuron": "minimize",
    "synops_per_image": "minimize",
    "mean_steps": "minimize",
}
"""The numbers of a simulation that a search may go by."""

SAMPLERS = {
    "tpe": "TPESampler",
    "gp": "GPSampler",
    "nsgaii": "NSGAIISampler",
    "random": "RandomSampler",
}
"""Optuna's classes, by the names that Hydra's plugin gives them."""

HYDRAS = ("_target_", "params")


@dataclass(frozen=True)
class SearchSettings:
    """How a search chooses its trials.

    Raises:
        SettingError: a value is off its rule, or both metrics are the same.
    """

    n_trials: int = number(20, "trials, with those that are there already", low=1, high=100_000)
    n_jobs: int = number(1, "trials that are chosen, and launched, at a time", low=1, high=10_000)
    sampler: str = choice("tpe", tuple(SAMPLERS), "how Optuna chooses trials")
    seed: int = number(0, "of the sampler", low=0, high=2**32 - 1)
    metric: str = choice("snn_accuracy", tuple(OBJECTIVES), "what is to be best")
    against: str = choice("none", ("none", *OBJECTIVES), "a second metric, for the best of both")

    def __post_init__(self) -> None:
        check(self)
        if self.metric == self.against:
            raise SettingError(f"against must be another metric than metric, got {self.against}")

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.metric,) if self.against == "none" else (self.metric, self.against)

    @property
    def directions(self) -> list[Direction]:
        return [OBJECTIVES[metric] for metric in self.metrics]


def search_settings(config: DictConfig) -> SearchSettings:
    """What `hydra.sweeper` says of the search.

    Raises:
        SettingError: names key, value and what is allowed.
    """
    given = {name: value for name, value in config.hydra.sweeper.items() if name not in HYDRAS}
    known = [toggle.name for toggle in fields(SearchSettings)]
    for name in given:
        if name not in known:
            raise SettingError(f"there is no hydra.sweeper.{name}{nearest(name, known)}")
    with prefixed("hydra.sweeper."):
        return SearchSettings(**given)
