"""What the converter says instead of guessing: every offending node at once, with a cure."""

import sys
import traceback
from pathlib import Path
from types import TracebackType

import torch
from torch import fx

TORCH = str(Path(torch.__file__).parent)
OWN = str(Path(__file__).parent)
LISTED = "one of the layers listed below"


class ConversionError(ValueError):
    """A network that cannot be converted exactly; the message lists why."""


class Refused(Exception):  # noqa: N818 (it is a signal from a layer to the walk, not for users)
    """One node that cannot be converted: what is wrong, and what would work instead."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cure = cure


def refusal_line(node: fx.Node, operation: str, refused: Refused) -> str:
    """`name (operation, at file:line): reason; instead: cure` for one node."""
    return f"{title(node, operation)}: {refused.reason}; instead: {refused.cure}"


def title(node: fx.Node, operation: str) -> str:
    """`name (operation, at file:line)`."""
    name = node.target if node.op == "call_module" else node.name
    place = f", at {origin(node)}" if origin(node) else ""
    return f"{name} ({operation}{place})"


def origin(node: fx.Node) -> str:
    """`file:line` of the user's call that made the node; empty where there is none."""
    return str(node.meta.get("origin", ""))


def origin_of_call() -> str:
    """`file:line` of the innermost frame, from the caller's caller on, that is not torch's; empty
    where that is our own."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(TORCH):
        frame = frame.f_back
    file = frame.f_code.co_filename
    return "" if file.startswith((TORCH, OWN)) else f"{Path(file).name}:{frame.f_lineno}"


def origin_of_error(trace: TracebackType | None) -> str:
    """`file:line` of the last frame outside torch; empty where there is none but ours."""
    frames = [
        frame
        for frame in traceback.extract_tb(trace)
        if not frame.filename.startswith((TORCH, OWN, "<"))
    ]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def combined(lines: list[str], supported: str) -> ConversionError:
    """One error for all refused nodes; `supported` names all layers that convert."""
    count = "1 operation" if len(lines) == 1 else f"{len(lines)} operations"
    listed = [f"layers that convert: {supported}"] if any(LISTED in line for line in lines) else []
    title = f"cannot convert {count} of this network:"
    return ConversionError("\n  ".join([title, *lines, *listed]))
