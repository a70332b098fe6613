"""Colours of runs: no two that stand together in a chart look alike.

MLflow draws a run in a colour from a list of fourteen, by its random identity. Here each run has
its own, from its key: it stays what it is when other runs come. A run steps on by the golden angle
until it is far from those before it that it stands with.
"""

import colorsys
import hashlib
import math
from collections.abc import Iterable, Sequence
from functools import cache

GOLDEN = 0.6180339887
STYLES = ((0.45, 0.85), (0.32, 0.75), (0.60, 0.70))  # lightness and saturation, of HLS
FAR = 0.16  # in OKLab, where black and white are 1 apart
SPREAD = 0.05  # of both, by key: two runs that stand far from each other are not quite equal either
TRIES = 60
NEAR = 16  # places in a company
Lab = tuple[float, float, float]


def colours_of(companies: Iterable[Sequence[str]]) -> dict[str, str]:
    """A colour (`#rrggbb`) by key, for runs that stand together in some companies, each of which
    lists keys in order."""
    found: dict[str, str] = {}
    used: set[str] = set()
    standing: dict[str, list[tuple[Sequence[str], int]]] = {}
    for company in map(tuple, companies):
        for place, key in enumerate(company):
            standing.setdefault(key, []).append((company, place))
    for key, places in standing.items():
        near = {other for company, at in places for other in _around(company, at)}
        beside = sorted(found[other] for other in near if other in found)
        found[key] = _apart(key, [_lab(colour) for colour in beside], used)
        used.add(found[key])
    return found


def _around(company: Sequence[str], place: int) -> Sequence[str]:
    """Who stands near that place: more colours than these nobody tells apart."""
    return company[max(0, place - NEAR) : place + NEAR + 1]


def _apart(key: str, taken: Sequence[Lab], used: set[str]) -> str:
    """The first colour from the key on that is far from those taken, else the farthest; none that
    another run has."""
    digest = hashlib.sha256(key.encode()).digest()
    start, paler, duller = (int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in (0, 4, 8))
    best, distance = "", -1.0
    for turn in range(TRIES):
        lightness, saturation = STYLES[turn % len(STYLES)]
        hue = (start + GOLDEN * turn) % 1
        shade = lightness + SPREAD * paler, saturation - SPREAD * duller
        red, green, blue = colorsys.hls_to_rgb(hue, *shade)
        colour = f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
        own = _lab(colour)
        nearest = min((math.dist(own, other) for other in taken), default=1.0)
        if nearest > distance and colour not in used:
            best, distance = colour, nearest
        if distance > FAR:
            break
    return best


@cache
def _lab(colour: str) -> Lab:
    """A colour in OKLab (B. Ottosson, 2020), where distance is how different two look."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )
