"""The plan of a call: its points, which of them are done, the time that the rest took before."""

from ann2snn.config.checks import named
from ann2snn.config.composition import composed
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.outlook import open_steps, told_of_all
from ann2snn.pipeline.preflight import require_ready


def print_plan(step: str, points: list[list[str]]) -> None:
    """Prints every point, whether it is done, and the time that the rest took before.

    Nothing is computed or loaded. Where only the data themselves could tell, the plan says so.

    Raises:
        SettingError: a point's toggles cannot be; nothing has been printed then.
    """
    chains = [_chain(step, point) for point in points]
    steps = [open_steps(step, chain) for chain in chains]
    for point, found in zip(points, steps, strict=True):
        print(f"{' '.join(point) or 'the only point'}: {_state(found)}")
    print(told_of_all(chains, steps))


def _state(steps: list[str] | None) -> str:
    if steps is None:
        return "not known"
    return f"open: {', '.join(steps)}" if steps else "done"


def _chain(step: str, point: list[str]) -> Chain:
    with named(" ".join(point)):
        chain = Chain(composed(point))
        require_ready(step, chain, here=False)
    return chain
