"""Why the bars of the ablation stand where they stand: sentences that data back."""

from collections.abc import Sequence
from itertools import pairwise

from ann2snn.numerics.intervals import paired_chance
from ann2snn.numerics.steps_to_level import first_step_at
from ann2snn.report.published import (
    CURVE_IMAGES,
    curve_of,
    is_full_method,
    is_papers_network,
    papers_bar,
    published,
    published_curves,
)
from ann2snn.report.results import (
    MAXIMUM,
    Point,
    Results,
    Study,
    outliers,
    scale_percentile,
)
from ann2snn.report.rows import LAST

HIGHEST = 99.999  # the highest percentile below the maximum that the authors drew
PERCENTILE = 99.9  # the one whose outliers a conversion notes


def from_bar_to_bar(points: Sequence[Point]) -> str:
    """By how much each bar is above the one before, and which of them differ by less than the
    images' choice does."""
    pairs = list(pairwise(points))
    if not pairs:
        return ""
    gains = [b.metrics["snn_accuracy"] - a.metrics["snn_accuracy"] for a, b in pairs]
    level = [b.label for (_, b), gain in zip(pairs, gains, strict=True) if gain == 0]
    within = [
        b.label
        for (a, b), gain in zip(pairs, gains, strict=True)
        if gain != 0
        and a.metrics["interval_low"] <= b.metrics["snn_accuracy"] <= a.metrics["interval_high"]
    ]
    falls = sum(gain < 0 for gain in gains)
    order = f"{falls} below the one before" if falls else "no bar is below the one before"
    text = f"From bar to bar: {', '.join(f'{gain:+.2f}' for gain in gains)}; {order}"
    if level:
        text += f"; level with the one before: {', '.join(level)}"
    if within:
        text += f"; within the 95 % interval of the one before: {', '.join(within)}"
    return text + "."


def reasons(results: Results, ablation: Study, level: float) -> list[str]:
    """What was measured that bears on the differences from the paper's bars: speed, to `level`
    percent right; the cost of the maximum as the scale; outliers; gate and scales."""
    ann = ablation.points[-1].simulation.parents["ann"]
    texts = []
    for other in results.of_kind("percentiles"):
        if all(point.simulation.parents["ann"] == ann for point in other.points):
            texts += [sooner_or_later(ablation, other, level), cost_of_the_maximum(other)]
    texts += [slowed_by_outliers(ablation.points), losses_on_the_way(results, ablation)]
    return [text for text in texts if text]


def sooner_or_later(ablation: Study, percentiles: Study, level: float) -> str:
    """How fast this network is beside the authors': to `level` percent right at equal percentiles,
    and to the bars whose scale is the maximum; empty where nothing can be compared."""
    pairs = []
    for point in percentiles.points:
        name = curve_of(point.toggles)
        ours = first_step_at(point.simulation.curves["accuracy"], level)
        theirs = first_step_at(published_curves()[name], level) if name else None
        if ours and theirs:
            pairs.append((point.label, ours, theirs))
    if not pairs or not _is_papers(percentiles):
        return ""
    words = "; ".join(f"{label}: step {ours}, theirs {theirs}" for label, ours, theirs in pairs)
    text = f"Time to {level:.0f} % right at equal percentiles ({words})"
    speeds = [theirs / ours for _, ours, theirs in pairs]
    if min(speeds) > 1 or max(speeds) < 1:
        text += f": this network is {_range(speeds)} times as fast"
        text += ", and so higher" if min(speeds) > 1 else ", and so lower"
        text += " at the same step of a curve that still rises"
    return f"{text}. The authors' curves are of {CURVE_IMAGES} images.{_steps_at_bars(ablation)}"


def _steps_at_bars(ablation: Study) -> str:
    """When a run first stands at the paper's bar, where a layer's scale is the maximum."""
    reached = []
    for point in ablation.points:
        bar = papers_bar(point.simulation.settings, ablation.dataset)
        step = first_step_at(point.simulation.curves["accuracy"], bar.value) if bar else None
        if step and scale_percentile(point.toggles) == MAXIMUM:
            reached.append(f"`{point.label}` at step {step}")
    if not reached:
        return ""
    theirs = published("ablation")["max-norm"].value
    step = first_step_at(published_curves()["max_norm"], theirs)
    return (
        f" The paper's bars with the maximum as their scale it reaches: {', '.join(reached)}."
        " When theirs first stood there is not published, but for max-norm: their curve passes"
        f" {theirs:.2f} at step {step}."
    )


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _is_papers(study: Study) -> bool:
    return all(
        is_papers_network(point.simulation.settings, study.dataset) for point in study.points
    )


def cost_of_the_maximum(percentiles: Study) -> str:
    """What the last step from the authors' highest percentile to the maximum costs in accuracy,
    beside the paper's; empty where one of them was not simulated."""
    found = {
        scale_percentile(point.toggles): point
        for point in percentiles.points
        if is_full_method(point.toggles)
    }
    high, top = found.get(HIGHEST), found.get(MAXIMUM)
    if high is None or top is None or not _is_papers(percentiles):
        return ""
    if not high.metrics["spikes_per_neuron"]:
        return ""
    curves, bar = published_curves(), published("ablation")["analog-input"]
    spikes = top.metrics["spikes_per_neuron"] / high.metrics["spikes_per_neuron"]
    return (
        f"With the maximum as the scale this network has {top.metrics['snn_accuracy']:.2f}, with"
        f" the 99.999th percentile {high.metrics['snn_accuracy']:.2f}: the maximum leaves"
        f" {spikes:.2f} times the spikes. The authors' curves, of {CURVE_IMAGES} images, end at"
        f" {curves['p99.9'][-1]:.2f} (99.9th) and {curves['p99.999'][-1]:.2f} (99.999th), their bar"
        f" of the maximum stands at {bar.words}: what the percentile gains there seems to lie above"
        " the 99.999th, in a few activations whose size is not published."
    )


def slowed_by_outliers(points: Sequence[Point]) -> str:
    """How far the largest activation of each layer lies above its 99.9th percentile, beside how
    much its spikes rise from the bar with the maximum as the scale to that with the percentile;
    empty where no two points differ in just that."""
    pair = next((pair for pair in pairwise(points) if _differ_in_scale(*pair)), None)
    if pair is None or not outliers(pair[0]):
        return ""
    slow, fast = pair
    ratios = outliers(slow)
    largest = [top / percentile for top, percentile in ratios.values()]
    counts = [
        [sum(point.simulation.curves[f"spikes/{layer}"]) for point in pair] for layer in ratios
    ]
    steps = [point.metrics["steps_to_99"] for point in pair]
    sooner = f": 99 % of the ANN comes at step {steps[1]} instead of {steps[0]}"
    return (
        f"From `{slow.label}` to `{fast.label}` the scale of each layer, first to last, falls "
        + ", ".join(f"{ratio:.2f}" for ratio in largest)
        + " times, and its spikes rise "
        + ", ".join(f"{after / before:.2f}" if before else "from none" for before, after in counts)
        + " times, since a layer's rates are its activations over its own scale"
        + (f"{sooner}." if all(steps) else ".")
    )


def _differ_in_scale(slow: Point, fast: Point) -> bool:
    """Whether the one has the maximum and the other the 99.9th percentile as its scale, all else
    alike."""
    scales = ("normalization", "percentile")
    rest = [
        {name: value for name, value in point.toggles.items() if name not in scales}
        for point in (slow, fast)
    ]
    percentiles = [scale_percentile(point.toggles) for point in (slow, fast)]
    return percentiles == [MAXIMUM, PERCENTILE] and rest[0] == rest[1]


def losses_on_the_way(results: Results, ablation: Study) -> str:
    """The loss of the ablation's last bar beside the paper's, then of the study of best results,
    one toggle after another as far as runs of it are there."""
    last = ablation.points[-1]
    bar = papers_bar(last.simulation.settings, ablation.dataset)
    if bar is None:
        return ""
    theirs = published("ablation")["ann"].value - bar.value
    text = f"The loss of the last bar against its ANN is {_loss(last)}; theirs {theirs:.2f}"
    best = next((study for study in results.of_kind("best")
                 if study.points[-1].simulation.parents["ann"]
                 == last.simulation.parents["ann"]), None)  # fmt: skip
    steps = _losses_towards(results, last, best.points[-1].toggles) if best else []
    if best and steps:
        return f"{text}. On the way to `{best.name}`: {'; then '.join(steps)}."
    return f"{text}."


def _losses_towards(results: Results, start: Point, goal: dict[str, object]) -> list[str]:
    """The losses of runs like `start` as its toggles become those of `goal`: the gate first."""
    toggles, changed, steps = dict(start.toggles), [], []
    for name in sorted(goal, key=lambda toggle: toggle != "pooling"):
        if toggles.get(name) != goal[name]:
            toggles[name] = goal[name]
            changed.append(f"`{name}={goal[name]}`")
            if point := _run_like(results, start, toggles):
                steps.append(f"with {' and '.join(changed)} {_loss(point)}")
                changed = []
    return steps


def _loss(point: Point) -> str:
    found = point.metrics
    late = found.get("snn_accuracy_last50")
    mean = "" if late is None else (
        f"by the mean of the last {LAST} steps {found['ann_accuracy'] - late:.2f}; "
    )  # fmt: skip
    chance = paired_chance(found["agreement"], found["images"])
    loss = found["ann_accuracy"] - found["snn_accuracy"]
    return f"{loss:.2f} ({mean}by chance at most {chance:.2f})"


def _run_like(results: Results, like: Point, toggles: dict[str, object]) -> Point | None:
    """The run of the same trained network on as many images with these toggles, if there is one."""
    wanted = (like.simulation.parents["ann"], like.simulation.settings["simulation"], toggles)
    for study in results.studies:
        for point in study.points:
            run = point.simulation
            if (run.parents["ann"], run.settings["simulation"], point.toggles) == wanted:
                return point
    return None
