"""What Python files compute, as one hash: not how they are written, nor what their messages say.

The syntax tree counts, written out in one spelling for Python 3.11 to 3.13. Comments, docstrings
and formatting are not in it, and the text of a message counts as empty: strings in `raise`, behind
`assert`, in calls of errors and of what prints, warns or refuses, and words for people about a
toggle or a mechanism. What a message looks up or calls counts, as all else does.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

TELLING = {"Refused", "warn", "print", "_choose"}  # all that they are called with is a message
REQUIRING = "_require"  # of a condition, and a message
WORDS = {"meaning", "label"}  # keywords for people
SKIPPED = {"ctx", "kind", "type_comment"}


def code_hash(files: Iterable[Path], root: Path) -> str:
    """Hash of what Python files compute, by their paths under `root`."""
    digest = hashlib.sha256()
    for path in sorted(set(files)):
        text = code_text(path.read_text(encoding="utf-8"))
        if text:  # a docstring alone computes nothing
            digest.update(f"{path.relative_to(root).as_posix()}\n{text}\n".encode())
    return digest.hexdigest()


@cache
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def code_text(source: str) -> str:
    """The syntax tree of Python source in one spelling; empty if the source computes nothing."""
    written: list[str] = []
    for statement in _tree(source).body:
        _write(statement, written, False)
    return "".join(written)


@cache
def imported_modules(source: str) -> frozenset[str]:
    """The modules that Python source imports, and what it takes from them, by full names."""
    found: set[str] = set()
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return frozenset(found)


def _write(node: Any, written: list[str], told: bool) -> None:
    """Appends the spelling of a node; within a message, `told`, strings are empty."""
    kind = node.__class__
    if kind is ast.Name:
        written.append(f"{node.id};")
    elif kind is ast.Constant:
        empty = told and isinstance(node.value, str)
        written.append("'';" if empty else f"{node.value!r};")
    elif kind is ast.JoinedStr and told:
        written.append("'';")
    elif kind is ast.Expr and node.value.__class__ is ast.Constant:
        pass  # a docstring
    elif kind is ast.JoinedStr:
        parts = [each for each in node.values if getattr(each, "value", None) != ""]
        written.append("JoinedStr(")  # Python 3.12 has empty parts that 3.11 and 3.13 leave out
        _write_field("values", parts, written, told, ())
        written.append(")")
    else:
        written.append(f"{kind.__name__}(")
        told = told or kind is ast.Raise
        messages = _messages(node) if not told else ()
        for name in kind._fields:
            if name not in SKIPPED:
                _write_field(name, getattr(node, name, None), written, told, messages)
        written.append(")")


def _write_field(
    name: str, value: Any, written: list[str], told: bool, messages: tuple[Any, ...]
) -> None:
    """Appends a field that is there: a node, a list of them, or a name."""
    if value is None or value == []:
        return
    written.append(f"{name}=")
    if value.__class__ is list:
        for each in value:
            if isinstance(each, ast.AST):
                _write(each, written, told or each in messages)
            else:
                written.append(f"{each!r};")
    elif isinstance(value, ast.AST):
        _write(value, written, told or value in messages)
    else:
        written.append(f"{value!r};")


def _messages(node: ast.AST) -> tuple[ast.AST, ...]:
    """The children of a node that make a message."""
    if isinstance(node, ast.Assert):
        return (node.msg,) if node.msg else ()
    if isinstance(node, ast.keyword):
        return (node.value,) if node.arg in WORDS else ()
    if isinstance(node, ast.Call):
        called = str(getattr(node.func, "attr", getattr(node.func, "id", "")))
        if called in TELLING or called.endswith("Error"):
            return (*node.args, *node.keywords)
        if called == REQUIRING:
            return (*node.args[1:], *node.keywords)
    return ()
