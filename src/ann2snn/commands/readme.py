"""Fills the generated parts of README.md and docs/: `python -m ann2snn.commands.readme`.

With `--check` nothing is written: stale parts are named, and the exit code is 1.
"""

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ann2snn.errors import errors_are_told

Parts = Mapping[str, Callable[[], str]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill the generated parts of README.md and docs/.")
    parser.add_argument("--check", action="store_true", help="only say which parts are stale")
    check = parser.parse_args().check
    stale = []
    with errors_are_told():
        for name, parts in generated(Path.cwd()).items():
            page = Path.cwd() / name
            new, old = filled(page.read_text(encoding="utf-8"), parts, name)
            stale += [f"{name} ({', '.join(old)})"] if old else []
            if old and not check:
                page.write_text(new, encoding="utf-8", newline="\n")
        if check and stale:
            raise ValueError(f"stale: {'; '.join(stale)}; run `make readme`")
    print("every part is new" if check else f"renewed: {'; '.join(stale) or 'nothing'}")


def generated(project: Path) -> dict[str, Parts]:
    """By page, functions that write each of its parts, by name; speeds are those of the last
    `make bench`, answers of ImageNet those of the last `bench.imagenet`."""
    from ann2snn.config.toggle_table import toggle_table
    from ann2snn.report.readme_tables import readme_tables
    from bench.imagenet import written as imagenet
    from bench.section import written

    return {
        "README.md": {"results": lambda: readme_tables(project / "artifacts")},
        "docs/toggles.md": {"toggles": lambda: toggle_table(["conversion", "simulation"])},
        "docs/imagenet.md": {"imagenet": imagenet},
        "docs/speed.md": {"speeds": written},
    }


def filled(text: str, parts: Parts, page: str) -> tuple[str, list[str]]:
    """The text of a page with all parts filled, and the names of those that were not.

    Raises:
        ValueError: a part's markers are not there.
    """
    stale = []
    for name, content in parts.items():
        begin, end = f"<!-- {name}: make readme -->\n", f"\n<!-- end of {name} -->"
        found = re.search(f"(?s)(?<={re.escape(begin)}).*?(?={re.escape(end)})", text)
        if not found:
            raise ValueError(f"{page} lacks the part between {begin.strip()} and {end.strip()}")
        new = content()
        if found[0] != new:
            stale.append(name)
            text = text[: found.start()] + new + text[found.end() :]
    return text, stale


if __name__ == "__main__":
    main()
