"""The plan of a call: its points, which of them are done, the time that the rest took before."""

from collections.abc import Iterator

from ann2snn.config.checks import named
from ann2snn.config.composition import composed
from ann2snn.pipeline.chain import PARENTS, Chain
from ann2snn.pipeline.preflight import require_ready
from ann2snn.sweep.usual_times import usual_seconds


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
            steps = _open_steps(step, chain)
            network = chain.settings.ann.network
            for each in steps:
                seconds[each, chain.place(each)] = usual_seconds(chain.store, each, network)
            state = f"open: {', '.join(steps)}" if steps else "done"
        else:
            unknown.append(chain.settings.data.name)
            state = "not known"
        print(f"{' '.join(point) or 'the only point'}: {state}")
    sums = [] if len(unknown) == len(points) else [_sum(list(seconds.values()))]
    print(f"{len(points)} points; " + "; ".join([*sums, *_not_known(unknown)]))


def _sum(seconds: list[float | None]) -> str:
    """The number of results to compute, and their time as far as it is known."""
    new = seconds.count(None)
    usual = sum(each for each in seconds if each is not None)
    kind = f" and {new} of a kind not computed before" if new else ""
    return f"{len(seconds)} results to compute, about {usual:.0f} s{kind}"


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


def _open_steps(step: str, chain: Chain) -> list[str]:
    """The steps that are to be computed for `step`, in order: from it back to what is done."""
    needed, found = {step}, []
    for name in reversed(PARENTS):
        there = chain.done if name == step else chain.at_hand
        if name in needed and not there(name):
            found.append(name)
            needed |= set(PARENTS[name])
    return found[::-1]
