"""`ann2snn plan`: the points of a sweep, a study or a single run, and what is left of them."""

import sys

from ann2snn.pipeline.application import run


def main() -> None:
    """Prints the plan; computes nothing. A study lists its own points, all else is a sweep."""
    words = sys.argv[1:]
    several = not any(word.startswith(("run.study=", "-")) for word in words)
    sys.argv[1:] = [*(["-m"] if several else []), *words, "run.plan=true"]
    run("simulation")
