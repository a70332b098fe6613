"""The colours of all figures."""

from typing import Any

import matplotlib
from matplotlib.colors import to_hex

# Okabe and Ito's, told apart by every kind of colour vision.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, SKY = "#D55E00", "#CC79A7", "#56B4E9"
INK, QUIET, FAINT = "#222222", "#6b6b6b", "#c9c9c9"
DISTINCT = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
WHITE: Any = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # behind words on a line


def shade(place: int, count: int) -> str:
    """A colour from bright (the first of `count`) to dark (the last)."""
    return to_hex(matplotlib.colormaps["viridis"](0.84 * (1 - place / max(count - 1, 1))))
