"""`make bench`: our engines beside the peers, on one network, in one run.

`--short` measures our engines, the analog network and the peers' fastest modes alone, in three
minutes, and writes nothing. `--smoke` runs every part once on a few images, to see that all of them
work; its numbers mean nothing and are written nowhere.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.answers import answer_rows
from bench.epoch import epochs
from bench.growth import growth, mean_rate
from bench.machine import machine
from bench.mode import FORWARD, MODES, Mode
from bench.network import PROJECT, SHORT, Measured, cifar10, measured, prepare
from bench.networks import network_rows
from bench.tables import chart, growth_rows, peer_rows, print_tables
from bench.timing import Timed, measure

ACCURACY_IMAGES = 100
ACCURACY_STEPS = 300


def main() -> None:
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--smoke", action="store_true", help="a few images, nothing is written")
    options.add_argument("--short", action="store_true", help="three minutes, nothing is written")
    chosen = options.parse_args()
    smoke, short = bool(chosen.smoke), bool(chosen.short)
    folder = PROJECT / "bench" / ".cache" / "network"
    prepare(folder)
    network = measured(folder)
    modes: tuple[Mode, ...] = (FORWARD, *(m for m in MODES if not short or m.quick))
    if smoke:
        modes = tuple(replace(m, batches=(2,), steps=10) for m in modes)
    rows: list[dict[str, Any]] = []
    missing: dict[str, str] = {}
    rate = mean_rate(network, ACCURACY_STEPS)
    facts: dict[str, Any] = {}
    for threads in (1, 2):
        timed, left_out = measure(modes, network, threads, 1 if smoke else 2 if short else 5)
        missing |= left_out
        extra = {} if threads == 2 or short else {
            id(each): accuracy_and_memory(each, network, folder, smoke) for each in timed[1:]
        }  # fmt: skip
        rows += peer_rows(timed, network, threads, rate, extra)
        if threads == 1:
            answers, facts = answer_rows(network, timed, smoke)
            rows += answers

    def peak(path: Path) -> float:
        return float(ask(folder, "spec_memory", 1, path)["peak_mb"])

    rows += network_rows(folder, peak, (1,) if short else (1, 2), smoke)
    if not short:
        rows += growth_rows(growth(network, 10.0 if smoke else 150.0), network)
        facts |= single_facts(folder, smoke)
    content = {"machine": machine(), "missing": missing, "facts": facts, "rows": rows}
    print_tables(content)
    if not smoke and not short:
        text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n"
        (PROJECT / "bench" / "results.json").write_text(text, encoding="utf-8")
        chart([row for row in rows if row["table"] == "peers"], PROJECT / "bench" / "peers")


def accuracy_and_memory(
    each: Timed, network: Measured, folder: Path, smoke: bool
) -> dict[str, Any]:
    """Accuracy over some images and 300 steps, and peak memory in a process of its own."""
    images = 4 if smoke else ACCURACY_IMAGES
    steps = 10 if smoke else ACCURACY_STEPS
    found = each.simulation(network.images[:images], steps).argmax(1)
    mode = each.mode
    peak = ask(folder, "memory", 1, mode.tool, mode.mode, each.batch, each.batch, mode.steps)
    return {
        "accuracy": 100 * float((found == network.labels[:images]).mean()),
        "accuracy_images": images,
        "accuracy_steps": steps,
        "peak_mb": round(peak["peak_mb"], 1),
    }


def single_facts(folder: Path, smoke: bool) -> dict[str, Any]:
    """What is no time per image and step."""
    images = 20 if smoke else 10_000
    with tempfile.TemporaryDirectory() as cache:
        first = ask(folder, "start", 1, ANN2SNN_CACHE_DIR=cache)
        later = ask(folder, "start", 1, ANN2SNN_CACHE_DIR=cache)
    dataset = cifar10()
    if smoke:
        dataset = replace(
            dataset,
            train_images=np.array(dataset.train_images[:512]),
            train_labels=np.array(dataset.train_labels[:512]),
        )
    settings = replace(SHORT, epochs=2)
    return {
        "first_compilation_s": first["seconds"],
        "later_start_s": later["seconds"],
        "numba_imports_s": later["numba_imports_s"],
        "images_10000": ask(folder, "blocks", 2, images, 20 if smoke else 300),
        "statistics": ask(folder, "statistics", 2, images),
        "epoch": asdict(epochs(dataset, settings, 1 if smoke else 2)),
    }


def ask(folder: Path, question: str, threads: int, *arguments: object, **variables: str) -> Any:
    """The answer of `bench.worker` in a fresh process."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.worker", question, str(folder),
               str(threads), *map(str, arguments)]  # fmt: skip
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, **variables}, check=True,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
