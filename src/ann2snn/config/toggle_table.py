"""The toggles in words, from the dataclasses: a Markdown table, and help for the command line."""

import dataclasses
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ann2snn.config.schema import CHOSEN, GROUPS
from ann2snn.settings import rule_of

WIDTH = 96


@dataclass(frozen=True)
class ToldToggle:
    """A toggle in words."""

    key: str
    default: str
    allowed: str
    meaning: str


def told_toggles(group: str) -> Iterator[ToldToggle]:
    """The toggles of a group, in order."""
    for toggle in dataclasses.fields(GROUPS[group]):
        rule, default = rule_of(toggle), toggle.default
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        kind = {bool: "true, false", str: "text"}.get(type(default), "")
        allowed = ", ".join(rule.choices) or kind or rule.allowed()
        yield ToldToggle(f"{group}.{toggle.name}", shown, allowed, rule.meaning)


def toggle_table(groups: Iterable[str]) -> str:
    """A Markdown table of the toggles of `groups`: default, allowed values, meaning."""
    lines = ["| toggle | default | allowed | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{told.key}` | {told.default or '(empty)'} | {told.allowed} | {told.meaning} |"
        for group in groups
        for told in told_toggles(group)
    ]
    return "\n".join(lines)


def toggle_help(groups: Iterable[str]) -> str:
    """The toggles of `groups` for a terminal: key and default, what is allowed, the meaning; before
    them the named choices in `conf/`, where the program stands in a project."""
    return "\n".join(line for group in groups for line in _help_of(group))


def named_choices(group: str) -> list[str]:
    """The named choices of a group in the project folder; none outside of one."""
    return sorted(path.stem for path in (Path.cwd() / "conf" / group).glob("*.yaml"))


def _help_of(group: str) -> Iterator[str]:
    yield ""
    choices = named_choices(group) if group in CHOSEN else []
    yield f"{group}" + (
        f"   ({group}=NAME takes a named choice: {', '.join(choices)})" if choices else ""
    )
    for told in told_toggles(group):
        yield from textwrap.wrap(
            f"{told.key}={told.default}   {told.allowed}",
            WIDTH, initial_indent="  ", subsequent_indent=" " * 8,
        )  # fmt: skip
        indent = " " * 6
        yield from textwrap.wrap(
            told.meaning, WIDTH, initial_indent=indent, subsequent_indent=indent
        )
