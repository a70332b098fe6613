"""All toggles as a table, from the dataclasses.

`python -m ann2snn.config.toggle_table [group ...]` prints it.
"""

import dataclasses
import sys
from collections.abc import Iterable

from ann2snn.config.schema import GROUPS
from ann2snn.settings import rule_of


def toggle_table(groups: Iterable[str]) -> str:
    """A Markdown table: toggle, default, what is allowed, meaning."""
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
    print(toggle_table(sys.argv[1:] or GROUPS))
