"""What a call would compute: its points, which of them are done, the time the rest took before."""

import json
import statistics

from ann2snn.records import Record
from ann2snn.stages.chain import PARENTS, Chain
from ann2snn.stages.configuration import check_overrides, composed


def print_plan(step: str, points: list[list[str]]) -> None:
    """Every point, whether it is done, and the time that the rest took before."""
    pending: dict[tuple[str, str], float | None] = {}
    for point in points:
        check_overrides(point)
        chain = Chain(composed(point))
        open_steps = [name for name in _ordered(step) if not chain.done(name)]
        for name in open_steps:
            pending[name, chain.key(name)] = _usual_seconds(chain, name)
        state = "done" if not open_steps else "open: " + ", ".join(open_steps)
        print(f"{' '.join(point) or 'the only point'}: {state}")
    known = [seconds for seconds in pending.values() if seconds is not None]
    unknown = len(pending) - len(known)
    print(
        f"{len(points)} points; {len(pending)} results to compute, about {sum(known):.0f} s"
        + (f" and {unknown} of a kind not computed before" if unknown else "")
    )


def _ordered(step: str) -> list[str]:
    return [name for name in PARENTS if name in (*PARENTS[step], step)]


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
