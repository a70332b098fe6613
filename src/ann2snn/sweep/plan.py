"""The plan of a call: its points, which of them are done, the time that the rest took before."""

from ann2snn.config.checks import named
from ann2snn.config.composition import composed
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.outlook import open_steps, remaining
from ann2snn.pipeline.preflight import require_ready


def print_plan(step: str, points: list[list[str]]) -> None:
    """Prints every point, whether it is done, and the time that the rest took before.

    Nothing is computed or loaded. Where only the data themselves could tell, the plan says so.

    Raises:
        SettingError: a point's toggles cannot be; nothing has been printed then.
    """
    chains = [_chain(step, point) for point in points]
    for point, chain in zip(points, chains, strict=True):
        print(f"{' '.join(point) or 'the only point'}: {_state(step, chain)}")
    print(remaining(step, chains))


def _state(step: str, chain: Chain) -> str:
    if step != "data" and not chain.knows_data():
        return "not known"
    steps = open_steps(step, chain)
    return f"open: {', '.join(steps)}" if steps else "done"


def _chain(step: str, point: list[str]) -> Chain:
    with named(" ".join(point)):
        chain = Chain(composed(point))
        require_ready(step, chain, here=False)
    return chain
