"""Damaged files of store and artifacts, and hostile files that people hand over."""

import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from ann2snn.data.image_file import pixels
from ann2snn.spec import load_spec
from tests.system.campaign.calm import called, compared, copied
from tests.system.campaign.cases import Told


def spoil(draw: random.Random, path: Path, others: list[Path]) -> str:
    """Damages a file in one of the ways that disks, copies and people do."""
    content = bytearray(path.read_bytes())
    way = draw.choice(("flip", "cut", "empty", "noise", "gone", "exchanged", "longer"))
    if way == "flip" and content:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    elif way == "cut":
        del content[draw.randrange(len(content) + 1) :]
    elif way == "empty":
        content.clear()
    elif way == "noise":
        content[:] = draw.randbytes(len(content))
    elif way == "exchanged":
        content[:] = draw.choice(others).read_bytes()
    elif way == "longer":
        content += draw.randbytes(9)
    path.write_bytes(content)
    if way == "gone":
        path.unlink()
    return way


def damaged_result(draw: random.Random, place: Path, calm: Path) -> Told:
    """A file of store or artifacts is damaged, what was made from it may be gone."""
    copied(calm, place)
    files = sorted(
        path
        for path in [*place.glob("store/*/*/*"), *place.glob("artifacts/**/*")]
        if path.is_file() and "locks" not in path.parts
    )
    victim = draw.choice(files)
    way = spoil(draw, victim, files)
    for step in ("simulation", "conversion", "statistics", "ann"):
        if draw.random() < 0.5 and f"store/{step}/" not in victim.as_posix():
            shutil.rmtree(place / "store" / step, ignore_errors=True)
    words = f"{victim.relative_to(place)} {way}"
    code, said = called(place, "simulation")
    if "Traceback" in said:
        yield "tracebacks", f"{words}: {said[-300:]}"
    elif code != 0:
        if "error: " not in said or victim.name not in said:
            yield "lost", f"{words}: exit {code}: {said[-300:]}"
        return
    yield from compared(place, calm, "simulation", words)


STRANGE: tuple[Any, ...] = (
    None,
    [],
    {},
    "",
    "x",
    True,
    -1,
    0,
    2,
    1.5,
    1e300,
    10**30,
    [[0, 10**9]],
    [-1, -4],
)


def hostile_spec(draw: random.Random, place: Path, calm: Path) -> Told:
    """A spec file whose metadata say something strange in one place is loaded, or refused."""
    source = draw.choice(sorted(calm.glob("store/conversion/*/spec.safetensors")))
    place.mkdir(parents=True)
    path = place / source.name
    with safe_open(source, framework="numpy") as file:
        content = json.loads(file.metadata()["spec"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    inner, words = content, ""
    while isinstance(inner, dict | list) and inner:
        key = draw.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        words += f"/{key}"
        if not isinstance(inner[key], dict | list) or draw.random() < 0.3:
            inner[key] = draw.choice(STRANGE)
            words += f" {inner[key]!r}"
            break
        inner = inner[key]
    if draw.random() < 0.2:
        name = draw.choice(list(tensors))
        tensors[name] = draw.choice(
            (
                tensors[name].astype(np.int32),
                np.full_like(tensors[name], np.nan),
                tensors[name].reshape(-1)[:0],
            )
        )
    save_file(tensors, path, metadata={"spec": json.dumps(content)})
    yield from refused(lambda: load_spec(path), path.name, words)


def hostile_image(draw: random.Random, place: Path, calm: Path) -> Told:
    """An image file that was damaged is read, or refused with its name."""
    image = Image.fromarray(np.frombuffer(draw.randbytes(192), np.uint8).reshape(8, 8, 3))
    content = io.BytesIO()
    kind = draw.choice(("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"))
    image.save(content, kind)
    place.mkdir(parents=True)
    path = place / "image"
    path.write_bytes(content.getvalue())
    way = spoil(draw, path, [path])
    if path.exists():
        damaged = path.read_bytes()
        yield from refused(lambda: pixels(damaged, "image.file"), "image.file", f"{kind} {way}")


def refused(act: Callable[[], object], name: str, words: str) -> Told:
    try:
        act()
    except ValueError as error:
        if name not in str(error):
            yield "tracebacks", f"{words}: no name in {error}"
    except Exception as error:
        yield "tracebacks", f"{words}: {error!r}"
