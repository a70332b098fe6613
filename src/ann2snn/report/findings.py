"""Findings: sentences written by hand in `findings.md`, each held to the condition that it states.

The template has a section per study, headed by the study's name and the exact name of its data set.
A sentence stands in `{% call claim(condition) %}...{% endcall %}`; its numbers are looked up.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from ann2snn.report import lookup
from ann2snn.report.results import Results

TEMPLATES = Path(__file__).parent
HEADING = re.compile(r"^## (\S+) \| (.+)$", re.MULTILINE)
BEST = {"best-results": "every data set"}  # the one section that is about no study


class BrokenClaimError(ValueError):
    """Sentences of the findings that the results do not bear out."""

    def __init__(self, broken: Sequence[str]) -> None:
        super().__init__("\n  ".join(["report/findings.md says what the results do not:", *broken]))


@dataclass(frozen=True)
class Finding:
    """The sentences that a section begins with, and the reasons that it folds."""

    summary: str
    reasons: str


@dataclass
class Claims:
    """Sentences in the order in which a section makes them, and whether each holds."""

    section: str
    made: list[tuple[str, bool]] = field(default_factory=list)

    def claim(self, condition: bool, caller: Callable[[], str]) -> str:
        sentence = " ".join(caller().split())
        self.made.append((f"{self.section}: {sentence}", bool(condition)))
        return f"{sentence}\n" if condition else ""


def environment() -> Environment:
    """Jinja for Markdown: what is not there is an error, and nothing is escaped."""
    made = Environment(  # noqa: S701 - no HTML but our own
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(lookup.FILTERS)
    return made


def findings(results: Results, strict: bool = True) -> dict[str, Finding]:
    """Findings by name of study, of studies that are there, on the data sets that they are about.

    Without `strict` sentences that do not hold are printed and left out, as in an experiment whose
    results are meant to differ.

    Raises:
        BrokenClaimError: sentences do not hold; it names them.
    """
    found, broken = {}, []
    for claims, text in judged(results):
        broken += [sentence for sentence, holds in claims.made if not holds]
        summary, _, reasons = text.strip().partition("\n\n")
        found[claims.section] = Finding(summary, reasons.strip())
    if broken:
        error = BrokenClaimError(broken)
        if strict:
            raise error
        print(f"left out: {error}", file=sys.stderr)
    return found


def judged(results: Results) -> Iterator[tuple[Claims, str]]:
    """The claims and the text of every section that is about these results."""
    _, *parts = HEADING.split((TEMPLATES / "findings.md").read_text(encoding="utf-8"))
    about = dict(zip(parts[::3], parts[1::3], strict=True))
    datasets = BEST | {study.name: study.dataset for study in results.studies}
    there = {name for name, dataset in about.items() if datasets.get(name) == dataset}
    templates = environment()
    for name, source in zip(parts[::3], parts[2::3], strict=True):
        if name in there:
            claims = Claims(name)
            names = lookup.Lookup(results, name).names()
            try:
                text = templates.from_string(source).render(
                    names, claim=claims.claim, there=there.__contains__
                )
            except (UndefinedError, TypeError, ZeroDivisionError) as error:
                claims.made.append((f"{name}: {error}", False))
                text = ""
            yield claims, text
