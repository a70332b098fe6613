"""What would stop a run in its course and can be told before it: asked of all points at first."""

from collections.abc import Sequence
from functools import partial

from ann2snn.config.checks import named, prefixed
from ann2snn.pipeline.chain import PARENTS, Chain
from ann2snn.records import Json
from ann2snn.simulation.settings import check_device


def require_ready(step: str, chain: Chain, here: bool = True) -> None:
    """Passes if files, data and, where the run is to be `here`, the machine are as the toggles say;
    torch is imported only where a GPU or bfloat16 is asked for.

    Raises:
        SettingError: names the toggle and what is missing.
    """
    settings = chain.settings
    for name in (*PARENTS[step], step):
        chain.toggles(name)  # reads what the user gives: weights, a module
    if step != "data" and chain.knows_data():
        chain.key(step)  # knows how many images there are
    if not here or _done(step, chain):
        return
    if step == "simulation":
        with prefixed("simulation."):
            check_device(settings.simulation)
    if settings.ann.precision == "bfloat16" and trains(step, chain):
        from ann2snn.ann.recipe import check_processor

        with prefixed("ann."):
            check_processor(settings.ann)


def require_all_ready(step: str, points: Sequence[tuple[str, Chain]], *, here: bool = True) -> None:
    """Passes if every point, with its label, is ready. Where they are to run `here`, data that
    nobody knows yet are loaded: what only they can tell is told before any point runs.

    Raises:
        SettingError: names the point, the toggle and what is missing.
        OSError, ValueError: data cannot be loaded, or their splits do not fit.
    """
    for label, chain in points:
        with named(label):
            require_ready(step, chain, here)
    if not here or step == "data":
        return
    unknown = [(label, chain) for label, chain in points if not chain.knows_data()]
    for label, chain in unknown:
        alike = [pair for pair in unknown if pair[1].settings.data == chain.settings.data]
        chain.learn_data(partial(_require_images, step, alike))
        with named(label):
            chain.key(step)


def _require_images(step: str, points: Sequence[tuple[str, Chain]], manifest: Json) -> None:
    for label, chain in points:
        if step == "simulation":
            with named(label):
                chain.require_images(manifest)


def trains(step: str, chain: Chain) -> bool:
    """Whether `step` is to train a network on its way, as far as can be told without the data."""
    return (
        "ann" in (*PARENTS[step], step)
        and not chain.settings.ann.weights
        and not _done(step, chain)
        and not (chain.knows_data() and chain.at_hand("ann"))
    )


def _done(step: str, chain: Chain) -> bool:
    return chain.knows_data() and chain.done(step)
