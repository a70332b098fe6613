"""The plan of a call: its points, which of them are done, the time that the rest took before."""

from collections.abc import Iterator

from ann2snn.config.checks import named
from ann2snn.config.composition import composed
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.outlook import open_steps, sum_of, usual_seconds
from ann2snn.pipeline.preflight import require_ready


def print_plan(step: str, points: list[list[str]]) -> None:
    """Prints every point, whether it is done, and the time that the rest took before.

    Nothing is computed or loaded. Where only the data themselves could tell, the plan says so.

    Raises:
        SettingError: a point's toggles cannot be; nothing has been printed then.
    """
    chains = [_chain(step, point) for point in points]
    seconds: dict[tuple[str, str], float | None] = {}
    unknown: list[str] = []
    for point, chain in zip(points, chains, strict=True):
        if step == "data" or chain.knows_data():
            steps = open_steps(step, chain)
            seconds |= {(s, chain.place(s)): usual_seconds(chain, s) for s in steps}
            state = f"open: {', '.join(steps)}" if steps else "done"
        else:
            unknown.append(chain.settings.data.name)
            state = "not known"
        print(f"{' '.join(point) or 'the only point'}: {state}")
    sums = [] if len(unknown) == len(points) else [sum_of(list(seconds.values()))]
    print(f"{len(points)} points; " + "; ".join([*sums, *_not_known(unknown)]))


def _not_known(names: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        yield (
            f"of {names.count(name)} on {name} nothing is known until the data are loaded:"
            f" python -m ann2snn.pipeline.data data={name}"
        )


def _chain(step: str, point: list[str]) -> Chain:
    with named(" ".join(point)):
        chain = Chain(composed(point))
        require_ready(step, chain, here=False)
    return chain
