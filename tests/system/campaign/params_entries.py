"""Entries of params.yaml that are broken in one place."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from ann2snn.pipeline.study_file import FIELDS, OF_NETWORKS
from tests.system.campaign.calm import copied
from tests.system.campaign.cases import Told
from tests.system.campaign.configurations import RULES, TOGETHER, refused

STUDY, POINT = "digits-theory", "zero"
NO_MAPPING: tuple[Any, ...] = (3, "text", [1], True, 1.5, [["a"]], {1: "x"}, {None: []})
NO_TEXT: tuple[Any, ...] = (3, None, [], {}, True, "", 1.5)
NO_LIST: tuple[Any, ...] = (3, "conversion.reset=zero", {"a": 1}, [3], [None], [["x"]], True)
Entry = dict[Any, Any]


def _field(draw: random.Random, entry: Entry, networks: Entry) -> None:
    entry[draw.choice(("notes", "point", "Title", "kinds", 3, None))] = "x"


def _network(draw: random.Random, entry: Entry, networks: Entry) -> None:
    entry["network"] = draw.choice((*NO_TEXT, "unknown", "Digits", {"digits": 1}))


def _networks(draw: random.Random, entry: Entry, networks: Entry) -> None:
    name = draw.choice(sorted(networks))
    way = draw.randrange(3)
    if way == 0:
        networks[name] = draw.choice(NO_MAPPING)
    elif way == 1:
        del networks[name][draw.choice(OF_NETWORKS)]
    else:
        networks[name][draw.choice((*OF_NETWORKS, "more"))] = draw.choice(NO_TEXT)


def _named_text(draw: random.Random, entry: Entry, networks: Entry) -> None:
    entry[draw.choice(("title", "kind"))] = draw.choice(NO_TEXT)


def _points(draw: random.Random, entry: Entry, networks: Entry) -> None:
    name = draw.choice(("points", "labels"))
    entry[name] = draw.choice([each for each in NO_MAPPING if name == "points" or each != {}])


def _point_name(draw: random.Random, entry: Entry, networks: Entry) -> None:
    wrong = draw.choice(("a/b", "../x", ".hidden", "", "study", "statistics", "a b", 3, True))
    entry["points"][wrong] = []


def _label(draw: random.Random, entry: Entry, networks: Entry) -> None:
    way = draw.random() < 0.5
    entry["labels"]["nowhere" if way else POINT] = "x" if way else draw.choice(NO_TEXT)


def _overrides(draw: random.Random, entry: Entry, networks: Entry) -> None:
    wrong = draw.choice(NO_LIST)
    if draw.random() < 0.5:
        entry["shared"] = wrong
    else:
        entry["points"][POINT] = wrong


def _override(draw: random.Random, entry: Entry, networks: Entry) -> None:
    alone = [each for each in TOGETHER if "run." not in each and "-m" not in each]
    own = draw.choice(RULES[:-1])(draw) if draw.random() < 0.7 else draw.choice(alone).split(" ")
    entry["points"][POINT] = own


def _empty(draw: random.Random, entry: Entry, networks: Entry) -> None:
    del entry[draw.choice([name for name in FIELDS if name not in ("shared", "labels")])]


MUTATIONS: tuple[Callable[[random.Random, Entry, Entry], None], ...] = (
    _field, _network, _networks, _named_text, _points, _point_name, _label, _overrides, _override,
    _empty,
)  # fmt: skip


def broken_params(draw: random.Random, place: Path, calm: Path) -> Told:
    """A study whose entry, or whose file, is not as it must be is refused before any work."""
    project = place.with_name("broken")
    if not project.is_dir():
        copied(calm, project)
    path = project / "params.yaml"
    text = (calm / "params.yaml").read_bytes()
    if draw.random() < 0.2:
        path.write_bytes(broken_text(draw, text))
    else:
        params = yaml.safe_load(text)
        networks, entry = params["networks"], params["studies"][STUDY]
        draw.choice(MUTATIONS)(draw, entry, networks)
        if draw.random() < 0.1:
            params["studies"] = draw.choice(NO_MAPPING)
        path.write_text(yaml.safe_dump(params), encoding="utf-8")
    yield from refused(project, [f"run.study={STUDY}"])


def broken_text(draw: random.Random, text: bytes) -> bytes:
    """What is no YAML, or no mapping."""
    return draw.choice(
        (b"", b"[]", b"3", b"text", b"\xff\xfe\x00", text[:200] + b"\xff" + text[200:],
         b"\tstudies:\n" + text, text + b"\nstudies: [", text + b"\n}", b"a: &a [*a, *b]",
         b"studies: !!python/object:os.system x", text + b"\n? [a]: b\n- c", b"[" * 5000,
         text.replace(b"studies:", b"studies: {", 1), b"a: 1\n  b: 2", b"\x00")
    )  # fmt: skip
