"""The table of all toggles, from the dataclasses.

`python -m ann2snn.config.toggle_table [group ...]` prints it.
"""

import argparse
import dataclasses
from collections.abc import Iterable

from ann2snn.config.schema import GROUPS
from ann2snn.settings import rule_of


def toggle_table(groups: Iterable[str]) -> str:
    """A Markdown table of the toggles of `groups`: default, allowed values, meaning."""
    lines = ["| toggle | default | allowed | meaning |", "|---|---|---|---|"]
    for group in groups:
        for toggle in dataclasses.fields(GROUPS[group]):
            rule, default = rule_of(toggle), toggle.default
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            kind = {bool: "true, false", str: "text"}.get(type(default), "")
            allowed = ", ".join(rule.choices) or kind or rule.allowed()
            name = f"`{group}.{toggle.name}`"
            lines.append(f"| {name} | {shown or '(empty)'} | {allowed} | {rule.meaning} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m ann2snn.config.toggle_table")
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, "all"], default="all")
    groups = parser.parse_args().groups
    print(toggle_table(GROUPS if "all" in groups else groups))
