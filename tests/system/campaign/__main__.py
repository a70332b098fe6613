"""Kills, signals, damage, wrong configurations and faults of the machine by a seed and a count.

Prints the table: for each kind its cases, and how many of them ended silently wrong, with a
traceback, with a result lost or made twice, or hung. All but the first are to be zero.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.system.campaign.cases import FAULTS, print_table
from tests.system.campaign.kinds import KINDS, campaign


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.system.campaign", description=__doc__)
    parser.add_argument("--full", action="store_true", help="about 2,000 cases instead of 100")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="shares of the cases at once")
    parser.add_argument("--only", nargs="+", choices=KINDS, metavar="KIND", default=list(KINDS))
    parser.add_argument("--number", type=int, help="only the case of this number")
    chosen = parser.parse_args()
    counts = {name: KINDS[name].full if chosen.full else KINDS[name].small for name in chosen.only}
    numbers = {
        name: [chosen.number] if chosen.number is not None else list(range(count))
        for name, count in counts.items()
    }
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        table = campaign(numbers, chosen.seed, Path(folder), chosen.jobs)
    print_table(table)
    sys.exit(any(found[fault] for found in table.values() for fault in FAULTS))


if __name__ == "__main__":
    main()
