"""What was measured last, for docs/speed.md, which `make readme` fills in."""

import json
from typing import Any

from bench.network import DATA, PROJECT

RESULTS = PROJECT / "bench" / "results.json"
ON_A_GPU = PROJECT / "bench" / "gpu.json"
Row = dict[str, Any]


def section(content: dict[str, Any], gpu: dict[str, Any]) -> str:
    """What was measured, a table of all modes by time, what of our engine grows with what, single
    facts, and what a GPU gave."""
    facts = f"{_facts(content)}\n{_on_a_gpu(gpu)}"
    rows = content["rows"]
    parts = [
        _preface(content), _peers(rows), _networks(rows), _answers(rows), _growth(rows), facts,
    ]  # fmt: skip
    return "\n\n".join(parts)


def _preface(content: dict[str, Any]) -> str:
    peers = [row for row in content["rows"] if row["table"] == "peers"]
    ours = next(row for row in peers if row["mode"] == "event")
    machine = content["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    text = (
        f"Microseconds per image and step on {machine['processor']}, {machine['cores']} cores, one "
        f"run, modes interleaved, minima of five repetitions: network {ours['network']}, "
        f"{ours['dataset']}, mean firing rate {ours['mean_rate']:.3f}. R is the time of an image's "
        "step over that of the analog network's forward pass. Accuracy: "
        f"{ours['accuracy_images']} images, {ours['accuracy_steps']} steps. Memory: the peak above "
        f"interpreter, weights and images. Python {machine['python']}, {versions}."
    )
    missing = [f"{tool} was left out: {why}." for tool, why in content["missing"].items()]
    return " ".join([text, *missing])


def _peers(rows: list[Row]) -> str:
    timed = {(row["tool"], row["mode"], row["threads"]): row for row in rows
             if row["table"] == "peers"}  # fmt: skip
    lines = [
        "| tool, mode | µs, 1 thread | R | µs, 2 threads | R | accuracy | MB |",
        "|---|---|---|---|---|---|---|",
    ]
    single = sorted((row for key, row in timed.items() if key[2] == 1), key=_time)
    for row in single:
        double = timed[row["tool"], row["mode"], 2]
        cells = [
            f"{row['tool']}, {row['mode']}",
            f"{_time(row):.1f}", f"{row['ratio']:.3f}",
            f"{_time(double):.1f}", f"{double['ratio']:.3f}",
            f"{row['accuracy']:.1f}" if "accuracy" in row else "",
            f"{row['peak_mb']:.0f}" if "peak_mb" in row else "",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _networks(rows: list[Row]) -> str:
    """Ours on one and two threads, and the fastest peer on one."""
    chosen = [row for row in rows if row["table"] == "networks"]
    ours = {(row["network"], row["threads"]): row for row in chosen if row["tool"] == "ann2snn"}
    some = next(iter(ours.values()))
    lines = [
        f"Networks of today, {some['images']} images, {some['steps']} steps, everything in one run"
        " with the analog network's forward pass, channels last. Random weights have batch norm set"
        " by data. Peers are the same networks with their neurons and their max-pools of spikes,"
        " channels last.",
        "",
        "| network, weights | MMAC | rate | R, 1 / 2 threads | ps per operation | MB | peer, R |",
        "|---|---|---|---|---|---|---|",
    ]
    for (name, threads), row in ours.items():
        if threads != 1:
            continue
        peers = [each for each in chosen if each["network"] == name and each["tool"] != "ann2snn"]
        best = min(peers, key=_time, default=None)
        peer = f"{best['tool']}, {best['ratio']:.2f}" if best else "none is installed"
        double = ours[name, 2]["ratio"]
        lines.append(
            f"| {name}, {row['weights']} | {row['mmac']:g} | {row['mean_rate']:.3f} |"
            f" {row['ratio']:.3f} / {double:.3f} | {row['picoseconds']:.0f} |"
            f" {row['peak_mb']:.0f} | {peer} |"
        )
    return "\n".join(lines)


def _answers(rows: list[Row]) -> str:
    chosen = [row for row in rows if row["table"] == "answers"]
    some = chosen[0]
    lines = [
        "The time to an answer: until the accuracy stays within 0.5 points of the analog network's"
        f" ({some['analog_accuracy']:.2f} % of {some['images']:,} test images), in its forward"
        " passes, one thread. Early exit takes the margin that validation images chose.",
        "",
        "| tool, mode | steps | accuracy | ANN forward passes |",
        "|---|---|---|---|",
    ]
    for row in chosen:
        steps = "not reached" if row["steps"] is None else str(row["steps"])
        if row.get("margin"):
            steps = f"{row['mean_steps']:.1f} of at most {steps}"
        passes = "" if row["passes"] is None else f"{row['passes']:.2f}"
        lines.append(
            f"| {row['tool']}, {row['mode']} | {steps} | {row['accuracy']:.2f} | {passes} |"
        )
    return "\n".join(lines)


def _time(row: Row) -> float:
    return float(row["microseconds"])


def _growth(rows: list[Row]) -> str:
    lines = [
        "| event engine | value | steps | images | µs, 1 thread | µs, 2 threads | mean rate |",
        "|---|---|---|---|---|---|---|",
    ]
    times: dict[tuple[str, ...], dict[int, str]] = {}
    for row in rows:
        if row["table"] == "growth":
            value = "" if row["varies"] == "threads" else f"{row['value']:g}"
            rate = f"{row['mean_rate']:.3f}"
            key = (row["varies"], value, str(row["steps"]), str(row["images"]), rate)
            times.setdefault(key, {})[row["threads"]] = f"{_time(row):.1f}"
    for (*cells, rate), found in times.items():
        lines.append(f"| {' | '.join([*cells, found.get(1, ''), found.get(2, ''), rate])} |")
    return "\n".join(lines)


def _facts(content: dict[str, Any]) -> str:
    facts = content["facts"]
    blocks, statistics, epoch = facts["images_10000"], facts["statistics"], facts["epoch"]
    return "\n".join([
        f"- First compilation {facts['first_compilation_s']:.1f} s; later starts "
        f"{facts['later_start_s']:.2f} s, and {facts['numba_imports_s']:.2f} s for what numba "
        "imports only then.",
        f"- Before the first step: {facts['before_first_step_ms']:.3f} ms an image. Signed spikes"
        f" take {facts['signed_over_binary']:.3f} times the time of as many binary ones.",
        f"- {blocks['images']:,} images, {blocks['steps']} steps: at most "
        f"{blocks['peak_mb']:.0f} MB above interpreter, weights and images, accuracy "
        f"{blocks['accuracy']:.2f} (scales from {DATA.calibration:,} calibration images).",
        f"- Activation statistics over {statistics['images']:,} images: "
        f"{statistics['ratio']:.2f} times the plain forward pass.",
        f"- A training epoch through Lightning: {epoch['lightning'] / epoch['bare']:.3f} times a "
        "bare loop.",
    ])  # fmt: skip


def _on_a_gpu(gpu: dict[str, Any]) -> str:
    dense, event, machine = gpu["dense"], gpu["event"], gpu["machine"]
    return (
        f"- {gpu['gpu']}, one run of `python -m bench.gpu`, {gpu['images']:,} images of"
        f" {gpu['dataset']}, {gpu['steps']} steps: every count and answer is that of the event"
        f" engine. The dense engine takes {dense['seconds']:.0f} s, {dense['block']:,} images at a"
        f" time and {dense['repeated']} again in float64; the event engine takes"
        f" {event['seconds']:.0f} s on that machine's {gpu['cores']} cores"
        f" ({machine['processor']}). Python {machine['python']}, torch"
        f" {machine['versions']['torch']}, numba {machine['versions']['numba']}."
    )


def written() -> str:
    """The section of what was measured last."""
    content, gpu = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, ON_A_GPU))
    return section(content, gpu)
