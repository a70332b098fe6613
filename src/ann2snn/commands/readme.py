"""Fills the generated parts of README.md: `python -m ann2snn.commands.readme`.

With `--check` nothing is written: stale parts are named, and the exit code is 1.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill the generated parts of README.md.")
    parser.add_argument("--check", action="store_true", help="only say which parts are stale")
    check = parser.parse_args().check
    readme = Path.cwd() / "README.md"
    try:
        text = readme.read_text(encoding="utf-8")
        new, stale = filled(text, generated(Path.cwd()))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    if check and stale:
        print(f"error: README.md is stale: {', '.join(stale)}; run `make readme`", file=sys.stderr)
        sys.exit(1)
    if stale:
        readme.write_text(new, encoding="utf-8", newline="\n")
    print(
        f"README.md: {', '.join(stale) or 'nothing'} renewed" if not check else "README.md is new"
    )


def generated(project: Path) -> dict[str, Callable[[], str]]:
    """Functions that write each part, by its name; speeds are those of the last `make bench`."""
    from ann2snn.config.toggle_table import toggle_table
    from ann2snn.report.readme_tables import readme_tables
    from bench.section import written

    return {
        "results": lambda: readme_tables(project / "artifacts"),
        "toggles": lambda: toggle_table(["conversion", "simulation"]),
        "speeds": written,
    }


def filled(text: str, parts: Mapping[str, Callable[[], str]]) -> tuple[str, list[str]]:
    """The text with all parts filled, and the names of those that were not.

    Raises:
        ValueError: a part's markers are not there.
    """
    stale = []
    for name, content in parts.items():
        begin, end = f"<!-- {name}: make readme -->\n", f"\n<!-- end of {name} -->"
        found = re.search(f"(?s)(?<={re.escape(begin)}).*?(?={re.escape(end)})", text)
        if not found:
            raise ValueError(f"README.md lacks the part between {begin.strip()} and {end.strip()}")
        new = content()
        if found[0] != new:
            stale.append(name)
            text = text[: found.start()] + new + text[found.end() :]
    return text, stale


if __name__ == "__main__":
    main()
