"""`ann2snn reproduce KEY`: whether a result comes out again, bit for bit.

KEY is the beginning of a run key, as the report, README, MLflow and `report/results.json` show it.
Its configuration is that of its record. In an empty store everything is computed anew but trained
weights, which are taken as they are; the result of training itself is trained anew, as all are with
`--train`. Nothing in the project is changed.

Exits with 0 if all is equal, with 1 if something differs, with 2 if the key cannot be used.
"""

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ann2snn.config.schema import GROUPS, Settings
from ann2snn.pipeline.application import errors_end_the_program
from ann2snn.pipeline.artifacts import files_match, recorded_settings
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.code_identity import code_identity
from ann2snn.pipeline.provenance import MACHINE, provenance
from ann2snn.records import Json, Record, Store, file_sha256, made_on, noted_machines, record_files
from ann2snn.settings import SettingError, neutral_values

LEAST = 6  # digits of a key
UNCHANGED = ("description", "metrics", "curves")  # parts of a record that are compared whole


@dataclass(frozen=True)
class Found:
    """A record, the folder of its files, and what made it, as far as that is known."""

    record: Record
    folder: Path
    machine: Json


def main() -> None:
    parser = argparse.ArgumentParser("ann2snn reproduce", description=__doc__)
    parser.add_argument("key", help=f"at least {LEAST} digits of a run key")
    parser.add_argument("--train", action="store_true", help="train the network anew as well")
    parser.add_argument("--weights", default="", help="the file, where a result has given weights")
    chosen = parser.parse_args()
    with errors_end_the_program():
        equal = reproduced(Path.cwd(), chosen.key, chosen.weights, train=chosen.train)
    sys.exit(0 if equal else 1)


def reproduced(project: Path, key: str, weights: str = "", *, train: bool = False) -> bool:
    """Whether the result comes out again; prints what was compared and what differs.

    Raises:
        SettingError: no record, or several, have the key; or weights are to be named.
    """
    found = found_by(project, key)
    record = found.record
    print(f"{record.step} {record.key[:12]} ({' '.join(record.description.values())})", flush=True)
    with tempfile.TemporaryDirectory(prefix="reproduce-") as temporary:
        chain = Chain(_settings(record, weights, project), Path(temporary))
        _copy_data_records(project, Path(temporary))
        if record.step not in ("data", "ann") and not train:
            _lend_weights(project, record, chain)
        causes = list(changed_inputs(record, chain))
        new = Record.read(chain.result(record.step) / "record.json")
        own: Json = provenance(0)
    differences = list(different(_content(record), _content(new)))
    if not differences:
        print("equal, bit for bit")
        for cause in causes:
            print(f"although {cause}")
    else:
        print(f"different, first in {differences[0]}")
        print(f"{len(differences)} entries differ in all")
        for cause in [*causes, *_changed_machine(found.machine, own)] or [_unexplained(found)]:
            print(f"cause: {cause}")
    print("made on:     ", _machine(found.machine))
    print("this machine:", _machine(own))
    return not differences


def found_by(project: Path, key: str) -> Found:
    """The record whose key begins so, of the store or of `artifacts`.

    Raises:
        SettingError: there is none, or there are several.
    """
    if len(key) < LEAST or set(key) - set("0123456789abcdef"):
        raise SettingError(f"a key has at least {LEAST} of the digits 0-9a-f, got {key!r}")
    matching: dict[str, Found] = {}
    for path in [*record_files(project), *Store(project / "store").records()]:
        record = Record.read(path)
        if record.key.startswith(key) and record.key not in matching:
            made = made_on(path, noted_machines(project))
            matching[record.key] = Found(record, path.parent, made)
    if len(matching) > 1:
        raise SettingError(f"several results have the key {key}: {', '.join(sorted(matching))}")
    if not matching:
        raise SettingError(
            f"no result here has the key {key}: neither artifacts/ nor store/ holds its record"
        )
    return next(iter(matching.values()))


def _settings(record: Record, weights: str, project: Path) -> Settings:
    """The record's settings, silent and untracked; weights that were given, or that training
    started from, are the file named by the user or that of the project that has their bytes."""
    settings = recorded_settings(record, project)
    own = settings.ann
    named = recorded_settings(record).ann
    digest, start = named.weights, named.start
    if weights and not digest:
        raise SettingError(f"--weights is for results of given weights, got {weights!r}")
    unknown = not weights and own.weights == digest
    if digest and (unknown or (weights and file_sha256(Path(weights)) != digest)):
        got = f"another, {weights!r}" if weights else "none"
        raise SettingError(
            f"--weights must name the file with sha256 {digest} that the result was made of, got"
            f" {got}"
        )
    if start and own.start == start:
        raise SettingError(
            f"the training started from weights with sha256 {start}, which no file in"
            " artifacts/ann has"
        )
    return dataclasses.replace(
        settings,
        ann=dataclasses.replace(own, weights=weights or own.weights),
        run=dataclasses.replace(settings.run, track=False),
    )


def _copy_data_records(project: Path, temporary: Path) -> None:
    """The committed data records, which say what raw data must be where none are to be told yet."""
    source = project / "artifacts" / "data"
    if source.is_dir():
        shutil.copytree(source, temporary / "artifacts" / "data")


def _lend_weights(project: Path, record: Record, chain: Chain) -> None:
    """Puts the trained network of the record into the chain's store, under its key there.

    Raises:
        SettingError: the network is not there, or its files are not those of its record.
    """
    key = record.parents["ann"]
    try:
        trained = found_by(project, key)
    except SettingError as error:
        raise SettingError(f"the network of this result is not here ({error}): --train") from error
    if not files_match(trained.record, trained.folder):
        raise SettingError(
            f"the weights in {trained.folder} are not those of their record: --train trains anew"
        )
    target = chain.store.folder("ann", chain.key("ann"))
    target.mkdir(parents=True)
    for name in trained.record.details["files"]:
        shutil.copyfile(trained.folder / name, target / name)
    lent = dataclasses.replace(trained.record, key=target.name)  # other code or data, another key
    lent.write(target / "record.json")


def changed_inputs(record: Record, chain: Chain) -> Iterator[str]:
    """What the key of the record was made of and is not as it was: data, code by step."""
    there = chain.manifest
    if record.step != "data" and chain.key("data") != record.parents["data"]:
        yield f"the data here ({there['name']}, {there['source']}) are not those of the record"
    for step, identity in record.details.get("code", {}).items():
        if code_identity(step, chain.settings) != identity:
            yield f"the code of step {step} has changed since"


def _changed_machine(made: Json, own: Json) -> Iterator[str]:
    facts = [fact for fact in MACHINE if fact in made and made[fact] != own[fact]]
    if facts:
        yield f"the machine differs in {', '.join(facts)}"


def _unexplained(found: Found) -> str:
    machine = "and machine are" if found.machine else "are, and the machine is not known,"
    return f"data, code {machine} as they were: the record in {found.folder} has been changed"


def _content(record: Record) -> Json:
    """What a result says, but for keys and code. Where a toggle is younger than a record, its
    neutral value is what the record was made with."""
    left_out = ("code", "raw")  # the raw files' names, sizes and times are not their content
    neutral = {name: neutral_values(kind) for name, kind in GROUPS.items()}
    return {
        "settings": {
            group: {**neutral.get(group, {}), **toggles}
            for group, toggles in record.settings.items()
        },
        "details": {n: v for n, v in record.details.items() if n not in left_out},
        **{name: getattr(record, name) for name in UNCHANGED},
    }


def different(recorded: Any, new: Any, where: str = "") -> Iterator[str]:
    """The places of two contents that differ, with both values, in order."""
    if isinstance(recorded, dict) and isinstance(new, dict):
        for name in sorted({*recorded, *new}):
            place = f"{where}.{name}" if where else name
            if name not in recorded or name not in new:
                yield f"{place}: only {'new' if name in new else 'recorded'}"
            else:
                yield from different(recorded[name], new[name], place)
    elif isinstance(recorded, list) and isinstance(new, list) and len(recorded) == len(new):
        for at, (before, now) in enumerate(zip(recorded, new, strict=True)):
            yield from different(before, now, f"{where}[{at}]")
    elif recorded != new:
        yield f"{where}: {recorded!r} recorded, {new!r} now"


def _machine(facts: Json) -> str:
    return json.dumps({fact: facts[fact] for fact in MACHINE if fact in facts}) or "not known"
