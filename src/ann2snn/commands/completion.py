"""Completion by the shell: `eval "$(ann2snn completion bash)"`."""

import argparse
import dataclasses
from collections.abc import Iterator

from ann2snn.commands.command_line import COMMANDS, OVERRIDES
from ann2snn.config.schema import CHOSEN, GROUPS, toggle_of
from ann2snn.config.toggle_table import named_choices
from ann2snn.settings import SettingError, rule_of

# bash breaks words at `=` where COMP_WORDBREAKS says so; then only what follows it is completed.
BASH = r"""_ann2snn() {
    local line="${COMP_LINE:0:$COMP_POINT}" IFS=$'\n'
    COMPREPLY=($(ann2snn completion words "$line" 2>/dev/null))
    local word="${line##* }"
    if [[ "$COMP_WORDBREAKS" == *=* && "$word" == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%=*}="}")
    fi
}
complete -o nospace -F _ann2snn ann2snn"""


def main() -> None:
    """Prints the function for the shell, or, for it, the words that a line can go on with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shell", choices=("bash", "words"))
    parser.add_argument("line", nargs="?", default="", help="what is typed so far, for `words`")
    chosen = parser.parse_args()
    if chosen.shell == "bash":
        print(BASH)
    else:
        print(*candidates(chosen.line), sep="\n")


def candidates(line: str) -> list[str]:
    """The words that the last word of a command line may become, in order: commands, toggles as
    `key=`, and after `=` the named choices or the allowed values; a finished word ends in a space.
    """
    _, *words = line.split(" ")
    *before, last = words or [""]
    before = [word for word in before if word]
    if not before:
        found: Iterator[str] = (f"{name} " for name in COMMANDS)
    elif before[0] == "toggles":
        found = (f"{group} " for group in GROUPS)
    elif before[0] in COMMANDS and COMMANDS[before[0]].takes == OVERRIDES:
        found = _values(last) if "=" in last else _keys()
    else:
        found = iter(())
    return [word for word in found if word.startswith(last)]


def _keys() -> Iterator[str]:
    yield from (f"{group}=" for group in CHOSEN)
    for group, settings in GROUPS.items():
        yield from (f"{group}.{toggle.name}=" for toggle in dataclasses.fields(settings))


def _values(word: str) -> Iterator[str]:
    key, _, value = word.partition("=")
    done, comma, _ = value.rpartition(",")  # a sweep's values before the one that is typed
    if key in CHOSEN:
        known = named_choices(key)
    else:
        try:
            toggle = toggle_of(key)
        except SettingError:
            return
        flag = ["true", "false"] if isinstance(toggle.default, bool) else []
        known = [*rule_of(toggle).choices, *flag]
    yield from (f"{key}={done}{comma}{value} " for value in known)
