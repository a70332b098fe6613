"""What a run says of itself: at first what it is and what is left to do, at last what came out."""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence

from ann2snn.config.composition import composed
from ann2snn.config.schema import CHOSEN, GROUPS, Settings
from ann2snn.pipeline.chain import PARENTS, Chain
from ann2snn.pipeline.usual_times import usual_seconds
from ann2snn.records import Record
from ann2snn.settings import SettingError, rule_of

UNKNOWN = "what is there already is known once the data are loaded"


def open_steps(step: str, chain: Chain) -> list[str] | None:
    """The steps that are to be computed for `step`, in order: from it back to what is done; None
    where only the data themselves could tell."""
    if step != "data" and not chain.knows_data():
        return None
    needed, found = {step}, []
    for name in reversed(PARENTS):
        there = chain.done if name == step else chain.at_hand
        if name in needed and not there(name):
            found.append(name)
            needed |= set(PARENTS[name])
    return found[::-1]


def remaining(step: str, chains: Sequence[Chain]) -> str:
    """What is left of several points: results to compute, each once, and their time as far as it is
    known; of which points only the data themselves could tell."""
    return told_of_all(chains, [open_steps(step, chain) for chain in chains])


def told_of_all(chains: Sequence[Chain], steps: Sequence[list[str] | None]) -> str:
    """As `remaining`, of points with these open steps."""
    seconds: dict[tuple[str, str], float | None] = {}
    unknown: list[str] = []
    for chain, found in zip(chains, steps, strict=True):
        if found is None:
            unknown.append(chain.settings.data.name)
        for name in found or ():
            network = chain.settings.ann.network
            seconds[name, chain.place(name)] = usual_seconds(chain.store, name, network)
    sums = [] if len(unknown) == len(chains) else [_sum(list(seconds.values()))]
    return f"{len(chains)} points; " + "; ".join([*sums, *_not_known(unknown)])


def _sum(seconds: list[float | None]) -> str:
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


def opening(step: str, chain: Chain, choices: Mapping[str, str | None], told: bool) -> str:
    """The first line of a run: data, network, toggles that differ from the named `choices`, what is
    there already, how long the rest will take. Unless the network was `told`, it says so."""
    settings = chain.settings
    words = [f"{step}: data {settings.data.name}"]
    if step != "data":
        words.append(
            f"network {settings.ann.network}" + ("" if told else f" (by ann={choices['ann']})")
        )
    words += changed_toggles(step, settings, choices) or ["all toggles by default"]
    left = open_steps(step, chain)
    if left is None:
        return "; ".join([", ".join(words), UNKNOWN])
    there = [name for name in (*PARENTS[step], step) if name not in left]
    lines = [", ".join(words)]
    if there:
        lines.append("there already: " + ", ".join(there))
    if left:
        network = settings.ann.network
        times = [usual_seconds(chain.store, name, network) for name in left]
        lines.append(f"to compute: {', '.join(left)}, {_time(times)}")
    return "; ".join(lines)


def _time(seconds: list[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    if not known:
        return "of a kind not computed before, so that the time is not known"
    rest = " without those of a kind not computed before" if len(known) < len(seconds) else ""
    return f"about {sum(known):.0f} s{rest}"


def changed_toggles(step: str, settings: Settings, choices: Mapping[str, str | None]) -> list[str]:
    """`key=value` for each toggle of the step, and of those before it, that shapes its result and
    is not as the named choices of data, ann, conversion and simulation have it."""
    groups = [name for name in CHOSEN if choices.get(name) and name != "experiment"]
    try:
        usual = composed([f"{name}={choices[name]}" for name in groups])
    except SettingError:  # a choice that demands a toggle of its own, as a folder does its path
        usual = Settings()
    found = []
    for group in [name for name in GROUPS if name in (*PARENTS[step], step)]:
        for toggle in dataclasses.fields(GROUPS[group]):
            value = getattr(getattr(settings, group), toggle.name)
            same = value == getattr(getattr(usual, group), toggle.name)
            if rule_of(toggle).shapes_result and not same:
                shown = str(value).lower() if isinstance(value, bool) else value
                found.append(f"{group}.{toggle.name}={shown}")
    return found


def closing(step: str, chain: Chain, record: Record) -> Iterator[str]:
    """The last lines of a run: accuracies, steps and energy of a simulation, where the record is,
    how it is remade and how its page is opened."""
    if step == "simulation":
        yield from _simulated(record)
    stored = chain.store.folder(step, chain.place(step)) / "record.json"
    path = stored if stored.is_file() else chain.kept(step)
    if path is not None:
        yield f"record: {os.path.relpath(path)}"
    again = "" if step == "data" else f"; computed anew by ann2snn reproduce {record.key[:12]}"
    page = "its page: ann2snn ui" if chain.settings.run.track else "not sent to MLflow"
    yield page + again


def _simulated(record: Record) -> Iterator[str]:
    found = record.metrics
    reached = found["steps_to_99"]
    lasting = "not reached" if reached is None else f"from step {reached} on"
    yield (
        f"SNN {found['snn_accuracy']:.2f} %, ANN {found['ann_accuracy']:.2f} % of"
        f" {found['images']} images; {found['steps']} steps, 99 % of the ANN: {lasting}"
    )
    operations, macs = found["synops_per_image"], found["macs_per_image"]
    ratio = operations / max(1, macs)
    yield (
        f"energy: {operations:,.0f} synaptic operations per image, {ratio:.2f} for each"
        f" multiplication of the ANN ({macs:,})"
    )
