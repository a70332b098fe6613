"""The kinds of cases, and how many of each a small campaign and a full one has."""

import multiprocessing
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.system.campaign import configurations, damage, faults, params_entries, servers, stops
from tests.system.campaign.calm import make_calm, make_calm_runs
from tests.system.campaign.cases import Case, Table, run_cases


@dataclass(frozen=True)
class Kind:
    """A kind of case: what one does, and how many are run."""

    case: Case
    small: int
    full: int


KINDS = {
    "kill": Kind(stops.killed, 3, 100),
    "signal": Kind(stops.signalled, 3, 60),
    "damaged result": Kind(damage.damaged_result, 6, 120),
    "hostile spec": Kind(damage.hostile_spec, 20, 190),
    "hostile image": Kind(damage.hostile_image, 20, 190),
    "wrong configuration": Kind(configurations.wrong_configuration, 60, 800),
    "broken params.yaml": Kind(params_entries.broken_params, 20, 200),
    "fault of the machine": Kind(faults.machine_fault, 5, 25),
    "fault of a server": Kind(servers.server_fault, 2, 15),
}
Numbers = Mapping[str, Sequence[int]]


def campaign(numbers: Numbers, seed: int, folder: Path, jobs: int = 1) -> Table:
    """The faults of the cases of these numbers, by kind; `jobs` shares of them run at once."""
    calm = make_calm(folder / "calm")
    make_calm_runs(calm)
    shares = [{name: own[job::jobs] for name, own in numbers.items()} for job in range(jobs)]
    places = [folder / f"share-{job}" for job in range(jobs)]
    if jobs == 1:
        tables = [share_of(shares[0], seed, calm, places[0])]
    else:
        fresh = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, fresh) as pool:
            seeds, calms = [seed] * jobs, [calm] * jobs
            tables = list(pool.map(share_of, shares, seeds, calms, places))
    return {name: sum((table[name] for table in tables), Counter()) for name in numbers}


def share_of(numbers: Numbers, seed: int, calm: Path, folder: Path) -> Table:
    """The faults of some cases, one after the other."""
    return {
        name: run_cases(name, KINDS[name].case, own, seed, calm, folder)
        for name, own in numbers.items()
    }
