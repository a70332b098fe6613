"""What the trials of a search are measured on: one data set's validation images, the same for all,
which no network of theirs has seen where the search goes over networks."""

from collections.abc import Sequence

from ann2snn.config.schema import Settings
from ann2snn.settings import SettingError

MEASURING = ("part", "images", "seed", "compare")
"""What says which images a simulation takes, and how: one value for all trials."""


def require_choice(trials: Sequence[Settings], metrics: Sequence[str]) -> None:
    """Holds the settings of trials to images that may choose.

    Raises:
        SettingError: they are measured on test images, on different ones, or on those that their
            networks were trained with; or one of the metrics is none of theirs.
    """
    for own in trials:
        if own.simulation.part != "validation":
            raise SettingError(
                "a search chooses, and test images choose nothing: add simulation.part=validation"
            )
        if "mean_steps" in metrics and not own.simulation.exit_margin:
            raise SettingError(
                "the metric mean_steps needs images that leave early: add simulation.exit_margin"
            )
    if len({own.data for own in trials}) > 1:
        raise SettingError("the trials of a search must be of one data set: data varies")
    for name in MEASURING:
        found = {getattr(own.simulation, name) for own in trials}
        if len(found) > 1:
            raise SettingError(
                f"the trials of a search must be measured on the same images, in one way:"
                f" simulation.{name} varies"
            )
    unseen = all(own.ann.weights or not own.ann.final for own in trials)
    if len({own.ann for own in trials}) > 1 and not unseen:
        raise SettingError(
            "a search over networks needs such as have not seen the validation images: add"
            " ann.final=false"
        )
