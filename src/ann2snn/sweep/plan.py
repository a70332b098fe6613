"""What a call would compute: its points, which of them are done, the time the rest took before."""

import json
import statistics
from collections.abc import Iterator

from ann2snn.config.checks import named
from ann2snn.config.composition import composed
from ann2snn.pipeline.chain import PARENTS, Chain
from ann2snn.pipeline.preflight import require_ready
from ann2snn.records import Record


def print_plan(step: str, points: list[list[str]]) -> None:
    """Every point, whether it is done, and the time that the rest took before.

    Nothing is computed or loaded: where only the data themselves could tell, that is said.

    Raises:
        SettingError: a point's toggles cannot be; nothing has been printed then.
    """
    chains = [_chain(step, point) for point in points]
    known = [step == "data" or chain.knows_data() for chain in chains]
    states = [
        _open_steps(step, c) if k else ["not known"] for c, k in zip(chains, known, strict=True)
    ]
    pending: dict[tuple[str, str], float | None] = {}
    for point, chain, sure, state in zip(points, chains, known, states, strict=True):
        for name in state if sure else []:
            pending[name, chain.place(name)] = _usual_seconds(chain, name)
        shown = (f"open: {', '.join(state)}" if sure else state[0]) if state else "done"
        print(f"{' '.join(point) or 'the only point'}: {shown}")
    print(f"{len(points)} points; " + "; ".join(_sums(pending, chains, known)))


def _sums(
    pending: dict[tuple[str, str], float | None], chains: list[Chain], known: list[bool]
) -> Iterator[str]:
    """The results to compute and their time, then what cannot be told yet."""
    if any(known):
        seconds = [each for each in pending.values() if each is not None]
        new = len(pending) - len(seconds)
        yield f"{len(pending)} results to compute, about {sum(seconds):.0f} s" + (
            f" and {new} of a kind not computed before" if new else ""
        )
    names = [c.settings.data.name for c, sure in zip(chains, known, strict=True) if not sure]
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


def _usual_seconds(chain: Chain, step: str) -> float | None:
    """Median seconds of this step for the same network, by the provenance of earlier runs."""
    times = []
    for path in chain.store.records():
        if path.parent.parent.name == step and (path.parent / "provenance.json").is_file():
            record = Record.read(path)
            if record.description.get("network", chain.settings.ann.network) == (
                chain.settings.ann.network
            ):
                made = json.loads((path.parent / "provenance.json").read_text(encoding="utf-8"))
                times.append(float(made["seconds"]))
    return statistics.median(times) if times else None
