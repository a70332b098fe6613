"""`ann2snn toggles [GROUP ...]`: every toggle with its default, its range and its meaning."""

import argparse

from ann2snn.config.schema import GROUPS
from ann2snn.config.toggle_table import toggle_help, toggle_table


def main() -> None:
    """Prints the toggles of the groups that are named, else all."""
    parser = argparse.ArgumentParser(description="Print toggles with default, range and meaning.")
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(GROUPS)}; all by default")
    parser.add_argument("--markdown", action="store_true", help="as a table")
    chosen = parser.parse_args()
    for group in chosen.groups:
        if group not in GROUPS:
            parser.error(f"the groups are {', '.join(GROUPS)}, got {group!r}")
    told = toggle_table if chosen.markdown else toggle_help
    print(told(chosen.groups or GROUPS).strip())
