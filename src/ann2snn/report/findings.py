"""Findings: sentences written by hand in `findings.md`, each held to the condition that it states.

The template has a section per study, headed by the study's name and the exact name of its data set.
A sentence stands in `{% call claim(condition) %}...{% endcall %}`; its numbers are looked up.
"""

import re
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, UndefinedError

from ann2snn.report import lookup
from ann2snn.report.results import Results

TEMPLATES = Path(__file__).parent
HEADING = re.compile(r"^## (\S+) \| (.+)$", re.MULTILINE)
BEST = {"best-results": "every data set"}  # the one section that is about no study


class BrokenClaimError(ValueError):
    """Sentences of the findings that the results do not bear out."""

    def __init__(self, broken: Sequence[str]) -> None:
        super().__init__("report/findings.md says what the results do not:")
        for sentence in broken:
            self.add_note(sentence)


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


@dataclass(frozen=True)
class Section:
    """The findings of one study, on the data set of this exact name."""

    name: str
    dataset: str
    template: Template

    def judge(self, results: Results, there: Collection[str]) -> tuple[Claims, str]:
        """The section's claims and its text; `there` are the studies that it can name."""
        claims = Claims(self.name)
        try:
            text = self.template.render(
                lookup.Lookup(results, self.name).names(),
                claim=claims.claim,
                there=there.__contains__,
            )
        except (UndefinedError, TypeError, ZeroDivisionError) as error:
            claims.made.append((f"{self.name}: {error}", False))
            text = ""
        return claims, text


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

    Without `strict` sentences that do not hold are printed and left out, as in an experiment or a
    demo, whose results may differ.

    Raises:
        BrokenClaimError: sentences do not hold; it names them.
    """
    found, broken = {}, []
    sections = about(results)
    for section in sections.values():
        claims, text = section.judge(results, sections)
        broken += [sentence for sentence, holds in claims.made if not holds]
        summary, _, reasons = text.strip().partition("\n\n")
        found[section.name] = Finding(summary, reasons.strip())
    if broken:
        error = BrokenClaimError(broken)
        if strict:
            raise error
        print(f"left out: {error}", *broken, sep="\n  ", file=sys.stderr)
    return found


def about(results: Results) -> dict[str, Section]:
    """The sections that are about these results, by name of study."""
    datasets = BEST | {study.name: study.dataset for study in results.studies}
    return {s.name: s for s in _sections() if datasets.get(s.name) == s.dataset}


@cache
def _sections() -> list[Section]:
    """All sections of the template."""
    _, *parts = HEADING.split((TEMPLATES / "findings.md").read_text(encoding="utf-8"))
    jinja = environment()
    return [
        Section(name, dataset, jinja.from_string(source))
        for name, dataset, source in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
