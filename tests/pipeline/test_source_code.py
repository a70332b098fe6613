"""What of Python source is in a key: what it computes, and not what it says."""

from pathlib import Path

import pytest

from ann2snn.pipeline import code_identity
from ann2snn.pipeline.code_identity import PACKAGE, ROOMS, sources
from ann2snn.pipeline.source_code import code_hash, code_text, imported_modules

SOURCE = """
from warnings import warn

SCALES = {"percentile": 99.9, "max": 100.0}


def scale(name: str, values: list[float]) -> float:
    if name not in SCALES:
        raise ValueError(f"there is no scale {name!r}")
    assert values, "no values"
    if len(values) < 3:
        warn(f"only {len(values)} values", stacklevel=2)
    text = f"{name}: {SCALES[name]:.1f}"
    return SCALES[name] * max(values) + len(text)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("there is no scale {name!r}", "{name!r} is no scale; there are {', '.join(SCALES)}"),
        ('f"there is no scale {name!r}"', '"there is no such scale"'),
        ('"no values"', 'f"got {values}"'),
        ("only {len(values)} values", "{len(values)} values are few"),
        ("-> float:\n", '-> float:\n    """The scale of that name."""\n'),
        ("    text =", "    # for people\n\n    text ="),
        ("assert values", "assert  (  values )"),
        ("99.9", "9.99e1"),
        (' * max(values) + len(text)', ' * max(\n        values,\n    ) + len(text)  # scaled'),
        ('"percentile"', "'percentile'"),
    ],
)  # fmt: skip
def test_words_and_formatting_are_not_code(old: str, new: str) -> None:
    assert SOURCE.count(old) == 1
    assert code_text(SOURCE.replace(old, new)) == code_text(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"percentile"', '"percent"'),
        ("99.9", "99.99"),
        ("100.0", "100"),
        ("not in", "in"),
        ("ValueError", "KeyError"),
        ("assert values", "assert not values"),
        ("< 3", "<= 3"),
        ("stacklevel=2", "stacklevel=3"),
        ("{name}: ", "{name} "),
        (":.1f", ":.2f"),
        ("max(values)", "min(values)"),
        ("values: list", "*values: list"),
        ("    text =", "    name = name\n    text ="),
    ],
)
def test_all_else_is_code(old: str, new: str) -> None:
    assert SOURCE.count(old) == 1
    assert code_text(SOURCE.replace(old, new)) != code_text(SOURCE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('raise Refused(f"pools {x}", "an image")', 'raise Refused("pools", f"a {y} image")'),
        ('self._require(kind == "conv", "is no conv")', 'self._require(kind == "conv", f"{kind}")'),
        ('error = SettingError(f"{x} must be 1")', 'error = SettingError("must be 1")'),
        ('print(f"{x} layers")', 'print("layers")'),
        (
            'rows.add(Row("a", meaning="one", label="A"))',
            'rows.add(Row("a", meaning="", label=""))',
        ),
    ],
)
def test_whatever_tells_may_tell_otherwise(one: str, other: str) -> None:
    assert code_text(one) == code_text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('self._require(kind == "conv", "")', 'self._require(kind == "linear", "")'),
        ("raise Refused(why(x))", "raise Refused(why(y))"),
        ('Row("a", meaning="")', 'Row("b", meaning="")'),
        ('warned("a")', 'warned("b")'),
        ("x = f'{a}{b}'", "x = f'{a} {b}'"),
    ],
)
def test_what_only_looks_like_a_message_is_code(one: str, other: str) -> None:
    assert code_text(one) != code_text(other)


def test_the_spelling_is_the_same_in_every_python() -> None:
    source = (
        "def f(a, /, *b: int, c=None, **d):\n    return [{**d, 1: f'{a:{c}}{b!r}'}, ..., 1e400]\n"
    )
    assert code_text(source) == (
        "FunctionDef(name='f';args=arguments(posonlyargs=arg(arg='a';)vararg=arg(arg='b';"
        "annotation=int;)kwonlyargs=arg(arg='c';)kw_defaults=None;kwarg=arg(arg='d';))"
        "body=Return(value=List(elts=Dict(keys=None;1;values=d;JoinedStr(values=FormattedValue("
        "value=a;conversion=-1;format_spec=JoinedStr(values=FormattedValue(value=c;conversion=-1;)))"
        "FormattedValue(value=b;conversion=114;)))Ellipsis;inf;)))"
    )


def test_a_files_name_counts_and_a_docstring_alone_does_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = code_hash([tmp_path / "a.py"], tmp_path)
    (tmp_path / "b.py").write_text('"""Nothing."""\n')
    assert code_hash([tmp_path / "a.py", tmp_path / "b.py"], tmp_path) == before
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    assert code_hash([tmp_path / "c.py"], tmp_path) != before


def test_imports_are_found_by_full_names_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from c.d import (\n        e,\n        g as h,\n    )\n"
    assert imported_modules(source) == {"a.b", "c.d", "c.d.e", "c.d.g"}


def names_of(step: str, *rows: Path) -> set[str]:
    return {path.relative_to(PACKAGE).as_posix() for path in sources(step, rows)}


@pytest.mark.parametrize("step", ROOMS)
def test_a_step_is_computed_by_its_room_and_what_that_imports_of_the_shared_parts(
    step: str,
) -> None:
    files = names_of(step)
    assert f"pipeline/{step}.py" in files
    rooms = {*ROOMS[step], "numerics", "mechanisms", "pipeline"}
    assert {file.partition("/")[0] for file in files} <= rooms
    apart = ("settings.py", "atomic_files.py", "tables.py", "records.py")
    assert not [file for file in files if file.endswith(apart)]
    assert "numerics/steps_to_level.py" in names_of("simulation") - names_of("conversion")


def test_of_files_that_add_rows_to_a_table_only_those_in_use_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "ann2snn"
    files = {
        "ann/training.py": "import torch\n",
        "ann/networks/small.py": "from ann2snn.ann.networks.blocks import block\n",
        "ann/networks/large.py": "x = 1\n",
        "ann/networks/blocks.py": "from ann2snn.numerics import windows\n",
        "numerics/windows.py": "x = 2\n",
        "numerics/intervals.py": "x = 3\n",
        "pipeline/ann.py": "x = 4\n",
    }
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    monkeypatch.setattr(code_identity, "PACKAGE", package)
    found = sources("ann", [package / "ann" / "networks" / "small.py"])
    assert {path.relative_to(package).as_posix() for path in found} == {
        "ann/training.py", "ann/networks/small.py", "ann/networks/blocks.py",
        "numerics/windows.py", "pipeline/ann.py",
    }  # fmt: skip
